import type { RunStatus } from '../agent/events.ts';
import { type ErrorCode, isTradeAgentError } from '../errors/errors.ts';

/** Exit codes. Scripts depend on these numbers. */
export const exits = {
  done: 0,
  failed: 1,
  usage: 2,
  found: 3,
  loginNeeded: 4,
  pending: 5,
  denied: 6,
  expired: 7,
  blocked: 8,
  marketClosed: 9,
  unknown: 10,
  credentialStore: 11,
  busy: 12,
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exits)[keyof typeof exits];

/** The meanings listed by `trade-agent --help`. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [exits.done]: 'done',
  [exits.failed]: 'failed',
  [exits.usage]: 'usage or configuration error',
  [exits.found]: 'check has findings, or some results are missing',
  [exits.loginNeeded]: 'login needed',
  [exits.pending]: 'approval pending (detached)',
  [exits.denied]: 'approval denied',
  [exits.expired]: 'approval expired',
  [exits.blocked]: 'blocked by policy, limit or halt',
  [exits.marketClosed]: 'market closed',
  [exits.unknown]: 'outcome unknown; reconcile first',
  [exits.credentialStore]: 'credential store locked or missing',
  [exits.busy]: 'account or thread is in use by another run',
  [exits.timedOut]: 'timed out',
  [exits.interrupted]: 'interrupted',
};

export const sessionExits: readonly ExitCode[] = [exits.loginNeeded, exits.credentialStore];

export const askingExits: readonly ExitCode[] = [
  ...sessionExits,
  exits.denied,
  exits.expired,
  exits.blocked,
  exits.unknown,
  exits.timedOut,
];

export const runExits: readonly ExitCode[] = [...askingExits, exits.pending, exits.marketClosed, exits.busy];

const byError: Readonly<Record<ErrorCode, ExitCode>> = {
  usage: exits.usage,
  invalid_order: exits.usage,
  invalid_message: exits.usage,
  unknown_symbol: exits.usage,
  invalid_config: exits.usage,
  port_in_use: exits.usage,
  not_found: exits.usage,
  login_required: exits.loginNeeded,
  login_denied: exits.loginNeeded,
  login_expired: exits.loginNeeded,
  insufficient_scope: exits.loginNeeded,
  // Signing in at the third party.
  connection_required: exits.loginNeeded,
  credential_store_unavailable: exits.credentialStore,
  credential_store_locked: exits.credentialStore,
  approval_pending: exits.pending,
  approval_denied: exits.denied,
  // The person cancelled it. Scripts see the same exit code as for a denial.
  approval_cancelled: exits.denied,
  approval_expired: exits.expired,
  blocked: exits.blocked,
  insufficient_funds: exits.blocked,
  price_moved: exits.blocked,
  market_closed: exits.marketClosed,
  outcome_unknown: exits.unknown,
  busy: exits.busy,
  provider_unreachable: exits.failed,
  provider_error: exits.failed,
  gateway_unreachable: exits.failed,
  gateway_refused: exits.failed,
  broker_rejected: exits.failed,
  broker_unreachable: exits.failed,
  message_rejected: exits.failed,
  model_error: exits.failed,
  notice_failed: exits.failed,
  mcp_server_failed: exits.failed,
  output_failed: exits.failed,
  state_corrupt: exits.failed,
  internal: exits.failed,
  timeout: exits.timedOut,
  interrupted: exits.interrupted,
};

const byStatus: Readonly<Record<RunStatus, ExitCode>> = {
  done: exits.done,
  pending: exits.pending,
  denied: exits.denied,
  expired: exits.expired,
  blocked: exits.blocked,
  unknown: exits.unknown,
  failed: exits.failed,
};

/** Returns the exit code of an error. Unknown codes count as failures. */
export function exitCodeForError(code: string): ExitCode {
  return Object.hasOwn(byError, code) ? byError[code as ErrorCode] : exits.failed;
}

interface EndedRun {
  readonly status: RunStatus;
  readonly error?: { readonly code: string } | undefined;
}

/** An unknown outcome takes precedence, since only reconciling helps. Otherwise the error is the most specific. */
export function exitCodeForRun(run: EndedRun): ExitCode {
  if (run.status === 'unknown') return byStatus.unknown;
  if (run.error !== undefined) return exitCodeForError(run.error.code);
  return byStatus[run.status];
}

/** Exit codes by precedence: what needs attention most comes first. */
const gravest: readonly ExitCode[] = [
  exits.unknown,
  exits.interrupted,
  exits.timedOut,
  exits.busy,
  exits.loginNeeded,
  exits.credentialStore,
  exits.pending,
  exits.failed,
  exits.marketClosed,
  exits.blocked,
  exits.denied,
  exits.expired,
  exits.usage,
  exits.found,
];

export function exitCodeForRuns(runs: readonly EndedRun[]): ExitCode {
  return highestPrecedence(runs.map(exitCodeForRun));
}

function highestPrecedence(codes: readonly ExitCode[]): ExitCode {
  return gravest.find((code) => codes.includes(code)) ?? exits.done;
}

/**
 * Returns the exit code for checks of several accounts. An account that could not be read counts as `found`.
 * @param signal may have ended the checks early
 */
export function exitCodeForChecks(
  { checks, missing }: { readonly checks: readonly EndedCheck[]; readonly missing: readonly unknown[] },
  signal: AbortSignal,
): ExitCode {
  const codes = checks.map((check) => exitCodeForCheck(check, signal));
  return highestPrecedence(missing.length === 0 ? codes : [...codes, exits.found]);
}

interface EndedCheck {
  readonly result: { readonly findings: readonly unknown[] };
  readonly runs: readonly EndedRun[];
  /** Set if the report could not be written. */
  readonly failure: { readonly code: string } | undefined;
}

/** @param signal may have ended the check early */
export function exitCodeForCheck(check: EndedCheck, signal: AbortSignal): ExitCode {
  const unfinished = check.runs.map(exitCodeForRun).filter((code) => code !== exits.done);
  // An unknown outcome takes precedence.
  if (unfinished.includes(exits.unknown)) return exits.unknown;
  if (signal.aborted)
    return exitCodeForError(isTradeAgentError(signal.reason) ? signal.reason.code : 'interrupted');
  const [first] = unfinished;
  if (first !== undefined) return first;
  if (check.failure !== undefined) return exitCodeForError(check.failure.code);
  return check.result.findings.length > 0 ? exits.found : exits.done;
}
