import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeJson } from '../../../src/text/safe-json.ts';
import { markInvisibleCharacters, safeLine, safeText } from '../../../src/text/sanitize.ts';

const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));

/** By hand, so that nothing here is right because the code has the same mistake. */
const hostile = {
  'C0 controls': range(0x00, 0x1f).filter((control) => control !== '\t' && control !== '\n'),
  'DEL and C1 controls': range(0x7f, 0x9f),
  'bidirectional marks': ['\u061c', ...range(0x200e, 0x200f), ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)],
  'zero widths': ['\u00ad', '\u034f', '\u180e', '\u200b', '\u2060', '\u2061', '\u2064', '\ufeff'],
  'separators of lines': ['\u2028', '\u2029'],
  'Hangul fillers': ['\u115f', '\u1160', '\u3164', '\uffa0'],
  'blank Braille': ['\u2800'],
  tags: range(0xe0020, 0xe007f),
  'other variation selectors': [...range(0xfe00, 0xfe0d), '\u{e0100}'],
  'private use': ['\ue000', '\u{f0000}'],
  'lone surrogates': ['\ud800', '\udbff', '\udc00', '\udfff'],
};
const characters = Object.values(hostile).flat();

/** Openings, with and without the end that some of them need. */
const openings = ['\u001b]', '\u001bP', '\u001b[', '\u001b_', '\u009d', '\u0090', '\u009b', '\u001b(', '\u001b'];
const endings = ['\u0007', '\u001b\\', '\u009c', 'm', '2J', ''];

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...characters),
      fc.constantFrom(...openings),
      fc.constantFrom(...endings),
      fc.constantFrom('\u200c', '\u200d', '\ufe0e', '\ufe0f', '\u20e3', '\r\n', '\r', '\n', '\t'),
      fc.constantFrom('\u0301', '\u0489', '\u093f', '\u05b4'),
      fc.constantFrom('a', '1', '#', 'ı', 'ſ', '\u212a', 'ﬁ', 'क', 'م', '👩', '❤', '👍🏽'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

const isShown = (shown: string) => characters.every((character) => !holds(shown, character));

function holds(shown: string, character: string): boolean {
  // Half of a pair is found in whole ones too.
  return character.isWellFormed() ? shown.includes(character) : !shown.isWellFormed();
}

describe('text from outside', () => {
  it.each(Object.entries(hostile))('has no %s', (_, each) => {
    for (const character of each) {
      const shown = safeText(`pay ${character}5${character}$`);
      expect(shown).not.toContain(character);
      // A line's end stays one; of half a character it is seen that something was there.
      expect(shown).toMatch(/^pay [\n\ufffd]?5[\n\ufffd]?\$$|^pay \$$|^pay $/);
    }
  });

  it.each([
    ['a screen wiped', '\u001b[2Jgone', 'gone'],
    ['a link', '\u001b]8;;http://evil\u0007link\u001b]8;;\u0007', 'link'],
    ['a link to its string terminator', '\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['a device control string', '\u001bPq#0;2;0;0;0\u001b\\sixel', 'sixel'],
    ['C1 forms', '\u009b31mred\u009d0;title\u009c', 'red'],
    ['another character set', '\u001b(0lines', 'lines'],
    ['a string without an end', '\u001b]0;nobody hides this', '0;nobody hides this'],
    ['a sequence without an end', '\u001b[31', '31'],
    ['numbers turned around', 'a\u202e5\u202c', 'a5'],
    ['an overwritten line', 'over\rwritten', 'over\nwritten'],
    ['lines of every kind', 'a\r\nb\u0085c\u2028d', 'a\nb\nc\nd'],
    ['tabs', 'tab\tstays', 'tab\tstays'],
    ['half a character', 'a\ud800', 'a\ufffd'],
    ['joiners that join nothing', 'A\u200dA\u200cP\u200dL', 'AAPL'],
    ['selectors that choose nothing', '1\ufe0f80\ufe0f', '180'],
    ['marks stacked over other lines', `a${'\u0301'.repeat(50)}b`, `a${'\u0301'.repeat(6)}b`],
  ])('%s', (_, given, shown) => {
    expect(safeText(given)).toBe(shown);
  });

  it.each([
    ['a family', '👩‍👩‍👧‍👦'],
    ['a flag of two', '🏳️‍🌈'],
    ['a skin tone', '👩🏽‍🚀'],
    ['a heart in color', '❤️'],
    ['a keycap', '1️⃣'],
    ['Persian', 'می‌خواهم'],
    ['Hindi', 'नमस्ते क्‍ष'],
    ['Sinhala', 'ශ්‍රී ලංකා'],
    ['Thai', 'ภาษาไทย'],
    ['Hebrew with its accents', 'בְּרֵאשִׁ֖ית'],
    ['Vietnamese, taken apart', 'Việt Nam'.normalize('NFD')],
    ['Korean', '한국어'],
    ['letters that fold into ASCII', 'Weiß, Işık, ſ'],
  ])('%s stays as it is', (_, given) => {
    expect(safeText(given)).toBe(given);
    expect(markInvisibleCharacters(given)).toBe(given);
    expect(safeJson(given)).toBe(`"${given}"`);
  });

  it('comes out with nothing hidden, on lines or on one, marked or in JSON, whatever it is', () => {
    fc.assert(
      fc.property(text, (given) => {
        const shown = safeText(given);
        const line = safeLine(given);
        expect(isShown(shown)).toBe(true);
        expect(shown).not.toMatch(/\p{M}{7}/u);
        expect(isShown(line)).toBe(true);
        expect(line).not.toMatch(/[\t\n]|^\s|\s$|\s\s/);
        expect(isShown(markInvisibleCharacters(given))).toBe(true);
        const json = safeJson({ given });
        expect(isShown(json)).toBe(true);
        expect(json).not.toMatch(/\p{M}{7}/u);
        expect(JSON.parse(json)).toEqual({ given });
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same when it is made fit a second time', () => {
    fc.assert(
      fc.property(text, (given) => {
        const shown = safeText(given);
        expect(safeText(shown)).toBe(shown);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a line', () => {
  it.each([
    ['lines', ' a\r\nb\tc ', 'a b c'],
    ['what is between words', 'a\u202eb\u2066c', 'abc'],
    ['a line separator', 'a\u2028b', 'a b'],
  ])('is one: %s', (_, given, line) => {
    expect(safeLine(given)).toBe(line);
  });

  it('is cut where it is too long, and no character in two', () => {
    expect(safeLine('abcdef', 4)).toBe('abc…');
    expect(safeLine('ab\u{1f600}def', 4)).toBe('ab…');
    expect(safeLine('👩‍👩‍👧', 5)).toBe('👩…');
  });

  it('keeps to its length, whatever it is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 20 }), (given, longest) => {
        const line = safeLine(given, longest);
        expect(line.length).toBeLessThanOrEqual(longest);
        expect(line.isWellFormed()).toBe(true);
      }),
    );
  });
});

it('what a person decides by has a mark where something was hidden', () => {
  expect(markInvisibleCharacters('a\u202eb')).toBe('a\ufffdb');
  expect(markInvisibleCharacters('1\n2\t3')).toBe('1\ufffd2\ufffd3');
  expect(markInvisibleCharacters('\u3164')).toBe('\ufffd');
});

describe('a text sixteen times as long takes no longer than sixteen short ones, where it is full of', () => {
  const KIB = 1024;
  const timed = (work: () => unknown): number => {
    const before = performance.now();
    work();
    return performance.now() - before;
  };
  /**
   * 1 where it is linear, 16 where it is quadratic. Both are timed in turn, and the best of each counts: what else the
   * machine does can only add to it. Where that is plain it ends early.
   */
  const growth = (make: (text: string) => unknown, of: (length: number) => string): number => {
    const [short, long] = [of(8 * KIB), of(128 * KIB)];
    let [sixteen, one] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let tries = 0; tries < 3 || (tries < 15 && one / sixteen > 3); tries++) {
      const shorts = timed(() => {
        for (let times = 0; times < 16; times++) make(short);
      });
      const whole = timed(() => make(long));
      [sixteen, one] = [Math.min(sixteen, shorts), Math.min(one, whole)];
    }
    return one / sixteen;
  };

  it.each([
    '\u001b]',
    '\u001b]a',
    '\u001bP',
    '\u001b[',
    '\u001b[1;',
    '\u001b[ ',
    '\u001b ',
    '\u009d',
    '\u009dab',
    '\u009b',
    '\u200d',
    '👩\u200d',
    'क\u200d',
    '\ufe0f',
    '#\ufe0f',
    'a\u0301',
    '\u0301',
    '\r',
    ' ',
    ' \n',
  ])('%j', (unit) => {
    const of = (length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
    for (const make of [(given: string) => safeLine(given, 80), markInvisibleCharacters, safeJson]) {
      expect(growth(make, of)).toBeLessThan(6);
    }
  });

  it.each([
    ['a string without an end', '\u001b]'],
    ['a sequence of endless parameters', '\u001b['],
  ])('%s', (_, opening) => {
    expect(growth(safeText, (length) => opening + '1'.repeat(length))).toBeLessThan(6);
  });
});
