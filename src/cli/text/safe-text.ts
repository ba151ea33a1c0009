import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls except tab and line feed; bidirectional overrides and isolates.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

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
