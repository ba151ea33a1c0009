import type { Dec } from '../decimal.ts';
import type { BookLot } from './lot-pool.ts';
import type { Washed } from './wash-losses.ts';

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
  /** Symbols of which it is not certain what their closings made, by name. */
  readonly uncertain: readonly string[];
  /** Those, and those of which something is held whose cost nobody told, by name. */
  readonly incomplete: readonly string[];
  /** Choices of which no such shares were held; by their place in the list. */
  readonly unused: readonly number[];
}
