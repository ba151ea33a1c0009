import type { CheckResult } from '../../check/result-schema.ts';
import { decide } from '../../schedule/due.ts';
import type { Moments } from '../../schedule/moments.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { Journal, ScheduleStore } from '../../schedule/schedule-store.ts';
import type { App } from '../app.ts';
import type { CheckOutcomes } from '../check/run-checks.ts';
import {
  begunRecord,
  closedRecord,
  type DueNow,
  diedRecord,
  endedRecord,
  failedRecord,
} from './run-records.ts';
import { hoursFrom, momentsOf, scheduleStore } from './schedule-context.ts';
import type { CheckProgress, ScheduledCheck } from './scheduled-check.ts';

type Due = DueNow;

/** What a call came to. */
export type ScheduleRun =
  /** @property next milliseconds since the epoch; undefined where it is not known */
  | { readonly status: 'not_due'; readonly next: number | undefined }
  /** @property check undefined where the market is closed, and it runs only while that is open */
  | { readonly status: 'ran'; readonly record: RunRecord; readonly check: CheckOutcomes | undefined };

/**
 * Runs a schedule's check if it is due, or at once where a person says so. What it came to is recorded before this
 * ends, whatever happens short of a kill; a kill is seen and recorded by the next call.
 * @throws {TradeAgentError} `busy` where a run of it is under way; what the check throws, after it is recorded
 */
export async function runSchedule(
  app: App,
  schedule: Schedule,
  { now: atOnce, progress }: { readonly now: boolean; readonly progress: CheckProgress },
): Promise<ScheduleRun> {
  const store = await scheduleStore(app);
  const { check } = schedule;
  // Before any session is opened: a run that proposes nothing has tokens that can only read.
  if (check.suggest !== true || check.approval === 'deny') app.limitToReading();
  const moments = await momentsOf(app, schedule.timing, schedule.profile, store);
  if (!atOnce && !needsLock(store.journal(schedule), moments, app.clock.now())) {
    return { status: 'not_due', next: moments.after(app.clock.now(), 1)[0] };
  }
  return await store.alone(schedule.id, app.signal, async () => {
    const journal = withoutDead(store.journal(schedule), app.clock.now());
    const decision = decide(moments, journal, app.clock.now());
    if (!decision.run && !atOnce) {
      store.write(schedule.id, { ...journal, handled: decision.handled, pending: null });
      return { status: 'not_due', next: decision.next };
    }
    return await runNow(app, {
      store,
      schedule,
      journal,
      due: decision.run ? decision : undefined,
      progress,
    });
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
    runs: journal.runs.map((run) => (run.status === 'running' ? diedRecord(run, now) : run)),
  };
}

interface Turn {
  readonly store: ScheduleStore;
  readonly schedule: Schedule;
  readonly journal: Journal;
  /** Undefined where a person starts it. */
  readonly due: Due | undefined;
  readonly progress: CheckProgress;
}

async function runNow(app: App, { store, schedule, journal, due, progress }: Turn): Promise<ScheduleRun> {
  const { clock } = app;
  const handled = due?.handled ?? journal.handled;
  const begun = begunRecord(schedule.id, due, clock.now());
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

  const fail = (error: unknown, found: readonly CheckResult[] = []) => {
    const { record, again } = failedRecord(begun, error, found, clock.now());
    end(record, again);
  };

  let closed: boolean;
  try {
    closed = schedule.when_open && !(await (await hoursFrom(app)).clock()).is_open;
  } catch (error) {
    fail(app.signal.aborted ? app.signal.reason : error);
    throw error;
  }
  if (closed) {
    const record = closedRecord(begun, clock.now());
    return { status: 'ran', record: end(record, false), check: undefined };
  }

  // Most calls find nothing due, and need none of it.
  const { scheduledCheck } = await import('./scheduled-check.ts');
  const check: ScheduledCheck = await scheduledCheck(app, schedule, progress, due?.due);
  if (check.outcome === undefined) {
    fail(check.error, check.found);
    throw check.error;
  }
  const { record, again } = endedRecord(begun, check.outcome, app.signal, clock.now());
  return { status: 'ran', record: end(record, again), check: check.outcome };
}
