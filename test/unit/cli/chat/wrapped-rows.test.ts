import { describe, expect, it } from 'vitest';
import { countWrappedRows, lastRows } from '../../../../src/cli/chat/wrapped-rows.ts';

describe('wrapped rows', () => {
  it.each([
    ['', 10, 1],
    ['short', 10, 1],
    ['exactly10!', 10, 1],
    ['eleven char', 10, 2],
    ['日本語日本語', 10, 2],
    ['a\nb', 10, 2],
  ])('counts %j on %i columns as %i', (text, columns, rows) => {
    expect(countWrappedRows(text, columns)).toBe(rows);
  });

  it('keeps the end of a text that is too tall', () => {
    expect(lastRows('one\ntwo\nthree', 10, 2)).toBe('two\nthree');
    expect(lastRows('0123456789abcdefghij', 10, 1)).toBe('abcdefghij');
    expect(lastRows('anything', 10, 0)).toBe('');
  });

  it('never gives more rows than it may', () => {
    const text = Array.from({ length: 50 }, (_, index) => 'word '.repeat(index)).join('\n');
    for (const rows of [1, 3, 7]) expect(countWrappedRows(lastRows(text, 40, rows), 40)).toBeLessThanOrEqual(rows);
  });
});
