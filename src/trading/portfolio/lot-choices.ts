import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { LotChoice, LotPool } from './lot-pool.ts';

/** Lots that were named for sales, and what of them is still to be used. */
export class LotChoices {
  readonly #choices: { readonly choice: LotChoice; left: Dec }[];

  constructor(choices: readonly LotChoice[]) {
    this.#choices = choices.map((choice) => ({ choice, left: choice.qty }));
  }

  /** What was named for a sale, as far as it is held: it counts as used. */
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

  /** Those of which no such shares were held; by their place in the list. */
  get unused(): number[] {
    return this.#choices.flatMap(({ left }, index) => (isPositive(left) ? [index] : []));
  }
}
