import { safeLine } from '../../text/sanitize.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for elements and quoted attributes, as one line without invisible characters. */
export function escapeHtml(text: string): string {
  return safeLine(text).replace(/[&<>"']/g, (character) => entities[character] as string);
}

/**
 * Escapes text for a list item or table cell, so that it produces no markup, HTML or links, but is still readable as
 * source text.
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
