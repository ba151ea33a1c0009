const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
const scales: Readonly<Record<string, number>> = { hundred: 100, thousand: 1_000 };

/** Returns the value of `five` or `thirty`, or undefined for other words. */
function parseNumberWord(word: string): number | undefined {
  const one = small.indexOf(word);
  if (one > 0) return one;
  const ten = tens.indexOf(word);
  return ten < 0 ? undefined : (ten + 2) * 10;
}

function isNumberWord(word: string): boolean {
  return word in scales || word.split('-').every((part) => parseNumberWord(part) !== undefined);
}

/**
 * Parses a spelled-out number below a million from the start of `words`: `twenty-five`, `two hundred fifty`, `a
 * hundred`.
 * @param words in lower case
 * @returns the value and the number of words read; undefined if the words start with no valid number ("five six")
 */
export function parseNumberWords(
  words: readonly string[],
): { readonly value: string; readonly count: number } | undefined {
  return parseDozens(words) ?? parseSum(words);
}

function parseSum(words: readonly string[]): { readonly value: string; readonly count: number } | undefined {
  // "a grand" is a number because of its unit.
  if (words[0] === 'a' && words[1] === 'grand') return { value: '1', count: 1 };
  const isOne = /^an?$/.test(words[0] ?? '') && (words[1] ?? '') in scales;
  let count = isOne ? 1 : 0;
  while (count < words.length && (isNumberWord(words[count] ?? '') || isAnd(words, count))) count += 1;
  if (count === 0) return undefined;
  const parts = [...(isOne ? ['one'] : []), ...words.slice(isOne ? 1 : 0, count)]
    .filter((word) => word !== 'and')
    .flatMap((word) => word.split('-'));
  const value = parseScale(parts, 'thousand', (rest) => parseScale(rest, 'hundred', parseBelowHundred));
  return value === undefined || value === 0 ? undefined : { value: String(value), count };
}

/** Returns whether the word is an "and" within a number, as in "one hundred and five". */
const isAnd = (words: readonly string[], at: number) =>
  words[at] === 'and' &&
  (words[at - 1] ?? '') in scales &&
  at > 1 &&
  isNumberWord(words[at + 1] ?? '') &&
  !((words[at + 1] ?? '') in scales);

const DOZEN = 12;

/** Parses "a dozen", "two dozen" and "half a dozen". */
function parseDozens(words: readonly string[]): { readonly value: string; readonly count: number } | undefined {
  const at = words.slice(0, 3).findIndex((word) => /^dozens?$/.test(word));
  if (at < 0) return undefined;
  const before = words.slice(0, at).join(' ');
  const many = before === 'half a' || before === 'half' ? 0.5 : /^(?:an?|)$/.test(before) ? 1 : parseNumberWord(before);
  return many === undefined ? undefined : { value: String(many * DOZEN), count: at + 1 };
}

/**
 * Parses the parts before and after a scale word: in "two hundred fifty", the multiple "two" and the remainder "fifty".
 */
function parseScale(
  parts: readonly string[],
  scale: string,
  read: (parts: readonly string[]) => number | undefined,
): number | undefined {
  const at = parts.indexOf(scale);
  if (at < 0) return read(parts);
  const many = read(parts.slice(0, at));
  const rest = at === parts.length - 1 ? 0 : read(parts.slice(at + 1));
  return many === undefined || rest === undefined || rest >= (scales[scale] ?? 0)
    ? undefined
    : many * (scales[scale] ?? 0) + rest;
}

function parseBelowHundred(parts: readonly string[]): number | undefined {
  const [first = '', second] = parts;
  const one = parseNumberWord(first);
  if (one === undefined || parts.length > 2) return undefined;
  if (second === undefined) return one;
  const two = parseNumberWord(second);
  return one >= 20 && two !== undefined && two < 10 ? one + two : undefined;
}

/**
 * Parses a number in Chinese characters: `二百五十`, `三万`.
 * @param numerals values of single characters; values from ten multiply the preceding number
 * @returns undefined for an ambiguous number: `二三` means "two or three", and `一百五` may mean 105 or 150
 */
export function parseNumerals(word: string, numerals: Readonly<Record<string, number>>): string | undefined {
  const values = [...word].map((one) => (Object.hasOwn(numerals, one) ? numerals[one] : undefined));
  const known = values.filter((one) => one !== undefined);
  const value = known.length === 0 || known.length < values.length ? undefined : sumOf(known, 100_000_000);
  return value === undefined || value === 0 ? undefined : String(value);
}

/** Adds up the scales of a number below `bound`. Each scale (10, 100, …) is multiplied by the number before it. */
function sumOf(values: readonly number[], bound: number): number | undefined {
  const largest = Math.max(...values);
  if (largest < 10) {
    const digits = values[0] === 0 && values.length > 1 ? values.slice(1) : values;
    return digits.length === 1 ? digits[0] : undefined;
  }
  const at = values.indexOf(largest);
  const [before, after] = [values.slice(0, at), values.slice(at + 1)];
  const isShort = after.length === 1 && largest >= 100;
  if (largest >= bound || isShort || (before.length === 0 && largest >= 10_000)) return undefined;
  const many = before.length === 0 ? 1 : sumOf(before, largest);
  const rest = after.length === 0 ? 0 : sumOf(after, largest);
  return many === undefined || many === 0 || rest === undefined ? undefined : many * largest + rest;
}
