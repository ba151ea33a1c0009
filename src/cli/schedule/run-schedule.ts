import { errorObject } from '../../app/error-object.ts';
import { exitCodeForError } from '../../app/exit-codes.ts';
import { type Decision, decide } from '../../schedule/due.ts';
import type { Moments } from '../../schedule/moments.ts';
import { isTriedAgain, type RunRecord, statusOf } from '../../schedule/run-record.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { Journal, ScheduleStore } from '../../schedule/schedule-store.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';
import type { CheckRun } from './check-in-schedule.ts';
import { momentsOf } from './schedule-context.ts';

/** The worst findings a record keeps. */
const KEPT_FINDINGS = 20;

type Due = Decision & { run: true };

/** What a call of `schedule run` came to. */
export type ScheduleRun =
  | { readonly status: 'not_due'; readonly next: number | undefined }
  | { readonly status: 'ran'; readonly record: RunRecord; readonly check: CheckRun | undefined };

/**
 * Runs a schedule's check if it is due, or at once where a person says so. What it came to is recorded before this
 * ends, whatever happens short of a kill; a kill is seen and recorded by the next call.
 * @throws {TradeAgentError} `busy` where a run of it is under way; what the check throws, after it is recorded
 */
export async function runSchedule(
  context: Context,
  store: ScheduleStore,
  schedule: Schedule,
  { now: atOnce }: { readonly now: boolean },
): Promise<ScheduleRun> {
  const { check } = schedule;
  // Before any session is opened: a run that proposes nothing has tokens that can only read.
  if (check.suggest !== true || check.approval === 'deny') context.limitToReading();
  const moments = await momentsOf(context, schedule.timing, schedule.profile, store);
  if (!atOnce && !needsLock(store.journal(schedule), moments, context.clock.now())) {
    return { status: 'not_due', next: moments.after(context.clock.now(), 1)[0] };
  }
  return await store.alone(schedule.id, context.signal, async () => {
    const journal = withoutDead(store.journal(schedule), context.clock.now());
    const decision = decide(moments, journal, context.clock.now());
    if (!decision.run && !atOnce) {
      store.write(schedule.id, { ...journal, handled: decision.handled, pending: null });
      return { status: 'not_due', next: decision.next };
    }
    return await runNow(context, store, schedule, journal, decision.run ? decision : undefined);
  });
}

/** Whether there is anything to do, or to write down. */
function needsLock(journal: Journal, moments: Moments, now: number): boolean {
  const decision = decide(moments, journal, now);
  return decision.run || decision.handled !== journal.handled;
}

/** Nobody else runs it, so what is said to run was killed. */
function withoutDead(journal: Journal, now: number): Journal {
  return {
    ...journal,
    runs: journal.runs.map((run) =>
      run.status === 'running' ? { ...run, status: 'died', ended_at: time(now) } : run,
    ),
  };
}

async function runNow(
  context: Context,
  store: ScheduleStore,
  schedule: Schedule,
  journal: Journal,
  due: Due | undefined,
): Promise<ScheduleRun> {
  const { clock } = context;
  const handled = due?.handled ?? journal.handled;
  const begun: RunRecord = {
    schedule: schedule.id,
    due: due === undefined ? null : time(due.due),
    started_at: time(clock.now()),
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
  const pending = due === undefined ? journal.pending : { due: due.due, attempts: due.attempt };
  // Written before: should this process be killed, the next one knows that it was tried, and how often.
  store.write(schedule.id, { handled, pending, runs: [...journal.runs, begun] });
  const end = (record: RunRecord, again: boolean) => {
    const isDone = due !== undefined && !again;
    store.write(schedule.id, {
      handled: isDone ? due.due : handled,
      pending: isDone ? null : pending,
      runs: [...journal.runs, record],
    });
    return record;
  };

  let closed: boolean;
  try {
    closed = schedule.when_open && !(await (await context.gateway()).clock()).is_open;
  } catch (error) {
    end(endOf(begun, failed(context, error), clock.now()), isTriedAgain(codeOf(context, error)));
    throw error;
  }
  if (closed) {
    const record: RunRecord = {
      ...begun,
      status: 'market_closed',
      exit_code: 0,
      ended_at: time(clock.now()),
    };
    return { status: 'ran', record: end(record, false), check: undefined };
  }

  // Most calls find nothing due, and need none of it.
  const { checkInSchedule } = await import('./check-in-schedule.ts');
  const check = await checkInSchedule(context, schedule);
  const exitCode = check.exitCode ?? codeOf(context, check.error);
  const record = end(endOf(begun, check, clock.now(), exitCode), isTriedAgain(exitCode));
  if (check.exitCode === undefined) throw check.error;
  return { status: 'ran', record, check };
}

function failed({ signal }: Context, error: unknown): CheckRun {
  return {
    exitCode: undefined,
    error: signal.aborted ? signal.reason : error,
    result: undefined,
    text: '',
  };
}

function codeOf({ signal }: Context, error: unknown): number {
  const thrown = signal.aborted ? signal.reason : error;
  return isTradeAgentError(thrown) ? exitCodeForError(thrown.code) : 1;
}

function endOf(begun: RunRecord, { error, result }: CheckRun, now: number, exitCode?: number): RunRecord {
  const code = exitCode ?? exitCodeForError(errorObject(error).code);
  const approvals = (result?.proposals ?? []).flatMap(({ approvals }) =>
    (approvals as { id: string; status: string }[]).map(({ id, status }) => ({ id, status })),
  );
  return {
    ...begun,
    ended_at: time(now),
    status: statusOf(code),
    exit_code: code,
    found: result?.findings.length ?? 0,
    findings: (result?.findings ?? [])
      .slice(0, KEPT_FINDINGS)
      .map(({ rule, severity, message }) => ({ rule, severity, message })),
    approvals,
    unsent: (result?.notices ?? []).filter((notice) => notice.error !== undefined).length,
    ...(error === undefined ? {} : { error: keptError(error) }),
  };
}

/** As the record's schema has it. */
function keptError(error: unknown): NonNullable<RunRecord['error']> {
  const { code, message, hint } = errorObject(error);
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

const time = (at: number) => new Date(at).toISOString();
