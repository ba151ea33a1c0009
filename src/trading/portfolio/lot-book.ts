import { type Dec, isPositive, ZERO } from '../decimal.ts';
import type { Side } from '../order.ts';

/*
 * The open lots of one symbol, and what trades make of them.
 */

/** One execution: shares at dollars a share, or contracts at dollars a contract. */
export interface Fill {
  readonly symbol: string;
  readonly side: Side;
  readonly qty: Dec;
  readonly price: Dec;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether an option's exercise or assignment made it. */
  readonly settlesOption?: true;
}

/** Shares bought together and still held, or sold short together and still owed: then both are less than nothing. */
export interface Lot {
  readonly qty: Dec;
  /** Dollars they cost; of a short, less than nothing, what they were sold for. */
  readonly cost: Dec;
  readonly at: number;
}

/** Which shares a sale takes: the oldest (IRS Publication 550, "first-in, first-out"), or a part of all alike. */
export type CostMethod = 'fifo' | 'average';

export interface OpenLot extends Lot {
  /** Dollars a share, where it is known to the last digit: what a part of the lot cost needs no division then. */
  readonly price?: Dec;
  /** Whether nobody told what the shares cost. */
  readonly isUnknown?: boolean;
}

export interface Book {
  /** Oldest first; all held, or all owed. */
  lots: OpenLot[];
  realized: Dec;
  uncovered: Dec;
  unclear: boolean;
}

/** Starts with the first, since adding to nothing makes another number of it. */
const plus = (sum: Dec, more: Dec): Dec => (sum === ZERO ? more : sum.plus(more));

export const total = (lots: readonly Lot[], what: 'qty' | 'cost'): Dec => {
  let sum = ZERO;
  for (const lot of lots) sum = plus(sum, lot[what]);
  return sum;
};

export const isShort = ({ lots: [first] }: Book): boolean => first?.qty.isNegative() === true;

/** Closes what is open the other way, oldest first, and opens the rest. */
export function trade(book: Book, { side, qty, price, at }: Omit<Fill, 'symbol'>, method: CostMethod): void {
  const closes = book.lots.length > 0 && isShort(book) === (side === 'buy');
  const left = closes ? qty.minus(close(book, qty, (closed) => closed.mul(price))) : qty;
  if (!isPositive(left)) return;
  const opened = side === 'buy' ? left : left.neg();
  put(book, [{ qty: opened, cost: opened.mul(price), at, price }], method);
}

/**
 * Closes the oldest shares, as many as there are; makes what they are given for less what they cost.
 * @param proceeds dollars for so many; less than nothing of both for what was owed
 * @returns how many there were
 */
export function close(book: Book, qty: Dec, proceeds: (closed: Dec) => Dec): Dec {
  let [closed, cost, unknown] = [ZERO, ZERO, ZERO];
  for (const lot of take(book, qty)) {
    if (lot.isUnknown === true) {
      unknown = plus(unknown, lot.qty);
    } else {
      closed = plus(closed, lot.qty);
      cost = plus(cost, lot.cost);
    }
  }
  if (closed !== ZERO) book.realized = book.realized.plus(proceeds(closed)).minus(cost);
  if (unknown === ZERO) return closed.abs();
  book.uncovered = book.uncovered.plus(unknown.abs());
  return closed.plus(unknown).abs();
}

/** Adds lots, oldest first. Under average cost all whose cost is known are one. */
export function put(book: Book, added: readonly OpenLot[], method: CostMethod): void {
  const last = book.lots.at(-1);
  const [next] = added;
  if (next === undefined) return;
  if (method === 'average') {
    const all = [...book.lots, ...added];
    const known = all.filter(({ isUnknown }) => isUnknown !== true);
    const [first] = known;
    const merged =
      first === undefined || known.length === 1
        ? known
        : [{ qty: total(known, 'qty'), cost: total(known, 'cost'), at: first.at }];
    book.lots = [...merged, ...all.filter(({ isUnknown }) => isUnknown === true)].sort((a, b) => a.at - b.at);
  } else if (last === undefined || last.at <= next.at) {
    book.lots.push(...added);
  } else {
    book.lots = [...added, ...book.lots].sort((a, b) => a.at - b.at);
  }
}

/** Takes the oldest shares out, as many as there are; their costs and those of the rest add up to the whole. */
export function take(book: Book, qty: Dec): OpenLot[] {
  const taken: OpenLot[] = [];
  let left = qty;
  while (isPositive(left)) {
    const lot = book.lots.shift();
    if (lot === undefined) return taken;
    const size = lot.qty.abs();
    if (size.lte(left)) {
      taken.push(lot);
      left = left.minus(size);
      continue;
    }
    const part = lot.qty.isNegative() ? left.neg() : left;
    const rest = lot.qty.minus(part);
    // The cost that stays is computed and the other is the difference, so that both always add up to the whole.
    const kept = lot.price === undefined ? lot.cost.mul(rest).div(lot.qty) : rest.mul(lot.price);
    book.lots.unshift({ ...lot, qty: rest, cost: kept });
    taken.push({ ...lot, qty: part, cost: lot.cost.minus(kept) });
    return taken;
  }
  return taken;
}
