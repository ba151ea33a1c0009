import type { CheckResult } from '../../check/result-schema.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { decideRun, type RunDecision } from '../../schedule/decide-run.ts';
import type { RunRecord, RunStatus } from '../../schedule/run-record.ts';
import type { RunTimes } from '../../schedule/run-times.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { ScheduleJournal, ScheduleStore } from '../../schedule/schedule-store.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import type { CheckListener, CheckOutcomes, runChecks } from '../check/run-check.ts';
import { type ExitCode, exitCodeForChecks, exitCodeForError, exitCodes } from '../exit-codes.ts';
import { loadRunTimes, openMarketHoursGateway, openSchedules } from './schedule-context.ts';

export type ScheduleRun =
  /** @property next milliseconds since the epoch, or undefined if unknown */
  | { readonly status: 'not_due'; readonly next: number | undefined }
  /** @property check undefined if the schedule runs only during market hours and the market is closed */
  | { readonly status: 'ran'; readonly record: RunRecord; readonly check: CheckOutcomes | undefined };

/**
 * Runs a schedule's check if the schedule is due, or immediately if `now` is set. Records the outcome before returning.
 * If the process is killed first, the next call detects and records the failed run.
 * @throws {TradeAgentError} `busy` while the schedule is running; any error from the check, after it was recorded
 */
export async function runSchedule(
  app: App,
  schedule: Schedule,
  { now: atOnce, progress }: { readonly now: boolean; readonly progress: CheckProgress },
): Promise<ScheduleRun> {
  const store = await openSchedules(app);
  const { check } = schedule;
  // Called before a session is opened, so that a run that proposes nothing gets a read-only token.
  if (check.suggest !== true || check.approval === 'deny') app.limitToReading();
  const runTimes = await loadRunTimes(app, schedule.timing, schedule.profile, store);
  if (!atOnce && !needsLock(store.journal(schedule), runTimes, app.clock.now())) {
    return { status: 'not_due', next: runTimes.after(app.clock.now(), 1)[0] };
  }
  return await store.alone(schedule.id, app.signal, async () => {
    const journal = markDiedRuns(store.journal(schedule), app.clock.now());
    const decision = decideRun(runTimes, journal, app.clock.now());
    if (!decision.run && !atOnce) {
      store.write(schedule.id, { ...journal, handled: decision.handled, pending: null });
      return { status: 'not_due', next: decision.next };
    }
    return await runNow(app, store, { schedule, journal }, decision.run ? decision : undefined, progress);
  });
}

/** Returns whether the schedule must run or missed runs must be recorded. */
function needsLock(journal: ScheduleJournal, runTimes: RunTimes, now: number): boolean {
  const decision = decideRun(runTimes, journal, now);
  return decision.run || decision.handled !== journal.handled;
}

/** Marks unfinished runs as `died`. Their processes must have been killed, because this process now has the lock. */
function markDiedRuns(journal: ScheduleJournal, now: number): ScheduleJournal {
  return {
    ...journal,
    runs: journal.runs.map((run) => (run.status === 'running' ? createDiedRecord(run, now) : run)),
  };
}

/** Runs the check and records the run. @param due undefined if a person started the run */
async function runNow(
  app: App,
  store: ScheduleStore,
  { schedule, journal }: { readonly schedule: Schedule; readonly journal: ScheduleJournal },
  due: DueDecision | undefined,
  progress: CheckProgress,
): Promise<ScheduleRun> {
  const { clock } = app;
  const handled = due?.handled ?? journal.handled;
  const begun = createStartedRecord(schedule.id, due, clock.now());
  const pending = due === undefined ? journal.pending : { due: due.due, attempts: due.attempt };
  // Recorded before the attempt starts, so that the next call can detect that this process was killed.
  store.write(schedule.id, { handled, pending, runs: [...journal.runs, begun] });
  const end = ({ record, again }: EndedRun) => {
    const isDone = due !== undefined && !again;
    store.write(schedule.id, {
      handled: isDone ? due.due : handled,
      pending: isDone ? null : pending,
      runs: [...journal.runs, record],
    });
    return record;
  };
  try {
    if (schedule.when_open && !(await (await openMarketHoursGateway(app)).clock()).is_open)
      return { status: 'ran', record: end(marketClosedRun(begun, clock.now())), check: undefined };
    const check = await runScheduledCheck(app, schedule, progress, due?.due);
    return { status: 'ran', record: end(toEndedRun(begun, check, app.signal, clock.now())), check };
  } catch (thrown) {
    const { error, found } =
      thrown instanceof ScheduledCheckFailure
        ? thrown
        : new ScheduledCheckFailure(app.signal.aborted ? app.signal.reason : thrown);
    end(toFailedRun(begun, error, found, clock.now()));
    throw thrown instanceof ScheduledCheckFailure ? error : thrown;
  }
}

/** Time limit in milliseconds for an aborted run to stop. The command ends later, because it still records the run. */
const STOP_TIMEOUT_MS = 2500;

/** Lifetime of a proposal in seconds. It is a working day, because people may not see the request immediately. */
const PROPOSAL_TTL_S = 8 * 3600;

/** An error from a scheduled check, with the results that the check produced before the error. */
export class ScheduledCheckFailure {
  readonly error: unknown;
  readonly found: readonly CheckResult[];
  constructor(error: unknown, found: readonly CheckResult[] = []) {
    this.error = error;
    this.found = found;
  }
}

type CheckedSchedule = Pick<Schedule, 'id' | 'name' | 'check'>;

type CheckProgress = Pick<CheckListener, 'finding' | 'proposing'>;

/**
 * Runs a schedule's check. Throws the signal's reason if the check does not end in time.
 * @param due milliseconds since the epoch; undefined if a person started the run
 * @param checks runs the checks; by default, on this machine
 * @throws {ScheduledCheckFailure}
 */
export async function runScheduledCheck(
  app: App,
  { id, name, check }: CheckedSchedule,
  progress: CheckProgress,
  due?: number,
  checks?: typeof runChecks,
): Promise<CheckOutcomes> {
  const found: CheckResult[] = [];
  const listener = { ...progress, found: (result: CheckResult) => void found.push(result) };
  const done = new AbortController();
  try {
    // Loaded only when a run is due, because most calls find no due run.
    const run = checks ?? (await import('../check/run-check.ts')).runChecks;
    return await Promise.race([
      run(
        app,
        { ...check, requestedBy: `schedule ${name ?? id}`, ttl: PROPOSAL_TTL_S, due },
        listener,
        () => undefined,
      ),
      rejectAfterStop(app, done.signal),
    ]);
  } catch (error) {
    throw new ScheduledCheckFailure(app.signal.aborted ? app.signal.reason : error, found);
  } finally {
    done.abort();
  }
}

/** Rejects {@link STOP_TIMEOUT_MS} after the signal aborts, unless `over` has aborted by then. */
function rejectAfterStop({ signal, clock }: App, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => {
      clock.sleep(STOP_TIMEOUT_MS, over).then(
        () => reject(signal.reason),
        () => undefined,
      );
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    over.addEventListener('abort', () => signal.removeEventListener('abort', onAbort), { once: true });
  });
}

const statusByExitCode: Readonly<Partial<Record<ExitCode, RunStatus>>> = {
  [exitCodes.done]: 'clear',
  [exitCodes.found]: 'found',
  [exitCodes.pending]: 'pending',
  [exitCodes.denied]: 'denied',
  [exitCodes.expired]: 'expired',
  [exitCodes.blocked]: 'blocked',
  [exitCodes.marketClosed]: 'market_closed',
  [exitCodes.unknown]: 'unknown',
  [exitCodes.busy]: 'busy',
  [exitCodes.timedOut]: 'timed_out',
  [exitCodes.interrupted]: 'interrupted',
};

export function runStatusForExitCode(exitCode: ExitCode): RunStatus {
  return statusByExitCode[exitCode] ?? 'failed';
}

const retriedExitCodes: readonly ExitCode[] = [
  exitCodes.failed,
  exitCodes.credentialStore,
  exitCodes.busy,
  exitCodes.timedOut,
  exitCodes.interrupted,
];

/**
 * Returns whether a run with this exit code is repeated at the next wake-up. Errors that a person must fix first
 * (invalid rules, no login) and exit codes that report an order's outcome are not retried.
 */
export function isRetriedExitCode(exitCode: ExitCode): boolean {
  return retriedExitCodes.includes(exitCode);
}

/** Maximum number of findings in a record. The most severe findings are kept. */
const MAX_RECORDED_FINDINGS = 20;

export type DueDecision = RunDecision & { run: true };

/** A run's record, and whether the run is repeated at the next wake-up. */
export interface EndedRun {
  readonly record: RunRecord;
  readonly again: boolean;
}

/** Creates a run's record. @param due undefined if a person started the run @param now milliseconds since the epoch */
export function createStartedRecord(schedule: string, due: DueDecision | undefined, now: number): RunRecord {
  return {
    schedule,
    due: due === undefined ? null : isoTime(due.due),
    started_at: isoTime(now),
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

export function createDiedRecord(begun: RunRecord, now: number): RunRecord {
  return { ...begun, status: 'died', ended_at: isoTime(now) };
}

/** Returns the record of a run that did nothing because the market was closed. */
export function marketClosedRun(begun: RunRecord, now: number): EndedRun {
  const record: RunRecord = {
    ...begun,
    status: 'market_closed',
    exit_code: exitCodes.done,
    ended_at: isoTime(now),
  };
  return { record, again: false };
}

/** Returns the record of a run that ended with an error. @param found the results before the error */
export function toFailedRun(begun: RunRecord, thrown: unknown, found: readonly CheckResult[], now: number): EndedRun {
  const { code, message, hint } = toErrorObject(thrown);
  const exitCode = exitCodeForError(code);
  const error = { code, message, ...defined({ hint }) };
  return { record: { ...endedRecord(begun, exitCode, found, now), error }, again: isRetriedExitCode(exitCode) };
}

/** Returns the record of a run that ended without an error. @param signal the signal that may have ended the run */
export function toEndedRun(begun: RunRecord, outcome: CheckOutcomes, signal: AbortSignal, now: number): EndedRun {
  const code = exitCodeForChecks(outcome, signal);
  const results = outcome.checks.map(({ result }) => result);
  return { record: endedRecord(begun, code, results, now), again: isRetriedExitCode(code) };
}

function endedRecord(begun: RunRecord, code: ExitCode, results: readonly CheckResult[], now: number): RunRecord {
  const findings = results.flatMap(({ account: { account, label }, findings: some }) =>
    some.map(({ rule, severity, message }) => ({
      rule,
      severity,
      message,
      ...(label === undefined ? {} : { account: `${account} at ${label}` }),
    })),
  );
  const approvals = results
    .flatMap(({ proposals }) => proposals)
    .flatMap(({ approvals }) =>
      (approvals as { id: string; status: string }[]).map(({ id, status }) => ({ id, status })),
    );
  return {
    ...begun,
    ended_at: isoTime(now),
    status: runStatusForExitCode(code),
    exit_code: code,
    found: findings.length,
    findings: findings.slice(0, MAX_RECORDED_FINDINGS),
    approvals,
    unsent: results.flatMap(({ notices = [] }) => notices).filter((notice) => notice.error !== undefined).length,
  };
}

const isoTime = (at: number) => new Date(at).toISOString();
