import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CorporateAction } from '../../../src/sandbox/market/corporate-action.ts';
import { actionEntries } from '../../../src/sandbox/paper-broker/books/bookkeeping.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import { always, alwaysIn } from '../../fixtures/always.ts';

const decimal = (least: number, most: number, decimals: number) =>
  fc.integer({ min: least, max: most }).map((value) => new Dec(value).div(10 ** decimals));
const rate = decimal(1, 50_000, 3).map((value) => value.toFixed());
const on = '2026-11-25';

const action: fc.Arbitrary<CorporateAction> = fc.record({ a: rate, b: rate, cash: rate }).chain(({ a, b, cash }) =>
  fc.constantFrom<CorporateAction>(
    { kind: 'forward_split', symbol: 'A', new_rate: a, old_rate: b, ex_date: on },
    { kind: 'reverse_split', symbol: 'A', new_rate: a, old_rate: b, ex_date: on },
    { kind: 'name_change', old_symbol: 'A', new_symbol: 'B', process_date: on },
    { kind: 'spin_off', source_symbol: 'A', source_rate: a, new_symbol: 'B', new_rate: b, ex_date: on },
    { kind: 'cash_merger', acquiree_symbol: 'A', rate: cash, effective_date: on },
    {
      ...{ kind: 'stock_merger', acquiree_symbol: 'A', acquiree_rate: a, acquirer_symbol: 'B' },
      ...{ acquirer_rate: b, effective_date: on },
    } as CorporateAction,
    {
      ...{ kind: 'stock_and_cash_merger', acquiree_symbol: 'A', acquiree_rate: a, acquirer_symbol: 'B' },
      ...{ acquirer_rate: b, cash_rate: cash, effective_date: on },
    } as CorporateAction,
  ),
);

describe('what a corporate action books', () => {
  it('loses no cost and makes none, whatever is held or owed and at whatever rates', () => {
    const kinds = new Set<string>();
    alwaysIn(500)(
      action,
      decimal(1, 10 ** 9, 6),
      decimal(1, 10 ** 9, 2),
      decimal(1, 10 ** 6, 2),
      fc.constantFrom(1, -1),
      (announced, qty, cost, price, sign) => {
        const held = { qty: qty.times(sign), cost: cost.times(sign) };
        const entries = actionEntries(announced, {
          account_id: 'account',
          holding: held,
          entitled: held.qty,
          worth: () => price,
        });
        kinds.add(announced.kind);
        const sum = (of: 'cost' | 'amount') => entries.reduce((total, entry) => total.plus(entry[of] ?? 0), new Dec(0));
        expect(new Set(entries.map(({ group_id }) => group_id)).size).toBe(1);
        if (announced.kind === 'cash_merger') {
          // A sale: all of the cost is gone.
          expect(sum('cost').eq(held.cost.neg())).toBe(true);
          expect(sum('amount').eq(held.qty.times(announced.rate).toDecimalPlaces(2))).toBe(true);
        } else if (announced.kind === 'stock_and_cash_merger') {
          // Cost that went is cash that was no gain: never more than came, never less than nothing.
          const gone = sum('cost').neg().times(sign);
          expect(gone.gte(0) && gone.lte(sum('amount').times(sign))).toBe(true);
        } else {
          expect(sum('cost').isZero()).toBe(true);
          expect(sum('amount').isZero()).toBe(true);
        }
      },
    );
    expect(kinds.size).toBe(7);
  });

  it('is nothing for whoever holds nothing', () => {
    const nobody = { account_id: 'a', holding: { qty: new Dec(0), cost: new Dec(0) }, entitled: new Dec(0) };
    always(action, (announced) => {
      expect(actionEntries(announced, { ...nobody, worth: () => new Dec(1) })).toEqual([]);
    });
  });
});
