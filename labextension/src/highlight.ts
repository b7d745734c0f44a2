/** Colours for code: comments, strings, numbers and keywords, told apart by one expression. Enough to read by. */

const WORDS: Record<string, string> = {
  python:
    'False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield',
  bash: 'case do done elif else esac export fi for function if in local return set then until while',
  javascript:
    'async await break case catch class const continue default delete do else export extends false finally for from function if import in instanceof let new null of return static super switch this throw true try typeof undefined var void while yield',
  sql: 'and as asc by case create delete desc distinct drop else end from group having in inner insert into is join left like limit not null on or order outer right select set table then union update values when where with',
  r: 'FALSE NULL TRUE break else for function if in library next repeat return while',
  json: 'false null true'
};

const ALIASES: Record<string, string> = {
  py: 'python',
  python3: 'python',
  ipython: 'python',
  sh: 'bash',
  shell: 'bash',
  console: 'bash',
  zsh: 'bash',
  js: 'javascript',
  ts: 'javascript',
  typescript: 'javascript',
  jsx: 'javascript',
  tsx: 'javascript'
};

const COMMENTS: Record<string, string> = { javascript: '//[^\\n]*|/\\*[\\s\\S]*?\\*/', sql: '--[^\\n]*', json: '(?!)' };
const STRING = `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|"(?:\\\\.|[^"\\\\\\n])*"?|'(?:\\\\.|[^'\\\\\\n])*'?|\`(?:\\\\.|[^\`\\\\])*\`?`;
const NUMBER = '\\b(?:0[xob][\\da-f_]+|\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)\\b';

const KINDS = ['comment', 'string', 'number', 'keyword'];
const MOST = 20_000; // characters; longer code stays plain

export type Token = { kind: string | null; text: string };

/** The code in pieces; kind null is plain. One piece for a language that is not known. */
export function tokens(code: string, language: string): Token[] {
  const name = ALIASES[language] ?? language;
  if (!Object.hasOwn(WORDS, name) || code.length > MOST) {
    return [{ kind: null, text: code }];
  }
  const comment = COMMENTS[name] ?? '#[^\\n]*';
  const words = `\\b(?:${WORDS[name].split(' ').join('|')})\\b`;
  const pattern = new RegExp(
    `(${comment})|(${STRING})|(${NUMBER})|(${words})`,
    name === 'sql' ? 'gi' : 'g'
  );
  const found: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    if (match.index > end) {
      found.push({ kind: null, text: code.slice(end, match.index) });
    }
    const kind = KINDS[match.slice(1).findIndex(group => group !== undefined)];
    found.push({ kind, text: match[0] });
    end = match.index + match[0].length;
  }
  if (end < code.length) {
    found.push({ kind: null, text: code.slice(end) });
  }
  return found;
}
