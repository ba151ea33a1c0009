/**
 * A binding message for a provider that takes no spaces: `BUY_5_AAPL_LMT_180.00_K7QP`. What is too long loses its
 * middle, never the code at its end, by which the person tells requests apart.
 * @param allowed matches one character the provider takes; others become `_`, or `.` where that isn't taken either
 */
export function fittingMessage(message: string, allowed: RegExp, longest: number): string {
  const filler = allowed.test('_') ? '_' : '.';
  const text = [...message].map((character) => (allowed.test(character) ? character : filler)).join('');
  if (text.length <= longest) return text;
  const code = text.slice(text.lastIndexOf(filler));
  return `${text.slice(0, longest - code.length)}${code}`;
}
