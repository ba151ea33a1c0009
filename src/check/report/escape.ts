import { safeLine } from '../../text/shown-text.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML, inside elements and quoted attributes alike. On one line, without what a reader can't see. */
export function escapeHtml(text: string): string {
  return safeLine(text).replace(/[&<>"']/g, (character) => entities[character] as string);
}

/**
 * Text for Markdown inside a list item or a table's cell: nothing in it is markup, HTML or a link. Only what could be
 * is escaped, so that it stays readable unrendered.
 */
export function escapeMarkdown(text: string): string {
  return safeLine(text)
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('://', ':\\/\\/')
    .replace(/^([-+#]|\d+[.)])/, (mark) => `${mark.slice(0, -1)}\\${mark.slice(-1)}`);
}
