import { describe, expect, it } from 'vitest';

import { tokens } from './highlight';

/** The coloured pieces, as "kind:text". */
function coloured(code: string, language: string): string[] {
  return tokens(code, language)
    .filter(({ kind }) => kind !== null)
    .map(({ kind, text }) => `${kind}:${text}`);
}

describe('tokens', () => {
  it.each([
    ['python', 'def f(x): return 0x1f  # why', ['keyword:def', 'keyword:return', 'number:0x1f', 'comment:# why']],
    ['py', 'x = "def # no"', ['string:"def # no"']],
    ['python3', "s = '''two\nlines''' + 'it\\'s'", ["string:'''two\nlines'''", "string:'it\\'s'"]],
    ['sh', 'if true; then echo "$x"; fi', ['keyword:if', 'keyword:then', 'string:"$x"', 'keyword:fi']],
    ['tsx', 'const x = `a` // b', ['keyword:const', 'string:`a`', 'comment:// b']],
    ['javascript', '/* a\nb */ 1_000.5e-3', ['comment:/* a\nb */', 'number:1_000.5e-3']],
    ['sql', 'Select 1 -- one', ['keyword:Select', 'number:1', 'comment:-- one']],
    ['json', '{"a": true} # no comment', ['string:"a"', 'keyword:true']],
    ['r', 'TRUE # yes', ['keyword:TRUE', 'comment:# yes']]
  ])('are told apart in %s: %s', (language, code, expected) => {
    expect(coloured(code, language)).toEqual(expected);
  });

  it('leave no character out and add none', () => {
    const code = 'for x in y:\n    print("π", 1)  # so\n';

    expect(
      tokens(code, 'python')
        .map(({ text }) => text)
        .join('')
    ).toBe(code);
  });

  it.each([
    ['of a language that is not known', 'def', 'cobol'],
    ['of a language named like a method of every object', 'def', 'toString'],
    ['that is very long', `def ${'x'.repeat(20_000)}`, 'python']
  ])('are one plain piece for code %s', (_, code, language) => {
    expect(tokens(code, language)).toEqual([{ kind: null, text: code }]);
  });

  it('does not take a word for a keyword that only begins like one', () => {
    expect(coloured('define(information)', 'python')).toEqual([]);
  });
});
