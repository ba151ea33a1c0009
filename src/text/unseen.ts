/*
 * The one set of characters that show as nothing, or make what stands around them show as something else. What a person
 * approves may have none of them; whoever shows text from outside takes them out (text/shown-text.ts).
 */

/*
 * V8 reads the tables of Unicode for a pattern when it is made, and again when it is first used: as long as a start's
 * schemas take. So these are made when they are asked for, and text in printable ASCII is never held against them.
 */

/** Nothing in it hides, or changes its neighbors. */
const plain = /^[\x20-\x7e]*$/;

/**
 * Controls, bidirectional marks, zero widths and tags, halves of surrogate pairs, private use, separators of lines that
 * no terminal breaks; the Hangul fillers and the other characters that Unicode has no glyph for
 * (Default_Ignorable_Code_Point, UAX #44); the blank Braille pattern. Not the two variation selectors that choose between
 * a sign's drawing and its picture.
 */
export const unseen = () =>
  /(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Marks beyond the sixth on one letter. Hebrew with its accents has four, Tibetan six; more only run into other lines. */
export const surplusMark = () => /(?<=\p{M}{6})\p{M}/u;

/** Whether a person would not see all of the text as it is. */
export function hasUnseen(text: string): boolean {
  return !plain.test(text) && (unseen().test(text) || surplusMark().test(text));
}

/** At most `longest` printable ASCII characters; `instead` replaces each other one. */
export function printableAscii(text: string, longest: number, instead = '?'): string {
  return text
    .replace(/[^\x20-\x7e]/g, instead)
    .trim()
    .slice(0, longest);
}
