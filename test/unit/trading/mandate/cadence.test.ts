import { describe, expect, it } from 'vitest';
import { currentSlot, describeSlot, slotPattern } from '../../../../src/trading/mandate/cadence.ts';

const at = (instant: string) => Date.parse(instant);

describe('a slot goes by New York’s date', () => {
  it.each([
    ['daily', '2026-11-25T04:59:59Z', '2026-11-24'],
    ['daily', '2026-11-25T05:00:00Z', '2026-11-25'],
    // In summer the day turns an hour earlier by UTC.
    ['daily', '2026-07-01T03:59:59Z', '2026-06-30'],
    ['daily', '2026-07-01T04:00:00Z', '2026-07-01'],
    // The hour that comes twice, and the one that is left out.
    ['daily', '2026-11-01T06:30:00Z', '2026-11-01'],
    ['daily', '2026-03-08T07:00:00Z', '2026-03-08'],
    ['weekly', '2026-11-25T15:00:00Z', '2026-W48'],
    ['weekly', '2026-11-30T04:59:59Z', '2026-W48'],
    ['weekly', '2026-11-30T05:00:00Z', '2026-W49'],
    // A week belongs to the year of its Thursday.
    ['weekly', '2027-01-03T15:00:00Z', '2026-W53'],
    ['weekly', '2027-01-04T15:00:00Z', '2027-W01'],
    ['weekly', '2024-12-30T15:00:00Z', '2025-W01'],
    ['monthly', '2026-12-01T04:59:59Z', '2026-11'],
    ['monthly', '2026-12-01T05:00:00Z', '2026-12'],
  ] as const)('%s at %s', (cadence, instant, slot) => {
    expect(currentSlot(cadence, at(instant))).toBe(slot);
    expect(slot).toMatch(slotPattern);
  });

  it('and there is none on demand', () => {
    expect(currentSlot('on_demand', at('2026-11-25T15:00:00Z'))).toBeUndefined();
  });
});

it.each([
  ['2026-11-25', 'Nov 25, 2026'],
  ['2026-W48', 'week of Nov 23, 2026'],
  ['2026-W53', 'week of Dec 28, 2026'],
  ['2027-W01', 'week of Jan 4, 2027'],
  ['2025-W01', 'week of Dec 30, 2024'],
  ['2026-11', 'Nov 2026'],
])('the slot %s is shown as %s', (slot, text) => {
  expect(describeSlot(slot)).toBe(text);
});
