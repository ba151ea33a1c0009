// What a terminal heeds or does not show, and JSON.stringify leaves as it is: DEL and C1 controls, bidirectional marks,
// zero widths, line and paragraph separators. In JSON they can stand in strings alone.
const unseen = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * JSON in which every character that could redraw a terminal, or turn a number around, is an escape. It parses to the
 * same value as `JSON.stringify` makes.
 */
export function safeJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(unseen, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
