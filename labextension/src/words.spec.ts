import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** What speaks to users through the host; each of these is given a translator. */
const SPEAKING = [
  'begin.ts',
  'commands.ts',
  'dialogs.ts',
  'index.ts',
  'offer.ts',
  'pagetransport.ts',
  'resume.ts',
  'toolbar.ts'
];

const TRANSLATING = /\b_?trans\.(__|_n)$/;
/** A word that begins a sentence, or two words; but no style, no code for a kernel, no name of a host. */
const WORDS = /^[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}/;
const NO_WORDS = /^(jp-|%|__|Jupyter Notebook$|Notebook$)/;

/** Texts of a module that look like words and are not given to a translator. */
function untranslated(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    // A plugin's description is shown as it stands.
    const isDescription = ts.isPropertyAssignment(node) && node.name.getText(file) === 'description';
    const isOther = ts.isImportDeclaration(node) || ts.isTypeNode(node) || (isDescription && name === 'index.ts');
    const isTranslated = ts.isCallExpression(node) && TRANSLATING.test(node.expression.getText(file));
    if (isOther || isTranslated) {
      return;
    }
    const isPiece = ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if ((isPiece || ts.isStringLiteralLike(node) || ts.isJsxText(node)) && WORDS.test(node.text.trim()) && !NO_WORDS.test(node.text.trim())) {
      found.push(node.text.trim());
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('words for users', () => {
  it.each(SPEAKING)('are given to the translator in %s', name => {
    expect(untranslated(name, readFileSync(join(import.meta.dirname, name), 'utf8'))).toEqual([]);
  });

  it('are seen where they are not', () => {
    const source = "f(trans.__('Known words'), 'Save'); <p title=\"two words\">Some text</p>; `Moved ${n} to the trash`";

    expect(untranslated('x.tsx', source)).toEqual(['Save', 'two words', 'Some text', 'Moved', 'to the trash']);
  });
});
