/**
 * The error type that commands, tools and servers report. Its `code` is stable (scripts match on it;
 * src/app/exit-codes.ts maps it to an exit code), its message says what happened, and its `hint` says what to do next.
 * The message, the hint and the details must never contain a token, a key, or a response body that could contain one.
 */
export class TradeAgentError extends Error {
  override name = 'TradeAgentError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** Additional facts that are safe to show and log, such as field names, symbols and times. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/**
 * All codes of {@link TradeAgentError}. A problem code of the gateway that is not in this list becomes
 * `gateway_refused`, with the gateway's code in `details.problem`.
 */
export type ErrorCode =
  // usage or configuration errors (exit 2)
  | 'usage'
  | 'invalid_order'
  | 'invalid_message'
  | 'unknown_symbol'
  | 'invalid_config'
  | 'port_in_use'
  | 'not_found'
  // identity (exit 4) and credential store (exit 11)
  | 'login_required'
  | 'login_denied'
  | 'login_expired'
  | 'insufficient_scope'
  // a connection to another service is missing or has ended; `details.connection` names it (exit 4)
  | 'connection_required'
  | 'credential_store_unavailable'
  | 'credential_store_locked'
  // approvals (exit 5, 6, 7)
  | 'approval_pending'
  | 'approval_denied'
  | 'approval_expired'
  | 'approval_cancelled'
  // the order (exit 8, 9, 10)
  | 'blocked'
  | 'insufficient_funds'
  | 'price_moved'
  | 'market_closed'
  | 'outcome_unknown'
  // the account or thread is in use by another run (exit 12)
  | 'busy'
  // everything else
  | 'provider_unreachable'
  | 'provider_error'
  | 'gateway_unreachable'
  | 'gateway_refused'
  | 'broker_rejected'
  | 'broker_unreachable'
  | 'message_rejected'
  | 'model_error'
  | 'notice_failed'
  | 'certificate_failed'
  | 'mcp_server_failed'
  | 'output_failed'
  | 'state_corrupt'
  | 'database_unreachable'
  | 'timeout'
  | 'interrupted'
  | 'internal';

/** Returns whether a value is a `TradeAgentError`, even one from another realm or bundled chunk. */
export function isTradeAgentError(value: unknown): value is TradeAgentError {
  return value instanceof Error && value.name === 'TradeAgentError' && 'code' in value;
}
