import { type OptionContract, optionOf, unitsOf } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Side } from '../order.ts';
import { type BookLot, partOf } from './lot-pool.ts';
import type { Fill } from './trades.ts';

interface Premium {
  readonly contract: OptionContract;
  readonly symbol: string;
  readonly day: string;
  readonly side: Side;
  shares: Dec;
  /** Dollars that the shares cost more, or were sold for more. */
  amount: Dec;
}

/**
 * What options that were exercised or assigned had cost or brought, until the trade in their underlying is booked. A call's
 * premium is added to what the shares cost or were sold for; a put's is taken from it (IRS Publication 550, "Options", the
 * table "Puts and Calls").
 */
export class OptionPremiums {
  #open: Premium[] = [];

  /** @param taken the lots of the contracts that ended. @returns whether what they cost is known */
  ended(symbol: string, held: boolean, taken: readonly BookLot[], qty: Dec, at: number): boolean {
    const contract = optionOf(symbol);
    const known = taken.reduce((sum, lot) => sum.plus(lot.qty), ZERO);
    const amount = taken.reduce<Dec | undefined>((sum, lot) => lot.amount && sum?.plus(lot.amount), ZERO);
    if (contract === undefined || amount === undefined || !known.eq(qty)) return false;
    const isCall = contract.right === 'call';
    this.#open.push({
      ...{ contract, symbol, day: newYorkDate(at), side: held === isCall ? 'buy' : 'sell' },
      ...{ shares: qty.mul(unitsOf(symbol)), amount: isCall ? amount : amount.neg() },
    });
    return true;
  }

  /** Dollars by which a trade that settles an option cost more, or brought more. */
  partOf({ symbol, side, qty, price, at }: Fill): Dec {
    let [left, sum] = [qty, ZERO];
    for (const one of this.#open) {
      const { contract, day } = one;
      const isIts = contract.underlying === symbol && one.side === side && price.eq(contract.strike);
      if (!isIts || day !== newYorkDate(at) || !isPositive(left)) continue;
      const shares = Dec.min(left, one.shares);
      const amount = partOf(one.amount, shares, one.shares);
      [one.shares, one.amount] = [one.shares.minus(shares), one.amount.minus(amount)];
      [left, sum] = [left.minus(shares), sum.plus(amount)];
    }
    this.#open = this.#open.filter(({ shares }) => isPositive(shares));
    return sum;
  }

  /** The contracts whose trade was never booked, and their underlyings. */
  get left(): string[] {
    return this.#open.flatMap(({ symbol, contract }) => [symbol, contract.underlying]);
  }
}
