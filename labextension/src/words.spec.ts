import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Modules that say something which no translator gets to see, and why. */
const UNTRANSLATED: Record<string, string> = {
  'highlight.ts': 'words of programming languages',
  'markdown.ts': 'names of HTML; its own spec sees to the words',
  'settings.ts': 'for the console'
};

const TRANSLATING = /\b_?trans\.(__|_n)$/;
/** A word that begins a sentence, or two words. */
const WORDS = /^[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}/;
/** Styles, code for a kernel, names of keys, HTTP fields, types and hosts. */
const NO_WORDS = /^(jp-|%|__|Arrow|Escape$|Enter$|Tab$|Home$|End$|Files$|Content-|If-|Last-|\w+Error$|(Jupyter )?Notebook$)/;

/** Texts of a module that look like words and are not given to a translator. */
function untranslated(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    // A plugin's description is shown as it stands; what a text is compared with is not shown.
    const isDescription = ts.isPropertyAssignment(node) && node.name.getText(file) === 'description';
    const isCompared = ts.isStringLiteralLike(node) && ts.isBinaryExpression(node.parent);
    const isOther = ts.isImportDeclaration(node) || ts.isTypeNode(node) || (isDescription && name === 'index.ts');
    const isTranslated = ts.isCallExpression(node) && TRANSLATING.test(node.expression.getText(file));
    if (isOther || isTranslated || (isCompared && node.parent.getText(file).includes('=='))) {
      return;
    }
    const isPiece = ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if ((isPiece || ts.isStringLiteralLike(node) || ts.isJsxText(node)) && isWords(node.text.trim())) {
      found.push(node.text.trim());
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isWords(text: string): boolean {
  return WORDS.test(text) && !NO_WORDS.test(text);
}

describe('words for users', () => {
  const folder = import.meta.dirname;
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => name.replaceAll('\\', '/'))
    .filter(name => /\.tsx?$/.test(name) && !/\.(spec\.tsx?|d\.ts)$/.test(name) && !(name in UNTRANSLATED));

  it.each(modules)('are given to the translator in %s', name => {
    expect(untranslated(name, readFileSync(join(folder, name), 'utf8'))).toEqual([]);
  });

  it('are seen where they are not', () => {
    const source =
      'f(trans.__("Known words"), "Save", key === "Delete"); <p title="two words">Some text</p>; `Moved ${n} to trash`';

    expect(untranslated('x.tsx', source)).toEqual(['Save', 'two words', 'Some text', 'Moved', 'to trash']);
  });
});
