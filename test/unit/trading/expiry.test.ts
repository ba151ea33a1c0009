import { describe, expect, it } from 'vitest';
import { expiryPattern, expiryRange, matchesExpiry } from '../../../src/trading/expiry.ts';

describe('a day or month of expiry', () => {
  it.each([
    ['2026-12-18', '2026-12-18', '2026-12-18'],
    ['2027-02', '2027-02-01', '2027-02-28'],
    ['2028-02', '2028-02-01', '2028-02-29'],
    ['12-18', '2026-12-18', '2026-12-18'],
    // Today's has not gone by; yesterday's is next year's.
    ['11-26', '2026-11-26', '2026-11-26'],
    ['11-25', '2027-11-25', '2027-11-25'],
    ['11', '2026-11-01', '2026-11-30'],
    ['10', '2027-10-01', '2027-10-31'],
    // The third Friday, or the day before it if it is a holiday.
    ['01-third', '2027-01-14', '2027-01-15'],
    ['2027-02-third', '2027-02-18', '2027-02-19'],
    ['01-last', '2027-01-01', '2027-01-31'],
    ['this-month-last', '2026-11-01', '2026-11-30'],
    ['next-month', '2026-12-01', '2026-12-31'],
    ['next-month-third', '2026-12-17', '2026-12-18'],
    ['friday', '2026-11-26', '2026-11-27'],
    ['second-friday', '2026-12-03', '2026-12-04'],
  ])('%s is from %s to %s', (said, from, to) => {
    expect(expiryPattern.test(said)).toBe(true);
    expect(expiryRange(said, '2026-11-26')).toEqual({ from, to });
  });

  it.each(['13', '12-32', '26-12-18', '2026', 'Dec 18', '1', 'third', 'next-friday'])('is not %s', (said) => {
    expect(expiryPattern.test(said)).toBe(false);
  });

  it.each([
    ['2026-12-18', '2026-12-18', true],
    ['2026-12-18', '12-18', true],
    ['2026-12-18', '12', true],
    ['2026-12-18', '2026-12', true],
    ['2027-12-18', '2026-12-18', false],
    ['2027-12-18', '2026-12', false],
    ['2026-12-18', '12-1', false],
    ['2026-01-12', '12', false],
    ['2026-12-18', '12-third', true],
    ['2026-12-17', '12-third', true],
    ['2026-12-11', '12-third', false],
    ['2026-12-18', '11-third', false],
    ['2026-12-31', '12-last', true],
    ['2026-12-18', 'next-month-third', true],
    ['2026-12-25', 'next-month-third', false],
    ['2026-12-04', 'second-friday', true],
    ['2026-12-02', 'friday', false],
  ])('of %s said as %s: %s', (date, said, is) => {
    expect(matchesExpiry(date, said)).toBe(is);
  });
});
