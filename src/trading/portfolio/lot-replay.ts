import { contractMultiplier, isAdjustedOption, parseOptionSymbol } from '../asset-class.ts';
import { Dec, isPositive, min, ZERO } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Side } from '../order.ts';
import type { LotClosing, LotHistory } from './lot-history.ts';
import {
  type Lot,
  type LotChoice,
  type LotMethod,
  LotPool,
  type NamedShares,
  proportionalAmount,
  proportionalShares,
  roundToCents,
} from './lot-pool.ts';
import type { Fill, ShareExchange } from './trades.ts';
import { WashSaleLosses } from './wash-losses.ts';

interface Premium {
  readonly symbol: string;
  readonly underlying: string;
  shares: Dec;
  /** Dollars to add to the cost or the proceeds of the shares. */
  amount: Dec;
}

const settlementKey = (underlying: string, side: Side, strike: Dec, at: number) =>
  `${underlying} ${side} ${strike.toFixed()} ${newYorkDate(at)}`;

/**
 * Premiums of exercised or assigned options, held until the trade in the underlying is booked. A call's premium is
 * added to the cost or proceeds of the shares, and a put's premium is subtracted (IRS Publication 550, "Puts and
 * Calls").
 */
class OptionPremiums {
  /** Unused premiums by the trade that they belong to. */
  readonly #open = new Map<string, Premium[]>();

  /**
   * Records the premium of exercised or assigned contracts.
   * @param taken the lots of these contracts
   * @returns whether the cost of these lots is known
   */
  ended(symbol: string, held: boolean, taken: readonly Lot[], qty: Dec, at: number): boolean {
    const contract = parseOptionSymbol(symbol);
    const known = taken.reduce((sum, lot) => sum.plus(lot.qty), ZERO);
    const amount = taken.reduce<Dec | undefined>((sum, lot) => lot.amount && sum?.plus(lot.amount), ZERO);
    if (contract === undefined || amount === undefined || !known.eq(qty)) return false;
    const { underlying, right, strike } = contract;
    const isCall = right === 'call';
    const key = settlementKey(underlying, held === isCall ? 'buy' : 'sell', new Dec(strike), at);
    const shares = qty.mul(contractMultiplier(symbol));
    appendTo(this.#open, key, { symbol, underlying, shares, amount: isCall ? amount : amount.neg() });
    return true;
  }

  partOf({ symbol, side, qty, price, at }: Fill): Dec {
    const key = settlementKey(symbol, side, price, at);
    const open = this.#open.get(key) ?? [];
    let [left, sum] = [qty, ZERO];
    for (const one of open) {
      const shares = min(left, one.shares);
      if (!isPositive(shares)) continue;
      const amount = proportionalAmount(one.amount, shares, one.shares);
      [one.shares, one.amount] = [one.shares.minus(shares), one.amount.minus(amount)];
      [left, sum] = [left.minus(shares), sum.plus(amount)];
    }
    this.#open.set(
      key,
      open.filter(({ shares }) => isPositive(shares)),
    );
    return sum;
  }

  /** Symbols and underlyings of exercised or assigned options whose trade in the underlying was not found. */
  get left(): string[] {
    return [...this.#open.values()].flat().flatMap(({ symbol, underlying }) => [symbol, underlying]);
  }
}

interface OpenChoice {
  readonly acquired: IsoDate;
  readonly index: number;
  left: Dec;
}

interface DayChoices {
  /** Choices that have shares left, in reverse order, because removing the last element is cheap. */
  open: OpenChoice[];
  /** Choices of a day on which no shares still held were bought. Separate, so that sales don't search them again. */
  readonly waiting: Map<IsoDate, OpenChoice[]>;
}

class LotChoices {
  /** Choices by symbol and day of the sale. */
  readonly #days = new Map<string, DayChoices>();

  constructor(choices: readonly LotChoice[]) {
    for (const [index, { symbol, sold, acquired, qty }] of [...choices.entries()].reverse()) {
      if (!isPositive(qty)) continue;
      const key = `${symbol} ${sold}`;
      const day: DayChoices = this.#days.get(key) ?? { open: [], waiting: new Map() };
      day.open.push({ acquired, index, left: qty });
      this.#days.set(key, day);
    }
  }

  named(symbol: string, qty: Dec, at: number, held: LotPool): NamedShares[] {
    const day = this.#days.size === 0 ? undefined : this.#days.get(`${symbol} ${newYorkDate(at)}`);
    if (day === undefined) return [];
    resumeWaiting(day, held);
    const { open, waiting } = day;
    const named = new Map<IsoDate, Dec>();
    const [found, unfinished]: [NamedShares[], OpenChoice[]] = [[], []];
    let left = qty;
    while (isPositive(left)) {
      const choice = open.pop();
      if (choice === undefined) break;
      const { acquired } = choice;
      const already = named.get(acquired) ?? ZERO;
      const part = min(min(choice.left, left), held.qtyOf(acquired).minus(already));
      if (isPositive(part)) {
        choice.left = choice.left.minus(part);
        left = left.minus(part);
        named.set(acquired, already.plus(part));
        found.push({ acquired, qty: part });
      }
      if (held.qtyOf(acquired).isZero()) appendTo(waiting, acquired, choice);
      else if (isPositive(choice.left)) unfinished.push(choice);
    }
    for (const choice of unfinished.reverse()) open.push(choice);
    return found;
  }

  /** Indexes of choices that have shares left. */
  get unused(): number[] {
    const left = [...this.#days.values()].flatMap(({ open, waiting }) => [...open, ...[...waiting.values()].flat()]);
    return left.map(({ index }) => index).sort((a, b) => a - b);
  }
}

function resumeWaiting(day: DayChoices, held: LotPool): void {
  for (const [acquired, choices] of day.waiting) {
    if (held.qtyOf(acquired).isZero()) continue;
    day.waiting.delete(acquired);
    day.open = [...day.open, ...choices].sort((a, b) => b.index - a.index);
  }
}

type Shares = readonly [symbol: string, qty: Dec];

interface SymbolLots {
  readonly long: LotPool;
  readonly short: LotPool;
}

export class LotReplay {
  readonly uncertain = new Set<string>();
  readonly #books = new Map<string, SymbolLots>();
  readonly #closings: LotClosing[] = [];
  readonly #choices: LotChoices;
  readonly #hasChoices: boolean;
  readonly #washes: WashSaleLosses | undefined;
  readonly #premiums = new OptionPremiums();
  #trades = 0;

  readonly #method: LotMethod;

  constructor(
    method: LotMethod,
    { choices, washSales }: { readonly choices: readonly LotChoice[]; readonly washSales: boolean },
  ) {
    this.#method = method;
    this.#washes = washSales ? new WashSaleLosses() : undefined;
    this.#choices = new LotChoices(choices);
    this.#hasChoices = choices.length > 0;
  }

  #booksOf(symbol: string): SymbolLots {
    const known = this.#books.get(symbol);
    if (known !== undefined) return known;
    const books = {
      long: new LotPool(this.#method, { named: this.#hasChoices, washSales: this.#washes !== undefined }),
      short: new LotPool('fifo'),
    };
    this.#books.set(symbol, books);
    return books;
  }

  trade(fill: Fill): void {
    const { symbol, side, qty, price, at } = fill;
    const amount = roundToCents(qty.mul(price));
    const whole = fill.settlesOption === true ? amount.plus(this.#premiums.partOf(fill)) : amount;
    this.#close(symbol, side, qty, whole, at);
  }

  /**
   * Closes lots of the opposite side, then opens a lot with the remaining shares.
   * @param amount dollar amount of the whole trade; undefined if unknown
   */
  #close(symbol: string, side: 'buy' | 'sell', qty: Dec, amount: Dec | undefined, at: number): void {
    const { long, short } = this.#booksOf(symbol);
    const trade = this.#trades++;
    const [closes, opens] = side === 'buy' ? [short, long] : [long, short];
    const taken = closes.take(qty, side === 'buy' ? [] : this.#choices.named(symbol, qty, at, long));
    let [left, money] = [qty, amount];
    const closings = taken.map((lot) => {
      const part = money && proportionalAmount(money, lot.qty, left);
      [left, money] = [left.minus(lot.qty), part && money?.minus(part)];
      const sides =
        side === 'sell'
          ? { side: 'long' as const, proceeds: part, cost: lot.amount }
          : { side: 'short' as const, proceeds: lot.amount, cost: part };
      if (lot.amount === undefined || part === undefined) this.uncertain.add(symbol);
      const { qty, at: opened, tacked = 0 } = lot;
      return { symbol, qty, opened, closed: at, trade, tacked, washed: ZERO, disallowed: ZERO, ...sides };
    });
    for (const closing of closings) this.#closings.push(closing);
    if (side === 'sell') this.#washes?.sold(symbol, closings, long);
    if (!isPositive(left)) return;
    const opened = { qty: left, amount: money, at };
    opens.put((side === 'buy' && this.#washes?.bought(symbol, opened)) || [opened]);
  }

  /**
   * Adds shares of unknown cost. Shares that cover a short position don't become a lot.
   * @param at undefined if the shares predate the record
   */
  bring(symbol: string, qty: Dec, at?: number): void {
    const { long, short } = this.#booksOf(symbol);
    const owed = min(qty, short.qty);
    if (at !== undefined && isPositive(owed)) this.#close(symbol, 'buy', owed, undefined, at);
    const left = qty.minus(owed);
    if (isPositive(left)) long.put([{ qty: left, amount: undefined, at: undefined }]);
  }

  /** Applies an exchange. Replaced shares pass on their cost and age to the new shares. */
  exchange(one: ShareExchange): void {
    const { at, legs, cash, replacesShares, ends } = one;
    if (ends !== undefined) {
      this.#end(legs, at, ends);
      return;
    }
    const gone = sumBySymbol(legs.filter(({ qty }) => isPositive(qty.neg())));
    const come = sumBySymbol(legs.filter(({ qty }) => isPositive(qty)));
    if (replacesShares && this.#turnOne([...gone], [...come], cash, at)) return;
    for (const [symbol, qty] of gone) this.#booksOf(symbol).long.takeOldest(qty.abs());
    for (const [symbol, qty] of come) this.#receive(symbol, qty, one);
    for (const symbol of this.#unclearSymbols(one, come)) this.uncertain.add(symbol);
  }

  #receive(symbol: string, qty: Dec, { at, basis }: ShareExchange): void {
    const held = basis && this.#booksOf(basis.from).long;
    if (basis === undefined || held === undefined || held.isEmpty) this.bring(symbol, qty, at);
    else applySpinOff(held, this.#booksOf(symbol).long, qty, basis.fraction);
  }

  /** Returns the symbols whose cost or gain an exchange leaves unclear. @param come the shares received */
  #unclearSymbols({ legs, cash, replacesShares, spinsOff, basis }: ShareExchange, come: Map<string, Dec>): string[] {
    const symbols = legs.map(({ symbol }) => symbol);
    if (replacesShares) return symbols;
    // The cash is for fractional shares that were sold. Their number and their cost are unknown.
    const paid = cash.isZero() ? [] : come.size > 0 ? [...come.keys()] : symbols;
    if (spinsOff !== true || basis !== undefined) return paid;
    // The new shares take an unknown part of the parent's cost with them.
    return [...paid, ...symbols.filter((parent) => !come.has(parent) && !this.#booksOf(parent).long.isEmpty)];
  }

  /**
   * Converts shares into another symbol's shares, into more or fewer shares of the same symbol, or into cash.
   * @returns false if the exchange is none of these
   */
  #turnOne(gone: readonly Shares[], come: readonly Shares[], cash: Dec, at: number): boolean {
    if (gone.length > 1 || come.length > 1) return false;
    const [[from], [to]] = [gone, come];
    if (from !== undefined && to !== undefined) {
      const isShort = [to, from].some(([symbol]) => isPositive(this.#booksOf(symbol).short.qty));
      if (isShort) this.#turn('short', to[0], to[1], from[0], from[1].abs());
      else this.#turn('long', from[0], from[1].abs(), to[0], to[1]);
      if (!cash.isZero()) this.uncertain.add(to[0]);
      return true;
    }
    const only = from ?? to;
    if (only !== undefined && cash.isZero() && this.#turnBy(only)) return true;
    if (from === undefined || !isPositive(cash)) return false;
    // A cash merger is a sale.
    this.#close(from[0], 'sell', from[1].abs(), roundToCents(cash), at);
    return true;
  }

  /** Applies a split for which only the difference in shares is booked. @returns false if no shares would remain */
  #turnBy([symbol, by]: Shares): boolean {
    const { long, short } = this.#booksOf(symbol);
    const side = isPositive(short.qty) ? 'short' : 'long';
    const [held, made] = side === 'short' ? [short.qty, short.qty.minus(by)] : [long.qty, long.qty.plus(by)];
    if (!isPositive(held) || !isPositive(made)) return false;
    this.#turn(side, symbol, held, symbol, made);
    return true;
  }

  #end(legs: ShareExchange['legs'], at: number, how: NonNullable<ShareExchange['ends']>): void {
    for (const { symbol, qty } of legs) {
      const side = qty.isNegative() ? 'sell' : 'buy';
      if (how === 'worthless') {
        this.#close(symbol, side, qty.abs(), ZERO, at);
        continue;
      }
      const { long, short } = this.#booksOf(symbol);
      const taken = (side === 'sell' ? long : short).takeOldest(qty.abs());
      if (this.#premiums.ended(symbol, side === 'sell', taken, qty.abs(), at)) continue;
      for (const one of [symbol, parseOptionSymbol(symbol)?.underlying]) if (one !== undefined) this.uncertain.add(one);
    }
  }

  #turn(side: keyof SymbolLots, from: string, old: Dec, to: string, made: Dec): void {
    const taken = this.#booksOf(from)[side].takeOldest(old);
    if (side === 'long' && from === to) this.#washes?.split(from, old, made);
    const known = taken.reduce((sum, { qty }) => sum.plus(qty), ZERO);
    const found = proportionalShares(made, known, old);
    const pool = this.#booksOf(to)[side];
    if (isPositive(found)) pool.put(convertLots(taken, known, found));
    // Shares missing from the record are added with unknown cost.
    const missing = made.minus(found);
    if (isPositive(missing)) pool.put([{ qty: missing, amount: undefined, at: undefined }]);
    // A long and a short position in the new symbol offset each other at an unknown price.
    if (isPositive(this.#booksOf(to)[side === 'long' ? 'short' : 'long'].qty)) this.uncertain.add(to);
  }

  #unknown(): string[] {
    const isUnknown = ({ lots }: LotPool) => lots.some(({ amount }) => amount === undefined);
    return [...this.#books].flatMap(([symbol, { long, short }]) =>
      isUnknown(long) || isUnknown(short) ? [symbol] : [],
    );
  }

  history(): LotHistory {
    for (const symbol of this.#premiums.left) this.uncertain.add(symbol);
    for (const symbol of this.#books.keys()) if (isAdjustedOption(symbol)) this.uncertain.add(symbol);
    return {
      closings: this.#closings,
      open: new Map(
        [...this.#books].map(([symbol, { long, short }]) => [symbol, { long: long.lots, short: short.lots }]),
      ),
      uncertain: [...this.uncertain].sort(),
      incomplete: [...new Set([...this.uncertain, ...this.#unknown()])].sort(),
      unused: this.#choices.unused,
    };
  }
}

function appendTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function sumBySymbol(legs: ShareExchange['legs']): Map<string, Dec> {
  const all = new Map<string, Dec>();
  for (const { symbol, qty } of legs) all.set(symbol, (all.get(symbol) ?? ZERO).plus(qty));
  return all;
}

/**
 * Returns lots of `made` shares in total in place of lots of `old` shares. A lot that would be smaller than the smallest
 * fraction of a share is joined to its neighbor, so that its cost is not lost.
 */
function convertLots(lots: readonly Lot[], old: Dec, made: Dec): Lot[] {
  const converted: Lot[] = [];
  let [shares, left] = [old, made];
  let carried: Dec | undefined = ZERO;
  for (const lot of lots) {
    const qty = proportionalShares(left, lot.qty, shares);
    [shares, left] = [shares.minus(lot.qty), left.minus(qty)];
    const amount: Dec | undefined = carried && lot.amount?.plus(carried);
    if (isPositive(qty)) converted.push({ ...lot, qty, amount });
    carried = isPositive(qty) ? ZERO : amount;
  }
  const last = converted.pop();
  return last === undefined ? [] : [...converted, { ...last, amount: carried && last.amount?.plus(carried) }];
}

/**
 * Divides each lot's cost between the old and the spun-off shares, which inherit the lot's age (26 U.S.C. § 358(b)(2)
 * and (c), § 1223(1); 26 CFR 1.358-2(a)(2)(iv)).
 * @param fraction the fraction of the cost that moves to the spun-off shares, 0 to 1
 */
function applySpinOff(held: LotPool, came: LotPool, qty: Dec, fraction: Dec): void {
  const shares = held.qty;
  const lots = held.takeOldest(shares);
  const moved = lots.map((lot) => ({ ...lot, amount: lot.amount && roundToCents(lot.amount.mul(fraction)) }));
  held.put(lots.map((lot, index) => ({ ...lot, amount: lot.amount?.minus(moved[index]?.amount ?? ZERO) })));
  came.put(convertLots(moved, shares, qty));
}
