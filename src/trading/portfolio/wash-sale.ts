import { type Activity, toFills, toShareExchanges } from '../activity.ts';
import { contractMultiplier } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate, newYorkInstant } from '../new-york-time.ts';
import type { LotClosing } from './lot-history.ts';
import { lotHistory } from './lot-history-replay.ts';
import type { Fill, ShareExchange } from './trades.ts';
import { WASH_SALE_WINDOW_DAYS } from './wash-losses.ts';

interface NearPurchase {
  readonly date: IsoDate;
  readonly qty: Dec;
  readonly price: Dec;
}

export interface WashSale {
  readonly date: IsoDate;
  readonly qty: Dec;
  readonly price: Dec;
  /** The first day on which a purchase counts as a replacement. `ends` is the last such day. */
  readonly begins: IsoDate;
  readonly ends: IsoDate;
  /** Gain on the shares whose cost is known. Negative for a loss. */
  readonly gain: Dec;
  /** Shares sold at a loss, counted per lot regardless of the sale's total. `loss` is in dollars. */
  readonly lossQty: Dec;
  readonly loss: Dec;
  readonly unknown: Dec;
  readonly purchases: readonly NearPurchase[];
  /** Shares sold at a loss that were replaced within the window. `affectedLoss` is their loss in dollars. */
  readonly affectedQty: Dec;
  readonly affectedLoss: Dec;
  /** Whether a split or transfer moved shares within the window. The counts may then be wrong. */
  readonly unclear: boolean;
}

interface Sale {
  readonly symbol: string;
  readonly at: number;
  readonly qty: Dec;
  readonly price: Dec;
}

/**
 * Returns the purchases within 30 days of a prospective sale, and how much of its loss they would disallow ({@link
 * lotHistory}, first in, first out).
 */
export function findWashSale(sale: Sale, activities: readonly Activity[]): WashSale {
  const { symbol, qty, price, at } = sale;
  const row: Activity = {
    id: '',
    kind: 'fill',
    type: 'FILL',
    at: new Date(at).toISOString(),
    symbol,
    side: 'sell',
    qty: qty.toFixed(),
    price: price.toFixed(),
    amount: null,
  };
  const { closings } = lotHistory([...activities, row], 'fifo');
  const trade = closings.at(-1)?.closed === at ? closings.at(-1)?.trade : undefined;
  return toWashSale(
    sale,
    closings.filter((one) => one.trade === trade && one.side === 'long'),
    symbolHistory(symbol, closings, activities),
  );
}

export function findRecentLosses(symbol: string, activities: readonly Activity[], now: number): WashSale[] {
  const since = addDays(newYorkDate(now), -WASH_SALE_WINDOW_DAYS);
  const { closings } = lotHistory(activities, 'fifo');
  const history = symbolHistory(symbol, closings, activities);
  const recent = closings.filter(
    (one) => one.symbol === symbol && one.side === 'long' && newYorkDate(one.closed) >= since,
  );
  return [...Map.groupBy(recent, ({ trade }) => trade).values()]
    .map((sold) => {
      const qty = sumBy(sold, (one) => one.qty);
      const price = sumBy(sold, ({ proceeds }) => proceeds ?? ZERO)
        .div(qty)
        .div(contractMultiplier(symbol));
      return toWashSale({ symbol, at: sold[0]?.closed ?? now, qty, price }, sold, history);
    })
    .filter(({ lossQty }) => isPositive(lossQty))
    .reverse();
}

interface SymbolHistory {
  readonly purchases: readonly Fill[];
  /** By the time of a purchase, the shares of it sold so far, after each sale. */
  readonly sold: ReadonlyMap<number | undefined, readonly { readonly closed: number; readonly qty: Dec }[]>;
  readonly exchanges: readonly ShareExchange[];
}

function symbolHistory(
  symbol: string,
  closings: readonly LotClosing[],
  activities: readonly Activity[],
): SymbolHistory {
  const sold = new Map<number | undefined, { closed: number; qty: Dec }[]>();
  for (const { symbol: other, opened, closed, qty } of closings) {
    if (other !== symbol) continue;
    const sums = sold.get(opened) ?? [];
    sums.push({ closed, qty: qty.plus(sums.at(-1)?.qty ?? ZERO) });
    sold.set(opened, sums);
  }
  return {
    purchases: toFills(activities).filter((fill) => fill.symbol === symbol && fill.side === 'buy'),
    sold,
    exchanges: toShareExchanges(activities).filter(({ legs }) => legs.some((leg) => leg.symbol === symbol)),
  };
}

/** Describes a prospective sale. @param sold the lots that the sale closes */
function toWashSale({ symbol, at, qty, price }: Sale, sold: readonly LotClosing[], history: SymbolHistory): WashSale {
  const date = newYorkDate(at);
  const begins = addDays(date, -WASH_SALE_WINDOW_DAYS);
  const ends = addDays(date, WASH_SALE_WINDOW_DAYS);
  const [first, last] = [newYorkInstant(begins, '00:00'), newYorkInstant(ends, '24:00')];
  const isNear = (one: { readonly at: number }) => one.at >= first && one.at < last;
  const known = sold.flatMap(({ proceeds, cost, ...one }) =>
    proceeds === undefined || cost === undefined ? [] : [{ ...one, gain: proceeds.minus(cost) }],
  );
  const losing = known.filter(({ gain }) => gain.isNegative() && !gain.isZero());
  return {
    date,
    qty,
    price,
    begins,
    ends,
    gain: sumBy(known, ({ gain }) => gain),
    lossQty: sumBy(losing, (one) => one.qty),
    loss: sumBy(losing, ({ gain }) => gain.neg()),
    unknown: qty.minus(sumBy(known, (one) => one.qty)),
    purchases: history.purchases
      .filter(isNear)
      .map((fill) => ({
        date: newYorkDate(fill.at),
        qty: Dec.max(0, fill.qty.minus(history.sold.get(fill.at)?.findLast(({ closed }) => closed <= at)?.qty ?? ZERO)),
        price: fill.price.div(contractMultiplier(symbol)),
      }))
      .filter((one) => isPositive(one.qty)),
    affectedQty: sumBy(losing, ({ washed }) => washed),
    affectedLoss: sumBy(losing, ({ disallowed }) => disallowed),
    unclear: history.exchanges.some(isNear),
  };
}

function sumBy<T>(list: readonly T[], of: (one: T) => Dec): Dec {
  return list.reduce((total, one) => total.plus(of(one)), ZERO);
}
