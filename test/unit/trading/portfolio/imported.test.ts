import { expect, it } from 'vitest';
import type { Activity } from '../../../../src/trading/activity.ts';
import { mergeImportedActivities } from '../../../../src/trading/portfolio/imported.ts';

const row = (id: string, at: string, imported?: true): Activity => ({
  ...{ id, at, kind: 'deposit', type: 'CSD', symbol: null, side: null, qty: null, price: null, amount: '1' },
  ...(imported === undefined ? {} : { imported }),
});
const ids = (all: readonly Activity[]) => all.map(({ id }) => id).join('');

it('what was imported counts before the first day that the broker tells of, and no trade is there twice', () => {
  const broker = [row('x', '2026-03-02T14:00:00Z'), row('y', '2026-04-02T14:00:00Z')];
  const own = [
    row('c', '2026-03-02T05:00:00Z', true),
    row('b', '2026-03-02T04:59:59Z', true),
    row('d', '2026-03-15T05:00:00Z', true),
    row('a', '2020-01-02T05:00:00Z', true),
  ];
  expect(ids(mergeImportedActivities(broker, own))).toBe('abxy');
  expect(ids(mergeImportedActivities([], own))).toBe('abcd');
  expect(mergeImportedActivities(broker, [])).toBe(broker);
});
