import type { CheckResult } from '../../check/result-schema.ts';
import { errorObject } from '../../errors/error-object.ts';
import type { Decision } from '../../schedule/due.ts';
import type { RunRecord, RunStatus } from '../../schedule/run-record.ts';
import { defined } from '../../values/defined.ts';
import type { CheckOutcomes } from '../check/run-checks.ts';
import { type ExitCode, exitCodeForChecks, exitCodeForError, exits } from '../exit-codes.ts';

const byExitCode: Readonly<Partial<Record<ExitCode, RunStatus>>> = {
  [exits.done]: 'clear',
  [exits.found]: 'found',
  [exits.pending]: 'pending',
  [exits.denied]: 'denied',
  [exits.expired]: 'expired',
  [exits.blocked]: 'blocked',
  [exits.marketClosed]: 'market_closed',
  [exits.unknown]: 'unknown',
  [exits.busy]: 'busy',
  [exits.timedOut]: 'timed_out',
  [exits.interrupted]: 'interrupted',
};

/** The status of a run that ended with an exit code. */
export function statusOf(exitCode: ExitCode): RunStatus {
  return byExitCode[exitCode] ?? 'failed';
}

const triedAgain: readonly ExitCode[] = [
  exits.failed,
  exits.credentialStore,
  exits.busy,
  exits.timedOut,
  exits.interrupted,
];

/**
 * Whether the next wake-up tries the same moment again. What a person has to put right first (wrong rules, no login)
 * is not tried again, and what became of an order is a result.
 */
export function isTriedAgain(exitCode: ExitCode): boolean {
  return triedAgain.includes(exitCode);
}

/** The worst findings a record keeps. */
const KEPT_FINDINGS = 20;

export type DueNow = Decision & { run: true };

/** How a run ended, and whether the same moment is to be tried again. */
export interface Ended {
  readonly record: RunRecord;
  readonly again: boolean;
}

/** @param due undefined where a person starts it @param now milliseconds since the epoch */
export function begunRecord(schedule: string, due: DueNow | undefined, now: number): RunRecord {
  return {
    schedule,
    due: due === undefined ? null : time(due.due),
    started_at: time(now),
    ended_at: null,
    status: 'running',
    exit_code: null,
    missed: due?.missed ?? 0,
    attempt: due?.attempt ?? 1,
    found: 0,
    findings: [],
    approvals: [],
    unsent: 0,
  };
}

/** Of a run that was killed. */
export function diedRecord(begun: RunRecord, now: number): RunRecord {
  return { ...begun, status: 'died', ended_at: time(now) };
}

/** Of one that runs only while the market is open. */
export function closedRecord(begun: RunRecord, now: number): RunRecord {
  return { ...begun, status: 'market_closed', exit_code: exits.done, ended_at: time(now) };
}

/** @param found by then, of each account */
export function failedRecord(
  begun: RunRecord,
  error: unknown,
  found: readonly CheckResult[],
  now: number,
): Ended {
  const code = exitCodeForError(errorObject(error).code);
  return {
    record: { ...endOf(begun, code, found, now), error: keptError(error) },
    again: isTriedAgain(code),
  };
}

/** @param signal that ended the run, where one did */
export function endedRecord(
  begun: RunRecord,
  outcome: CheckOutcomes,
  signal: AbortSignal,
  now: number,
): Ended {
  const code = exitCodeForChecks(outcome, signal);
  const results = outcome.checks.map(({ result }) => result);
  return { record: endOf(begun, code, results, now), again: isTriedAgain(code) };
}

/** @param results of each account */
function endOf(begun: RunRecord, code: ExitCode, results: readonly CheckResult[], now: number): RunRecord {
  const findings = results.flatMap((result) =>
    result.findings.map((finding) => ({ ...finding, ...inAccount(result) })),
  );
  const approvals = results
    .flatMap(({ proposals }) => proposals)
    .flatMap(({ approvals }) =>
      (approvals as { id: string; status: string }[]).map(({ id, status }) => ({ id, status })),
    );
  return {
    ...begun,
    ended_at: time(now),
    status: statusOf(code),
    exit_code: code,
    found: findings.length,
    findings: findings.slice(0, KEPT_FINDINGS).map(({ rule, severity, message, account }) => ({
      rule,
      severity,
      message,
      ...defined({ account }),
    })),
    approvals,
    unsent: results.flatMap(({ notices = [] }) => notices).filter((notice) => notice.error !== undefined)
      .length,
  };
}

/** Of several accounts, which one. */
function inAccount({ account }: CheckResult): { readonly account?: string } {
  return account.label === undefined ? {} : { account: `${account.account} at ${account.label}` };
}

/** As the record's schema has it. */
function keptError(error: unknown): NonNullable<RunRecord['error']> {
  const { code, message, hint } = errorObject(error);
  return { code, message, ...defined({ hint }) };
}

const time = (at: number) => new Date(at).toISOString();
