import type { Dec } from '../decimal.ts';
import { type LotPool, wholeCents } from './lot-pool.ts';

/**
 * A spin-off divides what each lot cost between the shares held and those that came, which are as old as they
 * (26 U.S.C. § 358(b)(2) and (c), § 1223(1); 26 CFR 1.358-2(a)(2)(iv)).
 * @param fraction which part goes with those that came, 0 to 1
 */
export function spinOff(held: LotPool, came: LotPool, qty: Dec, fraction: Dec): void {
  let [shares, left] = [held.qty, qty];
  held.lots = held.lots.map((lot) => {
    const part = lot.qty.eq(shares) ? left : left.mul(lot.qty).div(shares);
    [shares, left] = [shares.minus(lot.qty), left.minus(part)];
    const amount = lot.amount && wholeCents(lot.amount.mul(fraction));
    came.put({ ...lot, qty: part, amount });
    return { ...lot, amount: amount && lot.amount?.minus(amount) };
  });
}
