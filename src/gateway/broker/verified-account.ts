/** The account that a key pair opens. */
export interface VerifiedAccount {
  readonly accountNumber: string;
  /** By which of the broker's hosts took the pair. */
  readonly environment: 'paper' | 'live';
  /** The broker's own word: `ACTIVE`. */
  readonly status: string;
  /** The broker would take no order now. */
  readonly tradingBlocked: boolean;
}

export interface VerifyOptions {
  /** Which it is where `settings` name an address of their own; the broker's hosts tell by themselves. */
  readonly environment: 'paper' | 'live';
  readonly fetch: typeof fetch;
  /** One request, milliseconds (default 10,000). */
  readonly timeoutMs?: number;
}
