import { expect, it } from 'vitest';
import { oneLine, plainText } from '../../../src/net/one-line.ts';

it.each([
  ['escape sequences', '\u001b[31mno\u001b[0m', 'no'],
  ['C1 controls', 'a\u0085b', 'a b'],
  ['what turns text around', 'a\u202eb\u2066c', 'a b c'],
  ['lines', ' a\r\nb\tc ', 'a b c'],
  ['half a character', 'a\ud800', 'a\ufffd'],
])('%s are gone from one line', (_, text, line) => {
  expect(oneLine(text, 80)).toBe(line);
});

it('a long line is cut, and no character in two', () => {
  expect(oneLine('abcdef', 4)).toBe('abc…');
  expect(oneLine('ab\u{1f600}def', 4)).toBe('ab…');
});

it('plain text keeps its lines', () => {
  expect(plainText('a\r\nb')).toBe('a\nb');
});
