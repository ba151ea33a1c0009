import { type Dec, isPositive, ZERO } from '../decimal.ts';
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

/** Shares that came or went without a trade: a split, a merger, a change of name, a transfer. */
export interface ShareExchange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Shares that came, or (less than nothing) went. */
  readonly legs: readonly { readonly symbol: string; readonly qty: Dec }[];
  /** Dollars that came with it. */
  readonly cash: Dec;
  /** Whether what went turned into what came, and so takes its cost along. */
  readonly turns: boolean;
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
  /** Whether something happened to the shares after which their cost is not certain: cash beside shares in a merger. */
  readonly unclear: boolean;
}

/** Which shares a sale takes: the oldest (IRS Publication 550, "first-in, first-out"), or a part of all alike. */
export type CostMethod = 'fifo' | 'average';

/**
 * Replays fills and exchanges of shares in time. Of one instant, exchanges come first (a split is done before the market
 * opens), then fills in the order given.
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
    const book = bookOf(fill.symbol);
    if (fill.side === 'buy') {
      const { qty, price, at } = fill;
      put(book, [{ qty, cost: qty.mul(price), at, price }], method);
    } else {
      sell(book, fill.qty, fill.qty.mul(fill.price));
    }
  }
  exchangeUntil(Number.POSITIVE_INFINITY);
  return new Map(
    [...books].map(([symbol, { lots, ...book }]) => [
      symbol,
      {
        ...book,
        lots: lots.map(({ qty, cost, at }) => ({ qty, cost, at })),
        qty: total(lots, 'qty'),
        cost: total(lots, 'cost'),
      },
    ]),
  );
}

interface OpenLot extends Lot {
  /** Dollars a share, where it is known to the last digit: what a part of the lot cost needs no division then. */
  readonly price?: Dec;
}

interface Book {
  lots: OpenLot[];
  realized: Dec;
  uncovered: Dec;
  unclear: boolean;
}

const total = (lots: readonly Lot[], what: 'qty' | 'cost'): Dec =>
  lots.reduce((sum, lot) => sum.plus(lot[what]), ZERO);

/** Adds lots, oldest first. Under average cost all are one. */
function put(book: Book, added: readonly OpenLot[], method: CostMethod): void {
  const [first] = book.lots;
  const last = book.lots.at(-1);
  const [next] = added;
  if (next === undefined) return;
  if (method === 'average') {
    const all = [...book.lots, ...added];
    const [only] = all;
    book.lots =
      all.length === 1 && only !== undefined
        ? [only]
        : [{ qty: total(all, 'qty'), cost: total(all, 'cost'), at: first?.at ?? next.at }];
  } else if (last === undefined || last.at <= next.at) {
    book.lots.push(...added);
  } else {
    book.lots = [...added, ...book.lots].sort((a, b) => a.at - b.at);
  }
}

/** Takes the oldest shares out, as many as are known; their costs and those of the rest add up to the whole. */
function take(book: Book, qty: Dec): OpenLot[] {
  const taken: OpenLot[] = [];
  let left = qty;
  while (isPositive(left)) {
    const lot = book.lots.shift();
    if (lot === undefined) return taken;
    if (lot.qty.lte(left)) {
      taken.push(lot);
      left = left.minus(lot.qty);
      continue;
    }
    const rest = lot.qty.minus(left);
    // The cost that stays is computed and the other is the difference, so that both always add up to the whole.
    const kept = lot.price === undefined ? lot.cost.mul(rest).div(lot.qty) : rest.mul(lot.price);
    book.lots.unshift({ ...lot, qty: rest, cost: kept });
    taken.push({ ...lot, qty: left, cost: lot.cost.minus(kept) });
    return taken;
  }
  return taken;
}

/** The oldest shares of some lots, as a sale would take them first in, first out; fewer where there are no more. */
export function oldestShares(lots: readonly Lot[], qty: Dec): Lot[] {
  return take({ lots: [...lots], realized: ZERO, uncovered: ZERO, unclear: false }, qty);
}

/** @param proceeds dollars for all of them */
function sell(book: Book, qty: Dec, proceeds: Dec): void {
  const taken = take(book, qty);
  const covered = total(taken, 'qty');
  const missing = qty.minus(covered);
  if (isPositive(missing)) book.uncovered = book.uncovered.plus(missing);
  if (!isPositive(covered)) return;
  const share = missing.isZero() ? proceeds : proceeds.mul(covered).div(qty);
  book.realized = book.realized.plus(share).minus(total(taken, 'cost'));
}

/** Shares that turn into others take cost and age along, so that a split changes no cost and no result. */
function exchange(
  { legs, cash, turns }: ShareExchange,
  bookOf: (symbol: string) => Book,
  method: CostMethod,
): void {
  const gone = sums(legs.filter(({ qty }) => qty.isNegative()));
  const come = sums(legs.filter(({ qty }) => isPositive(qty)));
  const [from, to] = [[...gone][0], [...come][0]];
  if (turns && gone.size === 0 && come.size === 1 && to !== undefined) {
    // Booked as the difference alone.
    const held = total(bookOf(to[0]).lots, 'qty');
    if (isPositive(held)) turn([to[0], held], [to[0], held.plus(to[1])], bookOf, method);
  } else if (turns && gone.size === 1 && come.size === 1 && from !== undefined && to !== undefined) {
    turn([from[0], from[1].abs()], to, bookOf, method);
    if (!cash.isZero()) bookOf(to[0]).unclear = true;
  } else if (turns && gone.size === 1 && come.size === 0 && from !== undefined && isPositive(cash)) {
    // A merger for cash is a sale.
    sell(bookOf(from[0]), from[1].abs(), cash);
  } else {
    // Transferred away: gone with their cost. What came has a cost nobody told; sold, it is uncovered.
    for (const [symbol, qty] of gone) take(bookOf(symbol), qty.abs());
    if (turns) for (const symbol of [...gone.keys(), ...come.keys()]) bookOf(symbol).unclear = true;
  }
}

type Shares = readonly [symbol: string, qty: Dec];

/** @param from what went, as the broker counts it; the record may know of fewer */
function turn(
  [from, old]: Shares,
  [to, made]: Shares,
  bookOf: (symbol: string) => Book,
  method: CostMethod,
): void {
  const taken = take(bookOf(from), old);
  const known = total(taken, 'qty');
  const whole = known.eq(old) ? made : made.mul(known).div(old);
  let rest = whole;
  const turned = taken.map(({ qty, cost, at }, index) => {
    // The last is the difference, so that they add up to what the broker says.
    const part = index === taken.length - 1 ? rest : qty.mul(made).div(old);
    rest = rest.minus(part);
    return { qty: part, cost, at };
  });
  put(bookOf(to), turned, method);
}

function sums(legs: ShareExchange['legs']): Map<string, Dec> {
  const all = new Map<string, Dec>();
  for (const { symbol, qty } of legs) all.set(symbol, (all.get(symbol) ?? ZERO).plus(qty));
  return all;
}
