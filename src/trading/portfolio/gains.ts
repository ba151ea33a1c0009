import { assetClassOf, quantityWords } from '../asset-class.ts';
import { Dec, isPositive, plain, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Closing } from './lot-history.ts';
import { longTermFrom } from './tax-lots.ts';

/** A line of IRS Form 8949, columns (a) to (h). Days are New York's, dollars whole cents. */
export type Term = 'short' | 'long' | 'unknown';

export interface Gain {
  readonly symbol: string;
  readonly side: Closing['side'];
  readonly qty: Dec;
  /** (a) `10 sh. KO` */
  readonly description: string;
  /** (b) Of a short sale the day it was covered, as brokers' Forms 1099-B have it. */
  readonly acquired: IsoDate | undefined;
  /** (c) */
  readonly sold: IsoDate;
  /** (d) */
  readonly proceeds: Dec | undefined;
  readonly cost: Dec | undefined;
  readonly code: 'W' | '';
  /** (g) The loss that a wash sale disallows, and adds to the cost of the shares bought instead. */
  readonly adjustment: Dec;
  /** (h) = (d) - (e) + (g); undefined where one of them is. */
  readonly gain: Dec | undefined;
  readonly term: Term;
}

/**
 * Long-term from the day after the first anniversary of the purchase (IRS Publication 550, "Holding Period"),
 * counting the holding period of shares these replaced; short sales are short-term.
 */
export function gainsOf(closings: readonly Closing[]): Gain[] {
  return closings.map(gainOf);
}

function gainOf(closing: Closing): Gain {
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
    description: `${whatWords(symbol, qty)}${side === 'short' ? ' (short sale)' : ''}`,
    acquired: side === 'short' ? sold : bought,
    code: isPositive(adjustment) ? 'W' : '',
    gain: before?.plus(adjustment),
    term: termOf(side, bought && addDays(bought, -tacked), sold),
  };
}

/** As the form's example has shares: `10 sh. KO`, `2 contracts KO261218C00060000`, `0.5 BTC`. */
function whatWords(symbol: string, qty: Dec): string {
  const kind = assetClassOf(symbol);
  if (kind === 'us_equity') return `${plain(qty)} sh. ${symbol}`;
  return `${quantityWords(symbol, plain(qty))}${kind === 'us_option' ? ` ${symbol}` : ''}`;
}

function termOf(side: Closing['side'], since: IsoDate | undefined, sold: IsoDate): Term {
  if (side === 'short') return 'short';
  if (since === undefined) return 'unknown';
  return sold >= longTermFrom(since) ? 'long' : 'short';
}

export function totalsOf(gains: readonly Gain[]) {
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
