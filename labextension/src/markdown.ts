/** Markdown of an untrusted model to HTML that can neither run, load nor lead anywhere by itself. */

import { micromark } from 'micromark';
import { gfmAutolinkLiteral, gfmAutolinkLiteralHtml } from 'micromark-extension-gfm-autolink-literal';
import { gfmStrikethrough, gfmStrikethroughHtml } from 'micromark-extension-gfm-strikethrough';
import { gfmTable, gfmTableHtml } from 'micromark-extension-gfm-table';

const EXTENSIONS = {
  extensions: [gfmAutolinkLiteral(), gfmStrikethrough(), gfmTable()],
  htmlExtensions: [gfmAutolinkLiteralHtml(), gfmStrikethroughHtml(), gfmTableHtml()]
};

/** Elements micromark writes for the syntax above; a name missing here is unwrapped to its text. */
const ALLOWED = new Set(
  'a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre strong table tbody td th thead tr ul'
    .toUpperCase()
    .split(' ')
);

/** Attributes without power; `align` is of table cells, `class` names a code block's language. */
const KEPT_ATTRIBUTES = new Set(['align', 'class', 'start', 'title']);

/**
 * Render `source` to an HTML string.
 *
 * Raw HTML comes out as text. Links keep http, https and mailto addresses only and open apart from
 * the page. Pictures become links: an address in an answer must not be called unasked, for it can
 * carry the conversation away.
 */
export function renderMarkdown(source: string): string {
  const html = micromark(source, EXTENSIONS);
  // A parsed document is inert: nothing in it is loaded or run.
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  for (const image of body.querySelectorAll('img')) {
    image.replaceWith(pictureLink(image));
  }
  for (const element of [...body.querySelectorAll('*')]) {
    restrict(element);
  }
  return body.innerHTML;
}

function pictureLink(image: HTMLImageElement): HTMLElement {
  const link = image.ownerDocument.createElement('a');
  link.setAttribute('href', image.getAttribute('src') ?? '');
  link.textContent = `Image: ${image.alt || 'untitled'}`;
  return link;
}

function restrict(element: Element): void {
  if (!ALLOWED.has(element.tagName)) {
    element.replaceWith(...element.childNodes);
    return;
  }
  const href = element.getAttribute('href');
  for (const { name } of [...element.attributes]) {
    if (!KEPT_ATTRIBUTES.has(name)) {
      element.removeAttribute(name);
    }
  }
  if (element.tagName === 'A' && href !== null && /^(https?:\/\/|mailto:)/i.test(href)) {
    element.setAttribute('href', href);
    element.setAttribute('rel', 'noopener noreferrer');
    element.setAttribute('target', '_blank');
  }
}
