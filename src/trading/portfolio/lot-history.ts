import type { Dec } from '../decimal.ts';
import type { Lot } from './lot-pool.ts';
import type { WashSaleShares } from './wash-losses.ts';

export interface LotClosing extends Readonly<WashSaleShares> {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly qty: Dec;
  readonly opened: number | undefined;
  readonly closed: number;
  /** Dollars received. Undefined if unknown. */
  readonly proceeds: Dec | undefined;
  /** Dollars paid, including losses that earlier wash sales added. Undefined if unknown. */
  readonly cost: Dec | undefined;
  readonly tacked: number;
  /** Identifies the closing trade. All closings of one trade have the same value. */
  readonly trade: number;
}

export interface LotHistory {
  readonly closings: readonly LotClosing[];
  /** Open lots by symbol. The amounts of a short position are its proceeds. */
  readonly open: ReadonlyMap<string, { readonly long: readonly Lot[]; readonly short: readonly Lot[] }>;
  readonly uncertain: readonly string[];
  readonly incomplete: readonly string[];
  /** Indexes of lot choices that matched no held shares. */
  readonly unused: readonly number[];
}
