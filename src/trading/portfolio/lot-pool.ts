import { type Dec, isPositive, ZERO } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';

/**
 * Methods that choose the shares of a sale. `fifo`: the oldest shares (26 CFR 1.1012-1(c)(1)). `average`: the oldest
 * shares at the average cost of all shares (26 CFR 1.1012-1(e)(7)). `highest`: the highest cost per share. `specific`:
 * the named lots, then the oldest shares (26 CFR 1.1012-1(c)(2)).
 */
export const lotMethods = ['fifo', 'average', 'highest', 'specific'] as const;
export type LotMethod = (typeof lotMethods)[number];

export interface LotChoice {
  readonly symbol: string;
  readonly sold: IsoDate;
  readonly acquired: IsoDate;
  readonly qty: Dec;
}

export interface Lot {
  readonly qty: Dec;
  /** Amount paid, or received for a short sale, in whole cents. Undefined if unknown. */
  readonly amount: Dec | undefined;
  /** Time of the purchase in milliseconds since the epoch. Undefined if unknown. */
  readonly at: number | undefined;
  /** Days that replaced shares were held before a wash sale. They are added to the lot's own holding period. */
  readonly tacked?: number;
  readonly replaces?: true;
}

/** Rounds to whole cents, half to even. */
export const roundToCents = (value: Dec): Dec => value.toDecimalPlaces(2);

/** The lots of one symbol on one side (long or short), oldest first. Lots of unknown age come first. */
export class LotPool {
  lots: Lot[] = [];

  get qty(): Dec {
    const [first, ...others] = this.lots;
    return first === undefined ? ZERO : others.reduce((sum, { qty }) => sum.plus(qty), first.qty);
  }

  get isEmpty(): boolean {
    return this.lots.length === 0;
  }

  put(lot: Lot): void {
    if ((this.lots.at(-1)?.at ?? 0) <= (lot.at ?? 0)) {
      this.lots.push(lot);
      return;
    }
    const later = this.lots.findIndex(({ at }) => (at ?? 0) > (lot.at ?? 0));
    this.lots.splice(later === -1 ? this.lots.length : later, 0, lot);
  }

  /** Removes up to `qty` shares by a method. The removed and remaining amounts add up to the cent. */
  take(qty: Dec, method: LotMethod, named: readonly { readonly acquired: IsoDate; readonly qty: Dec }[] = []): Lot[] {
    if (this.isEmpty) return [];
    if (method === 'average') return this.#takeAverage(qty);
    const taken = named.flatMap((choice) =>
      this.#takeFrom(choice.qty, ({ at }) => at !== undefined && newYorkDate(at) === choice.acquired),
    );
    const rest = taken.reduce((left, lot) => left.minus(lot.qty), qty);
    if (method === 'highest') {
      let left = rest;
      for (let lot = this.#dearest(); lot !== undefined && isPositive(left); lot = this.#dearest()) {
        const found = this.#takeFrom(left, (one) => one === lot);
        taken.push(...found);
        left = found.reduce((still, one) => still.minus(one.qty), left);
      }
      return taken;
    }
    return taken.length === 0 ? this.#takeFrom(rest) : [...taken, ...this.#takeFrom(rest)];
  }

  /** Spreads the total known cost over the lots in proportion to their shares. Each lot keeps its quantity and age. */
  spread(): void {
    const known = this.lots.filter(({ amount }) => amount !== undefined);
    if (known.length < 2) return;
    let [amount, qty] = sumLots(known);
    this.lots = this.lots.map((lot) => {
      if (lot.amount === undefined) return lot;
      const part = proportionalAmount(amount, lot.qty, qty);
      [amount, qty] = [amount.minus(part), qty.minus(lot.qty)];
      return { ...lot, amount: part };
    });
  }

  /**
   * Removes shares at average cost. All remaining cost goes to the first lot of known cost, until `spread` distributes
   * it.
   */
  #takeAverage(wanted: Dec): Lot[] {
    const [all, shares] = sumLots(this.lots);
    const taken = this.#takeFrom(wanted);
    let qty = sumLots(taken)[1];
    let amount = proportionalAmount(all, qty, shares);
    let left = all.minus(amount);
    this.lots = this.lots.map((lot) => {
      if (lot.amount === undefined) return lot;
      const whole = left;
      left = ZERO;
      return { ...lot, amount: whole };
    });
    return taken.map((lot) => {
      if (lot.amount === undefined) return lot;
      const part = proportionalAmount(amount, lot.qty, qty);
      [amount, qty] = [amount.minus(part), qty.minus(lot.qty)];
      return { ...lot, amount: part };
    });
  }

  #takeFrom(qty: Dec, wanted?: (lot: Lot) => boolean): Lot[] {
    const taken: Lot[] = [];
    let left = qty;
    const kept: Lot[] = [];
    for (const lot of this.lots) {
      if (!isPositive(left) || wanted?.(lot) === false) {
        kept.push(lot);
      } else if (lot.qty.lte(left)) {
        taken.push(lot);
        left = left.minus(lot.qty);
      } else {
        const part = lot.amount === undefined ? undefined : proportionalAmount(lot.amount, left, lot.qty);
        taken.push({ ...lot, qty: left, amount: part });
        kept.push({ ...lot, qty: lot.qty.minus(left), amount: part && lot.amount?.minus(part) });
        left = ZERO;
      }
    }
    this.lots = kept;
    return taken;
  }

  /** Returns the lot with the highest cost per share. Ties go to the oldest, and lots of unknown cost come last. */
  #dearest(): Lot | undefined {
    const [first, ...others] = this.lots;
    return others.reduce((best, lot) => {
      if (lot.amount === undefined) return best;
      if (best?.amount === undefined) return lot;
      return lot.amount.mul(best.qty).gt(best.amount.mul(lot.qty)) ? lot : best;
    }, first);
  }
}

function sumLots(lots: readonly Lot[]): [amount: Dec, qty: Dec] {
  let [amount, shares]: [Dec, Dec] = [ZERO, ZERO];
  for (const { amount: cost, qty } of lots)
    if (cost !== undefined) [amount, shares] = [amount.plus(cost), shares.plus(qty)];
  return [amount, shares];
}

/**
 * Returns the part of an amount that belongs to `qty` of `whole` shares, rounded to the cent, or the unrounded amount
 * if `qty` equals `whole`.
 */
export function proportionalAmount(amount: Dec, qty: Dec, whole: Dec): Dec {
  return qty.eq(whole) ? amount : roundToCents(amount.mul(qty).div(whole));
}
