import { type Dec, isPositive, ZERO } from '../decimal.ts';
import { type Book, type CostMethod, type Fill, type Lot, take, total, trade } from './lot-book.ts';
import { exchange, type ShareExchange } from './share-exchange.ts';

export type { CostMethod, Fill, Lot, ShareExchange };

/** What the trades in one symbol came to. */
export interface TradingResult {
  /** Shares held at the end whose cost is known; less than nothing for a short. */
  readonly qty: Dec;
  /** Dollars they cost. */
  readonly cost: Dec;
  /** Dollars made by selling, after what the shares sold had cost, and by covering, after what that cost. */
  readonly realized: Dec;
  /** Oldest first; one lot alone under average cost. */
  readonly lots: readonly Lot[];
  /** Shares held at the end that came without a cost that anybody told: transferred in, spun off. */
  readonly unknown: Dec;
  /** Such shares, sold. Nothing is counted as made by them. */
  readonly uncovered: Dec;
  /** Whether something happened to the shares after which their cost is not certain: cash beside shares in a merger. */
  readonly unclear: boolean;
}

/**
 * Replays fills and exchanges of shares in time. Of one instant, exchanges come first (a split is done before the market
 * opens), then fills in the order given. A sale beyond what is held opens a short, and the purchase that covers it ends the
 * story: what was made is what it was sold for less what it was bought back for.
 */
export function tradingResults(
  fills: readonly Fill[],
  method: CostMethod,
  exchanges: readonly ShareExchange[] = [],
): Map<string, TradingResult> {
  const books = new Map<string, Book>();
  const bookOf = (symbol: string): Book => {
    let book = books.get(symbol);
    if (book === undefined) {
      book = { lots: [], realized: ZERO, uncovered: ZERO, unclear: false };
      books.set(symbol, book);
    }
    return book;
  };
  const waiting = [...exchanges].sort((a, b) => b.at - a.at);
  const exchangeUntil = (at: number) => {
    for (let next = waiting.at(-1); next !== undefined && next.at <= at; next = waiting.at(-1)) {
      waiting.pop();
      exchange(next, bookOf, method);
    }
  };
  for (const fill of [...fills].sort((a, b) => a.at - b.at)) {
    exchangeUntil(fill.at);
    trade(bookOf(fill.symbol), fill, method);
  }
  exchangeUntil(Number.POSITIVE_INFINITY);
  return new Map([...books].map(([symbol, book]) => [symbol, resultOf(book)]));
}

function resultOf({ lots, ...book }: Book): TradingResult {
  const known: Lot[] = [];
  const unknown: Lot[] = [];
  for (const { qty, cost, at, isUnknown } of lots) (isUnknown ? unknown : known).push({ qty, cost, at });
  return {
    ...book,
    lots: known,
    qty: total(known, 'qty'),
    cost: total(known, 'cost'),
    unknown: total(unknown, 'qty'),
  };
}

/** The oldest shares of some lots, as a sale would take them first in, first out; fewer where there are no more. */
export function oldestShares(lots: readonly Lot[], qty: Dec): Lot[] {
  const held = lots.filter((lot) => isPositive(lot.qty));
  return take({ lots: held, realized: ZERO, uncovered: ZERO, unclear: false }, qty);
}
