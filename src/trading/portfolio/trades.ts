import type { Dec } from '../decimal.ts';
import type { Side } from '../order.ts';

export interface Fill {
  readonly symbol: string;
  readonly side: Side;
  readonly qty: Dec;
  readonly price: Dec;
  readonly at: number;
  readonly settlesOption?: true;
}

export interface ShareExchange {
  readonly at: number;
  /** Shares received, or negative if given. A leg of zero shares names the parent of a spin-off, or what cash is for. */
  readonly legs: readonly { readonly symbol: string; readonly qty: Dec }[];
  /** Dollars received with the exchange. */
  readonly cash: Dec;
  /** Whether the new shares replace the old ones and inherit their cost. */
  readonly replacesShares: boolean;
  readonly spinsOff?: boolean;
  /** How an option ended: worthless, or in a trade of the underlying, whose cost or proceeds include the premium. */
  readonly ends?: 'worthless' | 'into_underlying' | undefined;
  /** The parent of a spin-off, and the fraction of the parent's cost (0 to 1) that moves to the new shares. */
  readonly basis?: { readonly from: string; readonly fraction: Dec };
}
