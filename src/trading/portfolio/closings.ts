import { type Activity, exchangesOf, fillsOf } from '../activity.ts';
import { optionOf } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import { type BookLot, type LotChoice, type LotMethod, LotPool, partOf, wholeCents } from './lot-pool.ts';
import type { Fill, ShareExchange } from './lots.ts';
import { OptionPremiums } from './option-premiums.ts';
import { type Washed, WashLosses } from './wash-losses.ts';

/** Shares of one lot that were sold, or (of a short position) bought back. Dollars in whole cents. */
export interface Closing extends Readonly<Washed> {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly qty: Dec;
  /** When they were bought, or sold short; milliseconds since the epoch. Undefined where nobody told. */
  readonly opened: number | undefined;
  readonly closed: number;
  /** Undefined where nobody told what was received. */
  readonly proceeds: Dec | undefined;
  /** With what earlier wash sales added; undefined where nobody told what was paid. */
  readonly cost: Dec | undefined;
  /** Days that shares were held which these were bought instead of. */
  readonly tacked: number;
  /** The trade that closed them: the closings of one trade have the same. */
  readonly trade: number;
}

/** What a history of trades comes to, lot by lot. */
export interface LotHistory {
  /** As they were closed. */
  readonly closings: readonly Closing[];
  /** What is held; a short position's amounts are what was received. */
  readonly open: ReadonlyMap<
    string,
    { readonly long: readonly BookLot[]; readonly short: readonly BookLot[] }
  >;
  /** Symbols whose lots or costs are not certain, by name. */
  readonly incomplete: readonly string[];
  /** Choices of which no such shares were held; by their place in the list. */
  readonly unused: readonly number[];
}

/**
 * Replays trades and exchanges of shares into lots. A purchase is a cost in whole cents and a sale proceeds in whole cents;
 * their parts always add up to them, so that every method comes to the same cent once everything is closed. A sale beyond
 * what is held opens a short position. What a wash sale disallows is added to the cost of the shares bought instead. Shares
 * that are held now and were never bought by what is known were there before:
 * of unknown cost and age, and so are those that came by transfer or spin-off.
 * @param activities all there are
 * @param positions as held now; without them nothing was there before
 */
export function lotHistory(
  activities: readonly Activity[],
  method: LotMethod,
  {
    positions,
    choices = [],
  }: { readonly positions?: readonly Position[]; readonly choices?: readonly LotChoice[] } = {},
): LotHistory {
  const fills = [...fillsOf(activities)].sort((a, b) => a.at - b.at);
  const exchanges = [...exchangesOf(activities)].sort((a, b) => a.at - b.at);
  const replay = new Replay(method, choices);
  for (const [symbol, missing] of positions === undefined ? [] : differences(fills, exchanges, positions)) {
    replay.incomplete.add(symbol);
    if (isPositive(missing))
      replay.books(symbol).long.put({ qty: missing, amount: undefined, at: undefined });
  }
  let next = 0;
  // Of one instant exchanges come first: a split is done before the market opens.
  for (const fill of fills) {
    for (let one = exchanges[next]; one !== undefined && one.at <= fill.at; one = exchanges[++next])
      replay.exchange(one);
    replay.trade(fill);
  }
  for (const one of exchanges.slice(next)) replay.exchange(one);
  return replay.history();
}

/** Shares held now less those the history comes to, where they differ. */
function differences(
  fills: readonly Fill[],
  exchanges: readonly ShareExchange[],
  positions: readonly Position[],
): [string, Dec][] {
  const net = new Map<string, Dec>();
  const add = (symbol: string, qty: Dec) => net.set(symbol, (net.get(symbol) ?? ZERO).plus(qty));
  for (const { symbol, side, qty } of positions) {
    const shares = new Dec(qty).abs();
    add(symbol, side === 'short' ? shares.neg() : shares);
  }
  for (const { symbol, side, qty } of fills) add(symbol, side === 'buy' ? qty.neg() : qty);
  for (const { legs } of exchanges) for (const { symbol, qty } of legs) add(symbol, qty.neg());
  return [...net].filter(([, qty]) => !qty.isZero());
}

interface Books {
  readonly long: LotPool;
  readonly short: LotPool;
}

class Replay {
  readonly incomplete = new Set<string>();
  readonly #books = new Map<string, Books>();
  readonly #closings: Closing[] = [];
  readonly #choices: { choice: LotChoice; left: Dec }[];
  readonly #washes = new WashLosses();
  readonly #premiums = new OptionPremiums();
  #trades = 0;

  readonly #method: LotMethod;

  constructor(method: LotMethod, choices: readonly LotChoice[]) {
    this.#method = method;
    this.#choices = choices.map((choice) => ({ choice, left: choice.qty }));
  }

  books(symbol: string): Books {
    const books = this.#books.get(symbol) ?? { long: new LotPool(), short: new LotPool() };
    this.#books.set(symbol, books);
    return books;
  }

  trade(fill: Fill): void {
    const { symbol, side, qty, price, at } = fill;
    this.#close(symbol, side, qty, wholeCents(qty.mul(price)).plus(this.#premiums.partOf(fill)), at);
  }

  /** A trade closes what is held the other way, and opens a lot with what is left of it. @param amount for all of it */
  #close(symbol: string, side: 'buy' | 'sell', qty: Dec, amount: Dec, at: number): void {
    const { long, short } = this.books(symbol);
    const trade = this.#trades++;
    const [closes, opens] = side === 'buy' ? [short, long] : [long, short];
    const taken =
      side === 'buy'
        ? closes.take(qty, 'fifo')
        : closes.take(qty, this.#method, this.#named(symbol, qty, at, long));
    let [left, money] = [qty, amount];
    const closings = taken.map((lot) => {
      const part = partOf(money, lot.qty, left);
      [left, money] = [left.minus(lot.qty), money.minus(part)];
      const sides =
        side === 'sell'
          ? { side: 'long' as const, proceeds: part, cost: lot.amount }
          : { side: 'short' as const, proceeds: lot.amount, cost: part };
      if (lot.amount === undefined) this.incomplete.add(symbol);
      const { qty, at: opened, tacked = 0 } = lot;
      return { symbol, qty, opened, closed: at, trade, tacked, washed: ZERO, disallowed: ZERO, ...sides };
    });
    this.#closings.push(...closings);
    if (side === 'sell') this.#washes.sold(symbol, closings, long);
    if (!isPositive(left)) return;
    const opened = { qty: left, amount: money, at };
    for (const lot of side === 'buy' ? this.#washes.bought(symbol, opened) : [opened]) opens.put(lot);
  }

  /** What was named for a sale, as far as it is held. */
  #named(symbol: string, qty: Dec, at: number, { lots }: LotPool) {
    const day = newYorkDate(at);
    const held = new Map<string, Dec>();
    for (const lot of lots) {
      const acquired = lot.at === undefined ? '' : newYorkDate(lot.at);
      held.set(acquired, (held.get(acquired) ?? ZERO).plus(lot.qty));
    }
    let open = qty;
    return this.#choices.flatMap((one) => {
      const { choice } = one;
      if (choice.symbol !== symbol || choice.sold !== day) return [];
      const known = held.get(choice.acquired) ?? ZERO;
      const part = Dec.min(one.left, open, known);
      if (!isPositive(part)) return [];
      one.left = one.left.minus(part);
      open = open.minus(part);
      held.set(choice.acquired, known.minus(part));
      return [{ acquired: choice.acquired, qty: part }];
    });
  }

  /** Shares that turn into others take cost and age along. */
  exchange({ at, legs, cash, turns, ends }: ShareExchange): void {
    if (ends !== undefined) {
      this.#end(legs, at, ends);
      return;
    }
    const gone = sums(legs.filter(({ qty }) => qty.isNegative()));
    const come = sums(legs.filter(({ qty }) => isPositive(qty)));
    const [from, to] = [[...gone][0], [...come][0]];
    const single = gone.size <= 1 && come.size <= 1;
    if (turns && single && from !== undefined && to !== undefined) {
      const isShort = isPositive(this.books(to[0]).short.qty) || isPositive(this.books(from[0]).short.qty);
      if (isShort) this.#turn('short', to[0], to[1], from[0], from[1].abs());
      else this.#turn('long', from[0], from[1].abs(), to[0], to[1]);
      if (!cash.isZero()) this.incomplete.add(to[0]);
    } else if (turns && single && cash.isZero() && this.#isDifference(from ?? to)) {
      const [symbol, by] = (from ?? to) as readonly [string, Dec];
      const { long, short } = this.books(symbol);
      const isShort = isPositive(short.qty);
      const held = isShort ? short.qty : long.qty;
      this.#turn(isShort ? 'short' : 'long', symbol, held, symbol, isShort ? held.minus(by) : held.plus(by));
    } else if (turns && single && from !== undefined && isPositive(cash)) {
      // A merger for cash is a sale.
      this.#close(from[0], 'sell', from[1].abs(), wholeCents(cash), at);
    } else {
      for (const [symbol, qty] of gone) this.books(symbol).long.take(qty.abs(), 'fifo');
      for (const [symbol, qty] of come) {
        this.books(symbol).long.put({ qty, amount: undefined, at: undefined });
        this.incomplete.add(symbol);
      }
      if (turns) for (const symbol of gone.keys()) this.incomplete.add(symbol);
    }
  }

  /** Whether an exchange is booked as the difference alone: of what is held, or owed, some came or went. */
  #isDifference(shares: readonly [symbol: string, by: Dec] | undefined): boolean {
    if (shares === undefined) return false;
    const { long, short } = this.books(shares[0]);
    return isPositive(short.qty)
      ? short.qty.gt(shares[1])
      : long.qty.plus(shares[1]).gt(0) && isPositive(long.qty);
  }

  /** An option's end: it is closed for nothing, or becomes a part of what a trade of its underlying cost. */
  #end(legs: ShareExchange['legs'], at: number, how: NonNullable<ShareExchange['ends']>): void {
    for (const { symbol, qty } of legs) {
      const side = qty.isNegative() ? 'sell' : 'buy';
      if (how === 'worthless') {
        this.#close(symbol, side, qty.abs(), ZERO, at);
        continue;
      }
      const { long, short } = this.books(symbol);
      const taken = (side === 'sell' ? long : short).take(qty.abs(), 'fifo');
      if (this.#premiums.ended(symbol, side === 'sell', taken, qty.abs(), at)) continue;
      for (const one of [symbol, optionOf(symbol)?.underlying])
        if (one !== undefined) this.incomplete.add(one);
    }
  }

  #turn(side: keyof Books, from: string, old: Dec, to: string, made: Dec): void {
    const taken = this.books(from)[side].take(old, 'fifo');
    if (side === 'long' && from === to) this.#washes.split(from, old, made);
    const known = taken.reduce((sum, { qty }) => sum.plus(qty), ZERO);
    let rest = known.eq(old) ? made : made.mul(known).div(old);
    for (const [index, lot] of taken.entries()) {
      // The last is the difference, so that they add up to what the broker says.
      const qty = index === taken.length - 1 ? rest : lot.qty.mul(made).div(old);
      rest = rest.minus(qty);
      this.books(to)[side].put({ ...lot, qty });
    }
  }

  history(): LotHistory {
    for (const symbol of this.#premiums.left) this.incomplete.add(symbol);
    if (this.#method === 'average') for (const { long } of this.#books.values()) long.spread();
    return {
      closings: this.#closings,
      open: new Map(
        [...this.#books].map(([symbol, { long, short }]) => [symbol, { long: long.lots, short: short.lots }]),
      ),
      incomplete: [...this.incomplete].sort(),
      unused: this.#choices.flatMap(({ left }, index) => (isPositive(left) ? [index] : [])),
    };
  }
}

function sums(legs: ShareExchange['legs']): Map<string, Dec> {
  const all = new Map<string, Dec>();
  for (const { symbol, qty } of legs) all.set(symbol, (all.get(symbol) ?? ZERO).plus(qty));
  return all;
}
