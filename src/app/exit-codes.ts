import type { RunStatus } from '../agent/events.ts';
import { type ErrorCode, isTradeAgentError } from '../errors/errors.ts';

/** Exit codes. Scripts depend on these numbers. */
export const exitCodes = {
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

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The meanings listed by `trade-agent --help`. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [exitCodes.done]: 'done',
  [exitCodes.failed]: 'failed',
  [exitCodes.usage]: 'usage or configuration error',
  [exitCodes.found]: 'check has findings, or some results are missing',
  [exitCodes.loginNeeded]: 'login needed',
  [exitCodes.pending]: 'approval pending (detached)',
  [exitCodes.denied]: 'approval denied',
  [exitCodes.expired]: 'approval expired',
  [exitCodes.blocked]: 'blocked by policy, limit or halt',
  [exitCodes.marketClosed]: 'market closed',
  [exitCodes.unknown]: 'outcome unknown; reconcile first',
  [exitCodes.credentialStore]: 'credential store locked or missing',
  [exitCodes.busy]: 'account or thread is in use by another run',
  [exitCodes.timedOut]: 'timed out',
  [exitCodes.interrupted]: 'interrupted',
};

export const sessionExitCodes: readonly ExitCode[] = [exitCodes.loginNeeded, exitCodes.credentialStore];

export const approvalExitCodes: readonly ExitCode[] = [
  ...sessionExitCodes,
  exitCodes.denied,
  exitCodes.expired,
  exitCodes.blocked,
  exitCodes.unknown,
  exitCodes.timedOut,
];

export const runExitCodes: readonly ExitCode[] = [
  ...approvalExitCodes,
  exitCodes.pending,
  exitCodes.marketClosed,
  exitCodes.busy,
];

const exitCodeByError: Readonly<Record<ErrorCode, ExitCode>> = {
  usage: exitCodes.usage,
  invalid_order: exitCodes.usage,
  invalid_message: exitCodes.usage,
  unknown_symbol: exitCodes.usage,
  invalid_config: exitCodes.usage,
  port_in_use: exitCodes.usage,
  not_found: exitCodes.usage,
  login_required: exitCodes.loginNeeded,
  login_denied: exitCodes.loginNeeded,
  login_expired: exitCodes.loginNeeded,
  insufficient_scope: exitCodes.loginNeeded,
  // The person must sign in with the third party, as for a missing login.
  connection_required: exitCodes.loginNeeded,
  credential_store_unavailable: exitCodes.credentialStore,
  credential_store_locked: exitCodes.credentialStore,
  approval_pending: exitCodes.pending,
  approval_denied: exitCodes.denied,
  // The proposal was withdrawn. Scripts should handle this like a denial.
  approval_cancelled: exitCodes.denied,
  approval_expired: exitCodes.expired,
  blocked: exitCodes.blocked,
  insufficient_funds: exitCodes.blocked,
  price_moved: exitCodes.blocked,
  market_closed: exitCodes.marketClosed,
  outcome_unknown: exitCodes.unknown,
  busy: exitCodes.busy,
  provider_unreachable: exitCodes.failed,
  provider_error: exitCodes.failed,
  gateway_unreachable: exitCodes.failed,
  gateway_refused: exitCodes.failed,
  broker_rejected: exitCodes.failed,
  broker_unreachable: exitCodes.failed,
  message_rejected: exitCodes.failed,
  model_error: exitCodes.failed,
  notice_failed: exitCodes.failed,
  certificate_failed: exitCodes.failed,
  mcp_server_failed: exitCodes.failed,
  output_failed: exitCodes.failed,
  state_corrupt: exitCodes.failed,
  database_unreachable: exitCodes.failed,
  internal: exitCodes.failed,
  timeout: exitCodes.timedOut,
  interrupted: exitCodes.interrupted,
};

const exitCodeByStatus: Readonly<Record<RunStatus, ExitCode>> = {
  done: exitCodes.done,
  pending: exitCodes.pending,
  denied: exitCodes.denied,
  expired: exitCodes.expired,
  blocked: exitCodes.blocked,
  unknown: exitCodes.unknown,
  failed: exitCodes.failed,
};

/** Returns the exit code of an error. Unknown codes count as failures. */
export function exitCodeForError(code: string): ExitCode {
  return Object.hasOwn(exitCodeByError, code) ? exitCodeByError[code as ErrorCode] : exitCodes.failed;
}

interface EndedRun {
  readonly status: RunStatus;
  readonly error?: { readonly code: string } | undefined;
}

/** Returns a run's exit code. An unknown outcome takes precedence over errors, because it must be reconciled first. */
export function exitCodeForRun(run: EndedRun): ExitCode {
  if (run.status === 'unknown') return exitCodeByStatus.unknown;
  if (run.error !== undefined) return exitCodeForError(run.error.code);
  return exitCodeByStatus[run.status];
}

/** Exit codes by precedence, most urgent first. */
const exitCodesByPrecedence: readonly ExitCode[] = [
  exitCodes.unknown,
  exitCodes.interrupted,
  exitCodes.timedOut,
  exitCodes.busy,
  exitCodes.loginNeeded,
  exitCodes.credentialStore,
  exitCodes.pending,
  exitCodes.failed,
  exitCodes.marketClosed,
  exitCodes.blocked,
  exitCodes.denied,
  exitCodes.expired,
  exitCodes.usage,
  exitCodes.found,
];

export function exitCodeForRuns(runs: readonly EndedRun[]): ExitCode {
  return highestPrecedence(runs.map(exitCodeForRun));
}

function highestPrecedence(codes: readonly ExitCode[]): ExitCode {
  return exitCodesByPrecedence.find((code) => codes.includes(code)) ?? exitCodes.done;
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
  return highestPrecedence(missing.length === 0 ? codes : [...codes, exitCodes.found]);
}

interface EndedCheck {
  readonly result: { readonly findings: readonly unknown[] };
  readonly runs: readonly EndedRun[];
  /** Set only if the report could not be written. */
  readonly failure: { readonly code: string } | undefined;
}

/** Returns a check's exit code. @param signal may have ended the check early */
export function exitCodeForCheck(check: EndedCheck, signal: AbortSignal): ExitCode {
  const unfinished = check.runs.map(exitCodeForRun).filter((code) => code !== exitCodes.done);
  // An unknown outcome takes precedence, because it must be reconciled first.
  if (unfinished.includes(exitCodes.unknown)) return exitCodes.unknown;
  if (signal.aborted) return exitCodeForError(isTradeAgentError(signal.reason) ? signal.reason.code : 'interrupted');
  const [first] = unfinished;
  if (first !== undefined) return first;
  if (check.failure !== undefined) return exitCodeForError(check.failure.code);
  return check.result.findings.length > 0 ? exitCodes.found : exitCodes.done;
}
