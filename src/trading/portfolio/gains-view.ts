import type { Activity } from '../activity.ts';
import { contractMultiplier, formatQuantity, symbolAssetClass } from '../asset-class.ts';
import { Dec, isPositive, toPlain, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import type { LotClosing, LotHistory } from './lot-history.ts';
import type { Lot, LotMethod } from './lot-pool.ts';
import { longTermFrom } from './tax-lots.ts';

const terms = ['short', 'long'] as const satisfies readonly Term[];

const NOTES = {
  average: 'average cost is only for fund shares and dividend reinvestment plans (IRS Publication 550)',
  highest:
    'highest cost means that you choose the lots: name them to your broker by each sale’s settlement date (26 CFR 1.1012-1(c))',
  specific: 'name the lots to your broker by each sale’s settlement date (26 CFR 1.1012-1(c))',
  wash: 'wash sales count only this account’s trades in the same symbol; the disallowed loss and the holding period carry over to the replacement shares',
} as const;

export function buildGainsView(
  history: LotHistory,
  activities: readonly Activity[],
  { method, year }: { readonly method: LotMethod; readonly year: string | undefined },
) {
  const all = toGains(history.closings);
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
    qty: toPlain(gain.qty),
    description: gain.description,
    acquired: gain.acquired ?? null,
    sold: gain.sold,
    proceeds: toCentsOrNull(gain.proceeds),
    cost: toCentsOrNull(gain.cost),
    adjustment_code: gain.code,
    adjustment: gain.adjustment.toFixed(2),
    gain: toCentsOrNull(gain.gain),
    term: gain.term,
  };
}

function totalsView(gains: readonly Gain[], term?: Term) {
  const { proceeds, cost, adjustment, gain } = gainTotals(
    gains.filter((one) => term === undefined || one.term === term),
  );
  return {
    proceeds: proceeds.toFixed(2),
    cost: cost.toFixed(2),
    adjustment: adjustment.toFixed(2),
    gain: gain.toFixed(2),
  };
}

/** Returns the open lots under a method. A short position's proceeds are shown as negative cost. */
export function buildLotsView(history: LotHistory, positions: readonly Position[], now: number, method: LotMethod) {
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

function lotView(side: 'long' | 'short', lot: Lot, { symbol, current_price }: Position, today: IsoDate) {
  const acquired = lot.at === undefined ? undefined : newYorkDate(lot.at);
  const qty = side === 'long' ? lot.qty : lot.qty.neg();
  const cost = side === 'long' ? lot.amount : lot.amount?.neg();
  const value = qty.mul(current_price).mul(contractMultiplier(symbol)).toDecimalPlaces(2);
  return {
    symbol,
    side,
    acquired: acquired ?? null,
    qty: toPlain(qty),
    cost: toCentsOrNull(cost),
    value: value.toFixed(2),
    gain: toCentsOrNull(cost && value.minus(cost)),
    ...termView(side, acquired && addDays(acquired, -(lot.tacked ?? 0)), today),
  };
}

function termView(side: 'long' | 'short', since: IsoDate | undefined, today: IsoDate) {
  if (side === 'short') return { term: 'short' as const, long_term_from: null };
  if (since === undefined) return { term: 'unknown' as const, long_term_from: null };
  const from = longTermFrom(since);
  return { term: today >= from ? ('long' as const) : ('short' as const), long_term_from: from };
}

const toCentsOrNull = (value: Dec | undefined) => value?.toFixed(2) ?? null;

type Term = 'short' | 'long' | 'unknown';

/** A line of IRS Form 8949, columns (a) to (h). Dates are New York dates, and amounts are whole cents. */
interface Gain {
  readonly symbol: string;
  readonly side: LotClosing['side'];
  readonly qty: Dec;
  /** Column (a): `10 sh. KO`. */
  readonly description: string;
  /** Column (b). For a short sale, the day on which it was covered, as on brokers' Forms 1099-B. */
  readonly acquired: IsoDate | undefined;
  readonly sold: IsoDate;
  readonly proceeds: Dec | undefined;
  readonly cost: Dec | undefined;
  readonly code: 'W' | '';
  /** Column (g). The loss that a wash sale disallows, which is added to the cost of the replacement shares. */
  readonly adjustment: Dec;
  /** Column (h) = (d) - (e) + (g). Undefined if (d) or (e) is undefined. */
  readonly gain: Dec | undefined;
  readonly term: Term;
}

/**
 * Returns each closing of a lot as a gain or loss, with its term. A gain is long-term from the day after the first
 * anniversary of the purchase (IRS Publication 550, "Holding Period"), counting the holding period of replaced shares.
 * Short sales are short-term.
 */
export function toGains(closings: readonly LotClosing[]): Gain[] {
  return closings.map(toGain);
}

function toGain(closing: LotClosing): Gain {
  const { symbol, side, qty, opened, closed, proceeds, cost, tacked, disallowed: adjustment } = closing;
  const sold = newYorkDate(closed);
  const bought = opened === undefined ? undefined : newYorkDate(opened);
  const before = proceeds === undefined || cost === undefined ? undefined : proceeds.minus(cost);
  return {
    symbol,
    side,
    qty,
    sold,
    proceeds,
    cost,
    adjustment,
    description: `${describeShares(symbol, qty)}${side === 'short' ? ' (short sale)' : ''}`,
    acquired: side === 'short' ? sold : bought,
    code: isPositive(adjustment) ? 'W' : '',
    gain: before?.plus(adjustment),
    term: gainTerm(side, bought && addDays(bought, -tacked), sold),
  };
}

/** Describes shares like the example on the form: `10 sh. KO`, `2 contracts KO261218C00060000`, `0.5 BTC`. */
function describeShares(symbol: string, qty: Dec): string {
  const kind = symbolAssetClass(symbol);
  if (kind === 'us_equity') return `${toPlain(qty)} sh. ${symbol}`;
  return `${formatQuantity(symbol, toPlain(qty))}${kind === 'us_option' ? ` ${symbol}` : ''}`;
}

function gainTerm(side: LotClosing['side'], since: IsoDate | undefined, sold: IsoDate): Term {
  if (side === 'short') return 'short';
  if (since === undefined) return 'unknown';
  return sold >= longTermFrom(since) ? 'long' : 'short';
}

export function gainTotals(gains: readonly Gain[]) {
  const known = gains.filter(({ gain }) => gain !== undefined);
  const sum = (of: (gain: Gain) => Dec | undefined) =>
    known.reduce((total, one) => total.plus(of(one) ?? ZERO), new Dec(0));
  return {
    proceeds: sum((one) => one.proceeds),
    cost: sum((one) => one.cost),
    adjustment: sum((one) => one.adjustment),
    gain: sum((one) => one.gain),
  };
}
