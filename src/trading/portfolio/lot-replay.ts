import { contractMultiplier, type OptionContract, parseOptionSymbol } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Side } from '../order.ts';
import type { LotClosing, LotHistory } from './lot-history.ts';
import { type Lot, type LotChoice, type LotMethod, LotPool, proportionalAmount, roundToCents } from './lot-pool.ts';
import type { Fill, ShareExchange } from './trades.ts';
import { WashSaleLosses } from './wash-losses.ts';

interface Premium {
  readonly contract: OptionContract;
  readonly symbol: string;
  readonly day: string;
  readonly side: Side;
  shares: Dec;
  /** Dollars to add to the cost or the proceeds of the shares. */
  amount: Dec;
}

/**
 * Premiums of exercised or assigned options, held until the trade in the underlying is booked. A call's premium is
 * added to the cost or proceeds of the shares, and a put's premium is subtracted (IRS Publication 550, "Puts and
 * Calls").
 */
class OptionPremiums {
  #open: Premium[] = [];

  /**
   * Records the premium of exercised or assigned contracts.
   * @param taken the lots of these contracts
   * @returns whether their cost is known
   */
  ended(symbol: string, held: boolean, taken: readonly Lot[], qty: Dec, at: number): boolean {
    const contract = parseOptionSymbol(symbol);
    const known = taken.reduce((sum, lot) => sum.plus(lot.qty), ZERO);
    const amount = taken.reduce<Dec | undefined>((sum, lot) => lot.amount && sum?.plus(lot.amount), ZERO);
    if (contract === undefined || amount === undefined || !known.eq(qty)) return false;
    const isCall = contract.right === 'call';
    this.#open.push({
      contract,
      symbol,
      day: newYorkDate(at),
      side: held === isCall ? 'buy' : 'sell',
      shares: qty.mul(contractMultiplier(symbol)),
      amount: isCall ? amount : amount.neg(),
    });
    return true;
  }

  partOf({ symbol, side, qty, price, at }: Fill): Dec {
    let [left, sum] = [qty, ZERO];
    for (const one of this.#open) {
      const { contract, day } = one;
      const isIts = contract.underlying === symbol && one.side === side && price.eq(contract.strike);
      if (!isIts || day !== newYorkDate(at) || !isPositive(left)) continue;
      const shares = Dec.min(left, one.shares);
      const amount = proportionalAmount(one.amount, shares, one.shares);
      [one.shares, one.amount] = [one.shares.minus(shares), one.amount.minus(amount)];
      [left, sum] = [left.minus(shares), sum.plus(amount)];
    }
    this.#open = this.#open.filter(({ shares }) => isPositive(shares));
    return sum;
  }

  /** Symbols and underlyings of exercised or assigned options whose trade in the underlying was not found. */
  get left(): string[] {
    return this.#open.flatMap(({ symbol, contract }) => [symbol, contract.underlying]);
  }
}

class LotChoices {
  readonly #choices: { readonly choice: LotChoice; left: Dec }[];

  constructor(choices: readonly LotChoice[]) {
    this.#choices = choices.map((choice) => ({ choice, left: choice.qty }));
  }

  named(symbol: string, qty: Dec, at: number, { lots }: LotPool): { acquired: string; qty: Dec }[] {
    if (this.#choices.length === 0) return [];
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

  get unused(): number[] {
    return this.#choices.flatMap(({ left }, index) => (isPositive(left) ? [index] : []));
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
  }

  #booksOf(symbol: string): SymbolLots {
    const books = this.#books.get(symbol) ?? { long: new LotPool(), short: new LotPool() };
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
    const taken =
      side === 'buy'
        ? closes.take(qty, 'fifo')
        : closes.take(qty, this.#method, this.#choices.named(symbol, qty, at, long));
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
    this.#closings.push(...closings);
    if (side === 'sell') this.#washes?.sold(symbol, closings, long);
    if (!isPositive(left)) return;
    const opened = { qty: left, amount: money, at };
    for (const lot of (side === 'buy' && this.#washes?.bought(symbol, opened)) || [opened]) opens.put(lot);
  }

  /**
   * Adds shares of unknown cost. Shares that cover a short position don't become a lot.
   * @param at undefined if the shares predate the record
   */
  bring(symbol: string, qty: Dec, at?: number): void {
    const { long, short } = this.#booksOf(symbol);
    const owed = Dec.min(qty, short.qty);
    if (at !== undefined && isPositive(owed)) this.#close(symbol, 'buy', owed, undefined, at);
    const left = qty.minus(owed);
    if (isPositive(left)) long.put({ qty: left, amount: undefined, at: undefined });
  }

  /** Applies an exchange. Replaced shares pass on their cost and age to the new shares. */
  exchange({ at, legs, cash, replacesShares: turns, ends, basis }: ShareExchange): void {
    if (ends !== undefined) {
      this.#end(legs, at, ends);
      return;
    }
    const gone = sumBySymbol(legs.filter(({ qty }) => qty.isNegative()));
    const come = sumBySymbol(legs.filter(({ qty }) => isPositive(qty)));
    if (turns && this.#turnOne([...gone], [...come], cash, at)) return;
    for (const [symbol, qty] of gone) this.#booksOf(symbol).long.take(qty.abs(), 'fifo');
    for (const [symbol, qty] of come) {
      const held = basis && this.#booksOf(basis.from).long;
      if (basis === undefined || held === undefined || held.isEmpty) this.bring(symbol, qty, at);
      else applySpinOff(held, this.#booksOf(symbol).long, qty, basis.fraction);
      // The cash is for fractional shares that were sold. What they cost is not known.
      if (basis !== undefined && !cash.isZero()) this.uncertain.add(symbol);
    }
    if (turns) for (const symbol of [...gone.keys(), ...come.keys()]) this.uncertain.add(symbol);
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
      const taken = (side === 'sell' ? long : short).take(qty.abs(), 'fifo');
      if (this.#premiums.ended(symbol, side === 'sell', taken, qty.abs(), at)) continue;
      for (const one of [symbol, parseOptionSymbol(symbol)?.underlying]) if (one !== undefined) this.uncertain.add(one);
    }
  }

  #turn(side: keyof SymbolLots, from: string, old: Dec, to: string, made: Dec): void {
    const taken = this.#booksOf(from)[side].take(old, 'fifo');
    if (side === 'long' && from === to) this.#washes?.split(from, old, made);
    const known = taken.reduce((sum, { qty }) => sum.plus(qty), ZERO);
    let rest = known.eq(old) ? made : made.mul(known).div(old);
    for (const [index, lot] of taken.entries()) {
      // The last lot gets the remainder, so that the lots add up to the broker's quantity.
      const qty = index === taken.length - 1 ? rest : lot.qty.mul(made).div(old);
      rest = rest.minus(qty);
      this.#booksOf(to)[side].put({ ...lot, qty });
    }
    // Shares missing from the record are added with unknown cost.
    const missing = known.eq(old) ? ZERO : made.mul(old.minus(known)).div(old);
    if (isPositive(missing)) this.#booksOf(to)[side].put({ qty: missing, amount: undefined, at: undefined });
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
    if (this.#method === 'average') for (const { long } of this.#books.values()) long.spread();
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

function sumBySymbol(legs: ShareExchange['legs']): Map<string, Dec> {
  const all = new Map<string, Dec>();
  for (const { symbol, qty } of legs) all.set(symbol, (all.get(symbol) ?? ZERO).plus(qty));
  return all;
}

/**
 * Divides each lot's cost between the old and the spun-off shares, which inherit the lot's age (26 U.S.C. § 358(b)(2)
 * and (c), § 1223(1); 26 CFR 1.358-2(a)(2)(iv)).
 * @param fraction the fraction of the cost that moves to the spun-off shares, 0 to 1
 */
function applySpinOff(held: LotPool, came: LotPool, qty: Dec, fraction: Dec): void {
  let [shares, left] = [held.qty, qty];
  held.lots = held.lots.map((lot) => {
    const part = lot.qty.eq(shares) ? left : left.mul(lot.qty).div(shares);
    [shares, left] = [shares.minus(lot.qty), left.minus(part)];
    const amount = lot.amount && roundToCents(lot.amount.mul(fraction));
    came.put({ ...lot, qty: part, amount });
    return { ...lot, amount: amount && lot.amount?.minus(amount) };
  });
}
