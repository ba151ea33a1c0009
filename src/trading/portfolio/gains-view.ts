import type { Activity } from '../activity.ts';
import { unitsOf } from '../asset-class.ts';
import { type Dec, plain } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import { type Gain, gainsOf, type Term, totalsOf } from './gains.ts';
import type { LotHistory } from './lot-history.ts';
import type { BookLot, LotMethod } from './lot-pool.ts';
import { longTermFrom } from './tax-lots.ts';

const terms = ['short', 'long'] as const satisfies readonly Term[];

const NOTES = {
  average: 'average cost is for shares of funds and of dividend reinvestment plans (IRS Publication 550)',
  highest:
    'the highest cost is a choice of lots, which the broker must be told by the settlement of each sale (26 CFR 1.1012-1(c))',
  specific: 'the broker must be told of the lots by the settlement of each sale (26 CFR 1.1012-1(c))',
  wash: 'wash sales are by this account’s trades of the same symbol; the loss disallowed is in the cost of the shares bought instead, which are held since so much earlier',
} as const;

export function gainsView(
  history: LotHistory,
  activities: readonly Activity[],
  { method, year }: { readonly method: LotMethod; readonly year: string | undefined },
) {
  const all = gainsOf(history.closings);
  const gains = all.filter(({ sold }) => year === undefined || sold.startsWith(`${year}-`));
  const sold = new Set(gains.map(({ symbol }) => symbol));
  const years = [...new Set(all.map((gain) => gain.sold.slice(0, 4)))].sort();
  return {
    year: year ?? null,
    method,
    gains: gains.map(lineView),
    totals: {
      short_term: totalsView(gains, 'short'),
      long_term: totalsView(gains, 'long'),
      all: totalsView(gains),
    },
    by_year: years.map((one) => {
      const of = all.filter((gain) => gain.sold.startsWith(`${one}-`));
      const [short_term, long_term] = terms.map((term) => totalsView(of, term).gain);
      return {
        year: one,
        short_term: short_term ?? '0.00',
        long_term: long_term ?? '0.00',
        all: totalsView(of).gain,
      };
    }),
    incomplete: history.incomplete.filter((symbol) => sold.has(symbol)),
    imported: activities.filter(({ imported }) => imported === true).length,
    notes: [
      ...(method === 'fifo' ? [] : [NOTES[method]]),
      ...(gains.some(({ code }) => code === 'W') ? [NOTES.wash] : []),
    ],
  };
}

function lineView(gain: Gain) {
  return {
    symbol: gain.symbol,
    side: gain.side,
    qty: plain(gain.qty),
    description: gain.description,
    acquired: gain.acquired ?? null,
    sold: gain.sold,
    proceeds: cents(gain.proceeds),
    cost: cents(gain.cost),
    adjustment_code: gain.code,
    adjustment: gain.adjustment.toFixed(2),
    gain: cents(gain.gain),
    term: gain.term,
  };
}

function totalsView(gains: readonly Gain[], term?: Term) {
  const { proceeds, cost, adjustment, gain } = totalsOf(
    gains.filter((one) => term === undefined || one.term === term),
  );
  return {
    proceeds: proceeds.toFixed(2),
    cost: cost.toFixed(2),
    adjustment: adjustment.toFixed(2),
    gain: gain.toFixed(2),
  };
}

/** Open lots by a method; a short position's proceeds are its negative cost. */
export function lotsView(
  history: LotHistory,
  positions: readonly Position[],
  now: number,
  method: LotMethod,
) {
  const today = newYorkDate(now);
  const lots = positions.flatMap((position) => {
    const { long = [], short = [] } = history.open.get(position.symbol) ?? {};
    return [
      ...long.map((lot) => lotView('long', lot, position, today)),
      ...short.map((lot) => lotView('short', lot, position, today)),
    ];
  });
  const held = new Set(positions.map(({ symbol }) => symbol));
  return { method, lots, incomplete: history.incomplete.filter((symbol) => held.has(symbol)) };
}

function lotView(side: 'long' | 'short', lot: BookLot, { symbol, current_price }: Position, today: IsoDate) {
  const acquired = lot.at === undefined ? undefined : newYorkDate(lot.at);
  const qty = side === 'long' ? lot.qty : lot.qty.neg();
  const cost = side === 'long' ? lot.amount : lot.amount?.neg();
  const value = qty.mul(current_price).mul(unitsOf(symbol)).toDecimalPlaces(2);
  return {
    symbol,
    side,
    acquired: acquired ?? null,
    qty: plain(qty),
    cost: cents(cost),
    value: value.toFixed(2),
    gain: cents(cost && value.minus(cost)),
    ...termView(side, acquired && addDays(acquired, -(lot.tacked ?? 0)), today),
  };
}

function termView(side: 'long' | 'short', since: IsoDate | undefined, today: IsoDate) {
  if (side === 'short') return { term: 'short' as const, long_term_from: null };
  if (since === undefined) return { term: 'unknown' as const, long_term_from: null };
  const from = longTermFrom(since);
  return { term: today >= from ? ('long' as const) : ('short' as const), long_term_from: from };
}

const cents = (value: Dec | undefined) => value?.toFixed(2) ?? null;
