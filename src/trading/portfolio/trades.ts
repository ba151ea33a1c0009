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
  readonly legs: readonly { readonly symbol: string; readonly qty: Dec }[];
  /** Dollars that came with it. */
  readonly cash: Dec;
  /** Whether what went turned into what came, and so takes its cost along. */
  readonly turns: boolean;
  /** Of an option that ends: for nothing, or in a trade of its underlying whose cost it becomes a part of. */
  readonly ends?: 'worthless' | 'into_underlying' | undefined;
  /** Of a spin-off: whose cost it takes a part of, and which, 0 to 1. */
  readonly basis?: { readonly from: string; readonly fraction: Dec };
}
