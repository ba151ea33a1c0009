import type { PolicyReason } from '../../trading/policy-reasons.ts';

/** What is decided about: the same names are Cedar's actions. */
export type Action = 'place' | 'replace' | 'cancel' | 'send_message' | 'change_policy' | 'grant_mandate';

/** Who asks for it, and by whose yes: told by verified tokens alone. */
export interface Subject {
  /** Who proposes. */
  readonly sub: string;
  readonly client: string;
  /** Whose account it is. */
  readonly owner: string;
  /** By what it is approved: nothing yet, the owner's tap, or a mandate of theirs. */
  readonly approval: 'none' | 'tap' | 'mandate';
  /** Who has approved it, where somebody has. */
  readonly approvers: readonly string[];
}

/**
 * What is known when it is decided, as plain JSON: amounts and quantities are decimal strings, times RFC 3339. It is
 * recorded with a refusal, and read again by `policy diff --replay`, so it holds no token and nothing that is not needed.
 * `null` stands for what nobody could tell: a limit that needs it refuses (`FACT_UNAVAILABLE`).
 */
export interface Facts {
  readonly at: string;
  readonly account: string;
  readonly environment: 'paper' | 'live';
  readonly order: OrderFacts | null;
  readonly market: MarketFacts | null;
  readonly holdings: HoldingFacts | null;
  readonly counted: CountedFacts;
  /** Further facts by who adds them (`mandate`, `relations`), flat. */
  readonly more: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

export interface OrderFacts {
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: string;
  readonly time_in_force: string;
  readonly qty: string | null;
  readonly limit_price: string | null;
  readonly reference_price: string;
  readonly max_slippage: string;
  /** Dollars it counts for: the most that it can come to, rounded up; null where nothing bounds it. */
  readonly notional: string | null;
}

export interface MarketFacts {
  readonly is_open: boolean;
  readonly bid: string | null;
  readonly ask: string | null;
  readonly last: string | null;
  /** When the quote is of. */
  readonly quoted_at: string;
}

export interface HoldingFacts {
  readonly equity: string;
  /** At the last session's close; null where the broker doesn't tell. */
  readonly last_equity: string | null;
  /** Shares held of the order's symbol; negative where short. */
  readonly qty: string;
  /** What they are worth, dollars. */
  readonly value: string;
}

/** What the gateway's own journal counts, read in the transaction that claims the order. */
export interface CountedFacts {
  readonly state: 'active' | 'reducing' | 'halted';
  /** Of the account, since the day began in New York, but for this order. */
  readonly day_notional: string;
  readonly day_orders: number;
  readonly last_minute: number;
  readonly open_orders: number;
  /** Dollars of purchases in the order's symbol that went out and are not known to be over. */
  readonly open_symbol_notional: string;
  /** Shares of the order's symbol in sales that went out and are not known to be over. */
  readonly open_symbol_sells: string;
  /** Seconds since an order of the same terms; null where there is none. */
  readonly same_before: number | null;
  /** Whether an order of the other side is open in the same symbol. */
  readonly opposes_open: boolean;
}

export interface Decision {
  readonly effect: 'allow' | 'deny' | 'ask';
  /** All that stand against it, or (`ask`) make the owner's tap needed; the first is the one that is told first. */
  readonly reasons: readonly PolicyReason[];
  /** A sentence for each reason, in the same order. */
  readonly texts: readonly string[];
  /** Of the first reason, where it has such: what may be, and what would be. */
  readonly limit?: string;
  readonly value?: string | null;
  /** Digest of the rules that it was decided by. */
  readonly policy: string;
}
