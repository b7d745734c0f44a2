// @vitest-environment jsdom

import { describe, expect, it } from 'vitest';

import { renderMarkdown } from './markdown';
import { PLAIN } from './translation';

/** The frame and the buttons that a code block gets. */
const OURS = ['DIV', 'SPAN', 'BUTTON'];

/** What the page would hold, found by a second parse. */
function page(source: string): HTMLElement {
  const { body } = new DOMParser().parseFromString(renderMarkdown(source, PLAIN), 'text/html');
  return body;
}

describe('renderMarkdown', () => {
  it('writes headings, emphasis, lists, code and tables', () => {
    const body = page('# T\n\n**b** ~~s~~\n\n- one\n\n```python\nx < 1\n```\n\n|a|\n|-|\n|1|');

    expect(body.querySelector('h1')?.textContent).toBe('T');
    expect(body.querySelector('strong')?.textContent).toBe('b');
    expect(body.querySelector('del')?.textContent).toBe('s');
    expect(body.querySelector('li')?.textContent).toBe('one');
    expect(body.querySelector('pre code.language-python')?.textContent).toBe('x < 1\n');
    expect(body.querySelector('td')?.textContent).toBe('1');
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'text <svg onload=alert(1)> text',
    '<iframe src="https://evil.example"></iframe>',
    '<style>*{display:none}</style>',
    '<form action="https://evil.example"><input name=a></form>',
    '<!-- --><base href="https://evil.example">',
    '```"><img src=x onerror=alert(1)>\ncode\n```',
    '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>'
  ])('shows raw HTML as text: %s', source => {
    const body = page(source);

    const names = new Set([...body.querySelectorAll('*')].map(({ tagName }) => tagName));
    expect([...names].filter(name => !['P', 'PRE', 'CODE', ...OURS].includes(name))).toEqual([]);
    expect([...body.querySelectorAll('*')].flatMap(e => e.getAttributeNames())).not.toContain('onerror');
  });

  it.each([
    '[a](javascript:alert(1))',
    '[a](JaVaScRiPt:alert(1))',
    '[a](java\nscript:alert(1))',
    '[a](&#106;avascript:alert(1))',
    '[a](<\u0001javascript:alert(1)>)',
    '[a](vbscript:x)',
    '[a](data:text/html,<script>alert(1)</script>)',
    '<javascript:alert(1)>',
    '[a](file:///etc/passwd)',
    '[a](/api/shutdown)',
    '[a](//evil.example)',
    '[a]: javascript:alert(1)\n\n[a]',
    '![a](javascript:alert(1))'
  ])('leads nowhere: %s', source => {
    expect(page(source).querySelector('[href]')).toBeNull();
  });

  it.each(['[a](https://x.example/?q=1&r=2)', 'https://x.example/', '[a](mailto:a@x.example)'])(
    'opens apart from the page: %s',
    source => {
      const link = page(source).querySelector('a[href]');

      expect(link?.getAttribute('rel')).toBe('noopener noreferrer');
      expect(link?.getAttribute('target')).toBe('_blank');
    }
  );

  it('loads no picture, but says where it is', () => {
    const body = page('![chart "x"](https://evil.example/?leak=1)');

    expect(body.querySelector('img')).toBeNull();
    expect(body.querySelector('a')?.textContent).toBe('Image: chart "x"');
    expect(body.querySelector('a')?.getAttribute('href')).toBe('https://evil.example/?leak=1');
  });

  it('lets no attribute out of a title', () => {
    const link = page(`[a](https://x.example '" onmouseover="alert(1)')`).querySelector('a');

    expect(link?.getAttributeNames().sort()).toEqual(['href', 'rel', 'target', 'title']);
  });

  it('keeps the source of formulas, and money', () => {
    const body = page('Let $a_1*b_2*c$ be, then\n\n$$\nx_1 = \\frac{a}{b}\n$$\n\nand \\(y_i\\); it costs $5 and $10.');

    expect([...body.querySelectorAll('.jp-jido-math')].map(found => found.textContent)).toEqual([
      '$a_1*b_2*c$',
      '$$\nx_1 = \\frac{a}{b}\n$$',
      '\\(y_i\\)'
    ]);
    expect(body.textContent).toContain('$5 and $10.');
  });

  it('gives a code block colours and buttons', () => {
    const body = page('```python\nfor x in "abc":  # each\n    print(1)\n```');

    const colours = [...body.querySelectorAll('pre span')].map(span => `${span.className} ${span.textContent}`);
    expect(colours).toEqual([
      'jp-jido-code-keyword for',
      'jp-jido-code-keyword in',
      'jp-jido-code-string "abc"',
      'jp-jido-code-comment # each',
      'jp-jido-code-number 1'
    ]);
    expect([...body.querySelectorAll('button')].map(button => button.dataset.jidoAct)).toEqual(['copy', 'insert']);
  });

  it('has words of ours in the language of the reader, as text', () => {
    const quoting = { ...PLAIN, __: (text: string, ...values: unknown[]) => `<b>${PLAIN.__(text, ...values)}</b>` };
    const html = renderMarkdown('![](https://x.example/a.png)\n\n```\nx\n```', quoting);

    const { body } = new DOMParser().parseFromString(html, 'text/html');
    expect([...body.querySelectorAll('a, button')].map(({ textContent }) => textContent)).toEqual([
      '<b>Image: <b>untitled</b></b>',
      '<b>Copy</b>',
      '<b>Insert as cell</b>'
    ]);
  });

  it.each([
    '<button data-jido-act="insert">x</button>',
    '<span class="jp-jido-math">x</span>',
    '```jp-jido-math\nx\n```'
  ])('lets nobody else have what is ours: %s', source => {
    const body = page(source);

    expect(body.querySelector('.jp-jido-math')).toBeNull();
    expect([...body.querySelectorAll('button')].every(button => button.closest('.jp-jido-code'))).toBe(true);
  });

  it('shows formulas as text, whatever stands in them', () => {
    const body = page('$<img src=x onerror=alert(1)>$ $$<script>alert(1)</script>$$');

    expect(body.querySelector('img, script')).toBeNull();
  });

  it('takes no time over what no expression should be let loose on', () => {
    const quotes = `${'"'.repeat(5000)}${"'".repeat(5000)}`;
    const started = performance.now();

    page(`\`\`\`python\n${quotes}\n\`\`\`\n\n${'$'.repeat(20_000)}${'*'.repeat(5000)}`);

    expect(performance.now() - started).toBeLessThan(2000);
  });
});
