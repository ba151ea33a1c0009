import type { Activity } from '../activity.ts';
import { assetClassOf, quantityWords } from '../asset-class.ts';
import { Dec, isPositive, plain, ZERO } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Closing } from './closings.ts';
import { partOf } from './lot-pool.ts';
import { longTermFrom } from './tax-lots.ts';
import { washSale } from './wash-sale.ts';

/** `unknown` where nobody told when the shares were acquired. */
export type Term = 'short' | 'long' | 'unknown';

/**
 * A line of Form 8949 (IRS): what was closed, in its columns (a) to (h). Days are New York's, dollars whole cents.
 */
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
  /** (e) */
  readonly cost: Dec | undefined;
  /** (f) `W` for a wash sale. */
  readonly code: 'W' | '';
  /** (g) The loss that a wash sale disallows. */
  readonly adjustment: Dec;
  /** (h) = (d) - (e) + (g); undefined where one of them is. */
  readonly gain: Dec | undefined;
  readonly term: Term;
}

export interface GainTotals {
  readonly proceeds: Dec;
  readonly cost: Dec;
  readonly adjustment: Dec;
  readonly gain: Dec;
}

/**
 * The lines of a tax return for what was closed, oldest first. A sale is long-term from the day after the first anniversary
 * of the purchase on (IRS Publication 550, "Holding Period"); a short sale is short-term. Wash sales are marked lot by lot,
 * each purchase for as many shares as it has; the cost of the shares bought instead is not raised by the loss.
 * @param closings all there are, oldest first: a sale of another year may have used a purchase up
 */
export function gainsOf(closings: readonly Closing[], activities: readonly Activity[]): Gain[] {
  const used = new Map<string, Map<number, Dec>>();
  const trades = Map.groupBy(closings, ({ trade }) => trade);
  const bySymbol = Map.groupBy(activities, ({ symbol }) => symbol ?? '');
  return [...trades.values()].flatMap((sold) => {
    const symbol = sold[0]?.symbol ?? '';
    const usedOf = used.get(symbol) ?? new Map<number, Dec>();
    used.set(symbol, usedOf);
    const washed = washedOf(sold, bySymbol.get(symbol) ?? [], usedOf);
    return sold.map((closing) => gainOf(closing, washed.get(closing) ?? ZERO));
  });
}

/** Of each lot of a sale that lost, the shares for which others were bought near it. */
function washedOf(
  sold: readonly Closing[],
  activities: readonly Activity[],
  used: Map<number, Dec>,
): Map<Closing, Dec> {
  const known = sold
    .flatMap((closing) => {
      const { side, cost, proceeds, opened } = closing;
      if (side === 'short' || cost === undefined || proceeds === undefined || opened === undefined) return [];
      return [{ closing, lot: { qty: closing.qty, cost, at: opened }, proceeds }];
    })
    .sort((a, b) => a.lot.at - b.lot.at);
  const [first] = known;
  if (first === undefined || !known.some(({ lot, proceeds }) => proceeds.lt(lot.cost))) return new Map();
  const qty = known.reduce((sum, { lot }) => sum.plus(lot.qty), ZERO);
  const price = known.reduce((sum, { proceeds }) => sum.plus(proceeds), ZERO).div(qty);
  const { symbol, closed: at } = first.closing;
  const lots = known.map(({ lot }) => lot);
  const { affectedByLot } = washSale({ symbol, at, qty, price }, lots, activities, used);
  return new Map(known.map(({ closing }, index) => [closing, affectedByLot[index] ?? ZERO]));
}

function gainOf(closing: Closing, washed: Dec): Gain {
  const { symbol, side, qty, opened, closed, proceeds, cost } = closing;
  const sold = newYorkDate(closed);
  const bought = opened === undefined ? undefined : newYorkDate(opened);
  const before = proceeds === undefined || cost === undefined ? undefined : proceeds.minus(cost);
  const loss = before === undefined ? ZERO : Dec.max(0, before.neg());
  const adjustment = isPositive(loss) && isPositive(washed) ? partOf(loss, washed, qty) : ZERO;
  return {
    ...{ symbol, side, qty, sold, proceeds, cost, adjustment },
    description: `${whatWords(symbol, qty)}${side === 'short' ? ' (short sale)' : ''}`,
    acquired: side === 'short' ? sold : bought,
    code: isPositive(adjustment) ? 'W' : '',
    gain: before?.plus(adjustment),
    term: termOf(side, bought, sold),
  };
}

/** As the form's example has shares: `10 sh. KO`, `2 contracts KO261218C00060000`, `0.5 BTC`. */
function whatWords(symbol: string, qty: Dec): string {
  const kind = assetClassOf(symbol);
  if (kind === 'us_equity') return `${plain(qty)} sh. ${symbol}`;
  return `${quantityWords(symbol, plain(qty))}${kind === 'us_option' ? ` ${symbol}` : ''}`;
}

function termOf(side: Closing['side'], bought: IsoDate | undefined, sold: IsoDate): Term {
  if (side === 'short') return 'short';
  if (bought === undefined) return 'unknown';
  return sold >= longTermFrom(bought) ? 'long' : 'short';
}

/** Sums of the lines whose gain is known. */
export function totalsOf(gains: readonly Gain[]): GainTotals {
  const known = gains.filter(({ gain }) => gain !== undefined);
  const sum = (of: (gain: Gain) => Dec | undefined) =>
    known.reduce((total, one) => total.plus(of(one) ?? ZERO), new Dec(0));
  return {
    proceeds: sum(({ proceeds }) => proceeds),
    cost: sum(({ cost }) => cost),
    adjustment: sum(({ adjustment }) => adjustment),
    gain: sum(({ gain }) => gain),
  };
}
