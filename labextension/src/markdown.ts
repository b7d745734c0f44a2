/** Markdown of an untrusted model to HTML that can neither run, load nor lead anywhere by itself. */

import { Marked, TokenizerAndRendererExtension } from 'marked';

import { tokens } from './highlight';
import { printable } from './printable';
import { ITrans } from './translation';

/** Elements that are kept; any other is unwrapped to its text. */
const ALLOWED = new Set(
  'a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre span strong table tbody td th thead tr ul'
    .toUpperCase()
    .split(' ')
);

/** Attributes without power; `align` is of table cells, `class` is checked. */
const KEPT_ATTRIBUTES = new Set(['align', 'class', 'start', 'title']);

/** A formula, or the language of a code block; no class of the page's. */
const KEPT_CLASS = /^(jp-jido-math|language-[\w+#.-]+)$/;

/** Dollars are a formula when they hug it and no digit follows: "$5 and $10" is money. */
const FORMULA = /^(?:\$\$[^$]+?\$\$|\\\[[\s\S]+?\\\]|\\\([\s\S]+?\\\)|\$(?!\s)(?:\\.|[^$\\\n])+?(?<!\s)\$(?!\d))/;

const FORMULA_BLOCK = /^(?:\$\$[^$]+\$\$|\\\[[\s\S]+?\\\])(?=[^\S\n]*(?:\n|$))/;

/** Made anew for each text: it takes microseconds, and the words in it depend on the reader. */
function markedIn(trans: ITrans): Marked {
  return new Marked({
    async: false,
    gfm: true,
    renderer: {
      html: ({ text }) => escape(text),
      image: ({ href, text }) =>
        `<a href="${escape(href)}">${escape(trans.__('Image: %1', text || trans.__('untitled')))}</a>`,
      checkbox: ({ checked }) => (checked ? '☑ ' : '☐ ')
    },
    extensions: [formula('block', /\n(?:\$\$|\\\[)/, FORMULA_BLOCK), formula('inline', /\$|\\[([]/, FORMULA)]
  });
}

/** Formulas keep their source as it is: Markdown would read underscores and backslashes in it. */
function formula(level: 'block' | 'inline', start: RegExp, pattern: RegExp): TokenizerAndRendererExtension {
  return {
    name: `${level}Formula`,
    level,
    start: source => source.match(start)?.index,
    tokenizer: source => {
      const raw = pattern.exec(source)?.[0];
      return raw === undefined ? undefined : { type: `${level}Formula`, raw };
    },
    renderer: ({ raw }) => {
      const span = `<span class="jp-jido-math">${escape(raw)}</span>`;
      return level === 'block' ? `<p>${span}</p>` : span;
    }
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
}

/**
 * Render `source` to an HTML string.
 *
 * Raw HTML comes out as text. Links keep http, https and mailto addresses only and open apart from
 * the page. Pictures become links: an address in an answer must not be called unasked, for it can
 * carry the conversation away. Code blocks get our own buttons, formulas keep their source.
 */
export function renderMarkdown(source: string, trans: ITrans): string {
  const html = markedIn(trans).parse(source) as string;
  // A parsed document is inert: nothing in it is loaded or run.
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  for (const element of [...body.querySelectorAll('*')]) {
    restrict(element);
  }
  const texts = body.ownerDocument.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode as Text;
    text.data = printable(text.data); // here, where references such as &#8238; are read already
  }
  for (const block of body.querySelectorAll('pre')) {
    dress(block, trans);
  }
  return body.innerHTML;
}

function restrict(element: Element): void {
  if (!ALLOWED.has(element.tagName)) {
    element.replaceWith(...element.childNodes);
    return;
  }
  const href = element.getAttribute('href');
  for (const { name, value } of [...element.attributes]) {
    if (!KEPT_ATTRIBUTES.has(name) || (name === 'class' && !KEPT_CLASS.test(value))) {
      element.removeAttribute(name);
    } else if (name === 'title') {
      element.setAttribute(name, printable(value));
    }
  }
  if (element.tagName === 'A' && href !== null && /^(https?:\/\/|mailto:)/i.test(href)) {
    element.setAttribute('href', href);
    element.setAttribute('rel', 'noopener noreferrer');
    element.setAttribute('target', '_blank');
  }
}

/** Colours and buttons for a code block; what they do is decided where the click arrives. */
function dress(block: HTMLElement, trans: ITrans): void {
  block.setAttribute('tabindex', '0'); // long lines are scrolled by keys, too
  const page = block.ownerDocument;
  const code = block.querySelector('code') ?? block;
  const language = code.className.replace('language-', '').toLowerCase();
  const pieces = tokens(code.textContent ?? '', language).map(({ kind, text }) => {
    if (kind === null) {
      return text;
    }
    const span = page.createElement('span');
    span.className = `jp-jido-code-${kind}`;
    span.textContent = text;
    return span;
  });
  code.replaceChildren(...pieces);
  const bar = page.createElement('div');
  bar.className = 'jp-jido-code-bar';
  const label = page.createElement('span');
  label.textContent = language;
  bar.append(label, button(page, 'copy', trans.__('Copy')), button(page, 'insert', trans.__('Insert as cell')));
  const frame = page.createElement('div');
  frame.className = 'jp-jido-code';
  block.replaceWith(frame);
  frame.append(bar, block);
}

function button(page: Document, act: string, label: string): HTMLElement {
  const made = page.createElement('button');
  made.type = 'button';
  made.className = 'jp-jido-code-button';
  made.dataset.jidoAct = act;
  made.textContent = label;
  return made;
}
