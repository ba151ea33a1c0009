import type { RunStatus } from '../agent/events.ts';
import type { ErrorCode } from '../trading/errors.ts';

/** What each exit code means: the same everywhere, and listed in `trade-agent --help`. */
export const exitCodeMeanings = {
  0: 'done',
  1: 'failed',
  2: 'wrong usage or configuration',
  3: 'check found something',
  4: 'login needed',
  5: 'approval pending (detached)',
  6: 'approval denied',
  7: 'approval expired',
  8: 'blocked by policy, limit or halt',
  9: 'market closed',
  10: 'outcome unknown, reconcile first',
  11: 'credential store locked or missing',
  12: 'another run holds this account or thread',
  124: 'timed out',
  130: 'interrupted',
} as const;

export type ExitCode = keyof typeof exitCodeMeanings;

const byError: Record<ErrorCode, ExitCode> = {
  usage: 2,
  invalid_order: 2,
  invalid_message: 2,
  unknown_symbol: 2,
  invalid_config: 2,
  port_in_use: 2,
  not_found: 2,
  login_required: 4,
  login_denied: 4,
  login_expired: 4,
  insufficient_scope: 4,
  // A sign-in too, at the third party.
  connection_required: 4,
  credential_store_unavailable: 11,
  credential_store_locked: 11,
  approval_pending: 5,
  approval_denied: 6,
  // The person took it back themselves: for a script the same as a no.
  approval_cancelled: 6,
  approval_expired: 7,
  blocked: 8,
  insufficient_funds: 8,
  price_moved: 8,
  market_closed: 9,
  outcome_unknown: 10,
  busy: 12,
  provider_unreachable: 1,
  provider_error: 1,
  gateway_unreachable: 1,
  gateway_refused: 1,
  broker_rejected: 1,
  message_rejected: 1,
  model_error: 1,
  notice_failed: 1,
  output_failed: 1,
  state_corrupt: 1,
  internal: 1,
  timeout: 124,
  interrupted: 130,
};

const byStatus: Record<RunStatus, ExitCode> = {
  done: 0,
  pending: 5,
  denied: 6,
  expired: 7,
  blocked: 8,
  unknown: 10,
  failed: 1,
};

/** The exit code for an error's code; 1 for one this program doesn't know. */
export function exitCodeForError(code: string): ExitCode {
  return Object.hasOwn(byError, code) ? byError[code as ErrorCode] : 1;
}

/**
 * How a run ends the process. An order whose outcome is unknown comes first, whatever else went wrong: only
 * reconciling helps then. Otherwise the error, which is the more exact of the two.
 */
export function exitCodeForRun(run: {
  readonly status: RunStatus;
  readonly error?: { readonly code: string } | undefined;
}): ExitCode {
  if (run.status === 'unknown') return byStatus.unknown;
  if (run.error !== undefined) return exitCodeForError(run.error.code);
  return byStatus[run.status];
}
