import type { Dec } from '../decimal.ts';
import type { BookLot } from './lot-pool.ts';
import type { Washed } from './wash-losses.ts';

export interface Closing extends Readonly<Washed> {
  readonly symbol: string;
  readonly side: 'long' | 'short';
  readonly qty: Dec;
  readonly opened: number | undefined;
  readonly closed: number;
  /** Undefined where nobody told what was received. */
  readonly proceeds: Dec | undefined;
  /** With what earlier wash sales added; undefined where nobody told what was paid. */
  readonly cost: Dec | undefined;
  readonly tacked: number;
  /** The trade that closed them: the closings of one trade have the same. */
  readonly trade: number;
}

export interface LotHistory {
  readonly closings: readonly Closing[];
  /** What is held; a short position's amounts are what was received. */
  readonly open: ReadonlyMap<
    string,
    { readonly long: readonly BookLot[]; readonly short: readonly BookLot[] }
  >;
  readonly uncertain: readonly string[];
  readonly incomplete: readonly string[];
  /** Indexes of choices for which no such shares were held. */
  readonly unused: readonly number[];
}
