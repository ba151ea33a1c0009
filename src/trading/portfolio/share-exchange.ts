import { optionOf } from '../asset-class.ts';
import { type Dec, isPositive, ZERO } from '../decimal.ts';
import { type Book, type CostMethod, close, isShort, put, take, total, trade } from './lot-book.ts';

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
  /** Of an option that ends: for nothing, or in a trade of its underlying whose cost it becomes a part of. */
  readonly ends?: 'worthless' | 'into_underlying' | undefined;
}

/** Shares that turn into others take cost and age along, so that a split changes no cost and no result. */
export function exchange(
  { at, legs, cash, turns, ends }: ShareExchange,
  bookOf: (symbol: string) => Book,
  method: CostMethod,
): void {
  const gone = sums(legs.filter(({ qty }) => qty.isNegative()));
  const come = sums(legs.filter(({ qty }) => isPositive(qty)));
  const [from, to] = [[...gone][0], [...come][0]];
  const pair = gone.size === 1 && come.size === 1;
  if (ends !== undefined) {
    for (const leg of legs) end(leg, { at, ends }, bookOf, method);
  } else if (turns && pair && from !== undefined && to !== undefined) {
    // What was owed comes back, and more or less of it is owed then.
    const owed = isShort(bookOf(to[0]));
    const [old, made] = owed ? [to, from] : [from, to];
    turn([old[0], old[1].abs()], [made[0], made[1].abs()], { at, bookOf, method });
    if (!cash.isZero()) bookOf(made[0]).unclear = true;
  } else if (turns && gone.size + come.size === 1 && cash.isZero() && isDifference(bookOf, from ?? to)) {
    const [symbol, by] = (from ?? to) as Shares;
    const held = total(bookOf(symbol).lots, 'qty');
    turn([symbol, held.abs()], [symbol, held.plus(by).abs()], { at, bookOf, method });
  } else if (turns && gone.size === 1 && come.size === 0 && from !== undefined && isPositive(cash)) {
    // A merger for cash is a sale.
    const qty = from[1].abs();
    close(bookOf(from[0]), qty, (closed) => (closed.eq(qty) ? cash : cash.mul(closed).div(qty)));
  } else {
    // Transferred away: gone with their cost. What came has a cost nobody told; sold, it is uncovered.
    for (const [symbol, qty] of gone) take(bookOf(symbol), qty.abs());
    for (const [symbol, qty] of come) bring(bookOf(symbol), qty, at, method);
    if (turns) for (const symbol of [...gone.keys(), ...come.keys()]) bookOf(symbol).unclear = true;
  }
}

type Shares = readonly [symbol: string, qty: Dec];

/** Whether an exchange is booked as the difference alone: of shares held that became more, or of ones owed. */
function isDifference(bookOf: (symbol: string) => Book, shares: Shares | undefined): boolean {
  if (shares === undefined) return false;
  const book = bookOf(shares[0]);
  return book.lots.length > 0 && isShort(book) === shares[1].isNegative();
}

/**
 * An option's end: held ones go, owed ones come back, for nothing. In a trade of its underlying, which is booked by itself,
 * the premium would be a part of what the shares cost (IRS Publication 550, "Options"): both are unclear by so much, though
 * together they come to the same.
 */
function end(
  { symbol, qty }: ShareExchange['legs'][number],
  { at, ends }: Pick<ShareExchange, 'at' | 'ends'>,
  bookOf: (symbol: string) => Book,
  method: CostMethod,
): void {
  const side = qty.isNegative() ? 'sell' : 'buy';
  trade(bookOf(symbol), { side, qty: qty.abs(), price: ZERO, at }, method);
  if (ends !== 'into_underlying') return;
  for (const one of [symbol, optionOf(symbol)?.underlying]) if (one !== undefined) bookOf(one).unclear = true;
}

/** Shares come without a cost. Where such were owed, they are given back with them. */
function bring(book: Book, qty: Dec, at: number, method: CostMethod): void {
  let left = qty;
  if (isShort(book)) {
    const covered = total(take(book, qty), 'qty').abs();
    book.uncovered = book.uncovered.plus(covered);
    left = left.minus(covered);
  }
  if (isPositive(left)) put(book, [{ qty: left, cost: ZERO, at, isUnknown: true }], method);
}

/** @param from what went, as the broker counts it; the record may know of fewer */
function turn(
  [from, old]: Shares,
  [to, made]: Shares,
  { at, bookOf, method }: { at: number; bookOf: (symbol: string) => Book; method: CostMethod },
): void {
  const taken = take(bookOf(from), old);
  const known = total(taken, 'qty');
  const sign = known.isNegative() ? -1 : 1;
  const whole = known.abs().eq(old) ? made.mul(sign) : made.mul(known).div(old);
  let rest = whole;
  const turned = taken.map(({ qty, cost, at, isUnknown = false }, index) => {
    // The last is the difference, so that they add up to what the broker says.
    const part = index === taken.length - 1 ? rest : qty.mul(made).div(old);
    rest = rest.minus(part);
    return { qty: part, cost, at, isUnknown };
  });
  const book = bookOf(to);
  if (turned.length > 0 && book.lots.length > 0 && isShort(book) !== known.isNegative()) {
    // Held of the one and owed of the other: they end each other, at a price nobody told.
    take(book, whole.abs());
    book.unclear = true;
  } else {
    put(book, turned, method);
  }
  // Those the record does not know of came from somewhere.
  const missing = made.minus(whole.abs());
  if (isPositive(missing)) bring(book, missing, at, method);
}

function sums(legs: ShareExchange['legs']): Map<string, Dec> {
  const all = new Map<string, Dec>();
  for (const { symbol, qty } of legs) all.set(symbol, (all.get(symbol) ?? ZERO).plus(qty));
  return all;
}
