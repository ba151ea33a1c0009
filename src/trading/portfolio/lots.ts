import { Dec } from '../decimal.ts';
import type { Side } from '../order.ts';

/** One execution: shares at dollars a share. */
export interface Fill {
  readonly symbol: string;
  readonly side: Side;
  readonly qty: Dec;
  readonly price: Dec;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Shares bought together and still held. */
export interface Lot {
  readonly qty: Dec;
  /** Dollars they cost. */
  readonly cost: Dec;
  readonly at: number;
}

/** What the trades in one symbol came to. */
export interface TradingResult {
  /** Shares held at the end. */
  readonly qty: Dec;
  /** Dollars they cost. */
  readonly cost: Dec;
  /** Dollars made by selling, after what the shares sold had cost. */
  readonly realized: Dec;
  /** Oldest first; one lot alone under average cost. */
  readonly lots: readonly Lot[];
  /**
   * Shares sold that no known purchase covers (transferred in, or bought before the record begins). Nothing is counted
   * as made by them, since what they cost is not known.
   */
  readonly uncovered: Dec;
}

/** Which shares a sale takes: the oldest (IRS Publication 550, "first-in, first-out"), or a part of all alike. */
export type CostMethod = 'fifo' | 'average';

/** Replays fills in time; those of one instant in the order given. */
export function tradingResults(fills: readonly Fill[], method: CostMethod): Map<string, TradingResult> {
  const results = new Map<string, Book>();
  for (const fill of [...fills].sort((a, b) => a.at - b.at)) {
    let book = results.get(fill.symbol);
    if (book === undefined) {
      book = { lots: [], realized: new Dec(0), uncovered: new Dec(0) };
      results.set(fill.symbol, book);
    }
    if (fill.side === 'buy') buy(book, fill, method);
    else sell(book, fill);
  }
  return new Map(
    [...results].map(([symbol, { lots, realized, uncovered }]) => [
      symbol,
      {
        lots,
        realized,
        uncovered,
        qty: lots.reduce((sum, lot) => sum.plus(lot.qty), new Dec(0)),
        cost: lots.reduce((sum, lot) => sum.plus(lot.cost), new Dec(0)),
      },
    ]),
  );
}

interface Book {
  lots: Lot[];
  realized: Dec;
  uncovered: Dec;
}

function buy(book: Book, { qty, price, at }: Fill, method: CostMethod): void {
  const bought: Lot = { qty, cost: qty.mul(price), at };
  const [all] = book.lots;
  if (method === 'fifo' || all === undefined) book.lots.push(bought);
  else book.lots = [{ qty: all.qty.plus(qty), cost: all.cost.plus(bought.cost), at: all.at }];
}

function sell(book: Book, { qty, price }: Fill): void {
  let left = qty;
  while (left.gt(0)) {
    const lot = book.lots.shift();
    if (lot === undefined) {
      book.uncovered = book.uncovered.plus(left);
      return;
    }
    const sold = Dec.min(left, lot.qty);
    const rest = lot.qty.minus(sold);
    // The cost that stays is computed and the other is the difference, so that both always add up to the whole.
    const kept = rest.isZero() ? new Dec(0) : lot.cost.mul(rest).div(lot.qty);
    book.realized = book.realized.plus(sold.mul(price)).minus(lot.cost.minus(kept));
    if (rest.gt(0)) book.lots.unshift({ qty: rest, cost: kept, at: lot.at });
    left = left.minus(sold);
  }
}
