import type { RunStatus } from '../agent/events.ts';
import { type ErrorCode, isTradeAgentError } from '../errors/errors.ts';

/** How a command can end. The numbers stand here alone: scripts rely on them, and they mean the same everywhere. */
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

/** What each exit code means, as `trade-agent --help` lists them. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [exits.done]: 'done',
  [exits.failed]: 'failed',
  [exits.usage]: 'wrong usage or configuration',
  [exits.found]: 'check found something; not all of what was asked for is there',
  [exits.loginNeeded]: 'login needed',
  [exits.pending]: 'approval pending (detached)',
  [exits.denied]: 'approval denied',
  [exits.expired]: 'approval expired',
  [exits.blocked]: 'blocked by policy, limit or halt',
  [exits.marketClosed]: 'market closed',
  [exits.unknown]: 'outcome unknown, reconcile first',
  [exits.credentialStore]: 'credential store locked or missing',
  [exits.busy]: 'another run holds this account or thread',
  [exits.timedOut]: 'timed out',
  [exits.interrupted]: 'interrupted',
};

/** What a command may end with that opens a session. */
export const sessionExits: readonly ExitCode[] = [exits.loginNeeded, exits.credentialStore];

/** What a command may end with that waits for a decision on the phone, and carries nothing else out. */
export const askingExits: readonly ExitCode[] = [
  ...sessionExits,
  exits.denied,
  exits.expired,
  exits.blocked,
  exits.unknown,
  exits.timedOut,
];

/** What a command may end with that drives a run. */
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
  // A sign-in too, at the third party.
  connection_required: exits.loginNeeded,
  credential_store_unavailable: exits.credentialStore,
  credential_store_locked: exits.credentialStore,
  approval_pending: exits.pending,
  approval_denied: exits.denied,
  // The person took it back themselves: for a script the same as a no.
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

/** The exit code for an error's code; that of a failure for one this program doesn't know. */
export function exitCodeForError(code: string): ExitCode {
  return Object.hasOwn(byError, code) ? byError[code as ErrorCode] : exits.failed;
}

/** A run, as far as its exit code needs it. */
interface EndedRun {
  readonly status: RunStatus;
  readonly error?: { readonly code: string } | undefined;
}

/**
 * How a run ends the process. An order whose outcome is unknown comes first, whatever else went wrong: only
 * reconciling helps then. Otherwise the error, which is the more exact of the two.
 */
export function exitCodeForRun(run: EndedRun): ExitCode {
  if (run.status === 'unknown') return byStatus.unknown;
  if (run.error !== undefined) return exitCodeForError(run.error.code);
  return byStatus[run.status];
}

/** Of several exit codes the one to end with: what must be looked after comes first. */
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

/** How several runs end the process that waited for all of them. */
export function exitCodeForRuns(runs: readonly EndedRun[]): ExitCode {
  return gravestOf(runs.map(exitCodeForRun));
}

function gravestOf(codes: readonly ExitCode[]): ExitCode {
  return gravest.find((code) => codes.includes(code)) ?? exits.done;
}

/**
 * How checks of several accounts end the process. An account that could not be looked at is not all that was asked for.
 * @param signal as below
 */
export function exitCodeForChecks(
  { checks, missing }: { readonly checks: readonly EndedCheck[]; readonly missing: readonly unknown[] },
  signal: AbortSignal,
): ExitCode {
  const codes = checks.map((check) => exitCodeForCheck(check, signal));
  return gravestOf(missing.length === 0 ? codes : [...codes, exits.found]);
}

/** Of a check, what says how it ends. */
interface EndedCheck {
  readonly result: { readonly findings: readonly unknown[] };
  readonly runs: readonly EndedRun[];
  /** Why its report could not be written. */
  readonly failure: { readonly code: string } | undefined;
}

/**
 * How a check ends the process.
 * @param signal what may have ended it early
 */
export function exitCodeForCheck(check: EndedCheck, signal: AbortSignal): ExitCode {
  const unfinished = check.runs.map(exitCodeForRun).filter((code) => code !== exits.done);
  // Not known what became of an order: nothing else matters before that.
  if (unfinished.includes(exits.unknown)) return exits.unknown;
  if (signal.aborted)
    return exitCodeForError(isTradeAgentError(signal.reason) ? signal.reason.code : 'interrupted');
  const [first] = unfinished;
  if (first !== undefined) return first;
  if (check.failure !== undefined) return exitCodeForError(check.failure.code);
  return check.result.findings.length > 0 ? exits.found : exits.done;
}
