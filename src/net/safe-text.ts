import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls except tab and line feed; bidirectional marks, overrides and isolates; what has no width, except the
// joiners that emoji and some scripts need; separators of lines that a terminal does not break.
const controls =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/g;

/**
 * Text from outside (a model, a broker, a server) made safe for a terminal. Escape sequences could redraw the screen
 * and show another order than the one to approve; bidirectional overrides could turn a number around.
 */
export function safeText(text: string): string {
  return stripVTControlCharacters(text.replace(/\r\n?/g, '\n')).replace(controls, '');
}

/** As {@link safeText}, on one line. */
export function safeLine(text: string): string {
  return safeText(text).replace(/\s+/g, ' ').trim();
}
