/*
 * The only definition of characters that are invisible or change how their neighbors look. Text that a person approves
 * may contain none of them, and outside text is displayed without them (text/sanitize.ts).
 */

/*
 * V8 reads its Unicode tables when a pattern with Unicode classes is built and again when the pattern is first used,
 * which takes as long as building all schemas at startup. Such patterns are therefore built on demand, and text in
 * printable ASCII never needs them.
 */

/** Matches printable ASCII, in which no character is invisible or changes its neighbors. */
const plainPattern = /^[\x20-\x7e]*$/;

/**
 * Matches control characters, bidirectional marks, zero-width characters and tags, lone surrogates, private use,
 * separators at which no terminal breaks lines, the Hangul fillers and the other characters for which Unicode has no
 * glyph (Default_Ignorable_Code_Point, UAX #44), and the blank Braille pattern. Does not match the two variation
 * selectors that choose between the text and the emoji form of a character.
 */
export const invisiblePattern = () =>
  /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * Matches each combining mark after the sixth on one letter. Accented Hebrew needs four marks and Tibetan six; any
 * more would only overlap other lines of text.
 */
export const surplusMarkPattern = () => /(?<=\p{M}{6})\p{M}/u;

export function hasInvisibleCharacters(text: string): boolean {
  return !plainPattern.test(text) && (invisiblePattern().test(text) || surplusMarkPattern().test(text));
}

/** Returns at most `longest` characters of the text, with all but printable ASCII replaced by `instead`. */
export function printableAscii(text: string, longest: number, instead = '?'): string {
  return text
    .replace(/[^\x20-\x7e]/g, instead)
    .trim()
    .slice(0, longest);
}
