import type { CheckResult } from '../../check/result-schema.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { App } from '../app.ts';
import type { CheckListener } from '../check/run-check.ts';
import { type CheckOutcomes, runChecks } from '../check/run-checks.ts';

/** A run told to stop gets this long to end by itself; less than the command as a whole, so that it can be recorded. */
const STOP_MS = 2500;

/** Nobody sits at the machine when it proposes: the person has a working day to look at their phone. */
const TTL_S = 8 * 3600;

/** A check that was run for a schedule: what it came to; or what it threw, with what it had found by then. */
export type ScheduledCheck =
  | { readonly outcome: CheckOutcomes }
  | { readonly outcome: undefined; readonly error: unknown; readonly found: readonly CheckResult[] };

/** What of a schedule its check goes by. */
export type CheckedSchedule = Pick<Schedule, 'id' | 'name' | 'check'>;

/** What is told of it while it goes on. */
export type CheckProgress = Pick<CheckListener, 'finding' | 'proposing'>;

/**
 * Runs a schedule's check. Ends with the signal's reason where the check does not.
 * @param due milliseconds since the epoch; undefined where a person starts it
 * @param checks runs them: on this machine, unless said otherwise
 */
export async function scheduledCheck(
  app: App,
  { id, name, check }: CheckedSchedule,
  progress: CheckProgress,
  due?: number,
  checks: typeof runChecks = runChecks,
): Promise<ScheduledCheck> {
  const found: CheckResult[] = [];
  const listener = { ...progress, found: (result: CheckResult) => void found.push(result) };
  const done = new AbortController();
  try {
    const outcome = await Promise.race([
      checks(
        app,
        { ...check, requestedBy: `schedule ${name ?? id}`, ttl: TTL_S, due },
        listener,
        () => undefined,
      ),
      stopped(app, done.signal),
    ]);
    return { outcome };
  } catch (error) {
    return { outcome: undefined, error: app.signal.aborted ? app.signal.reason : error, found };
  } finally {
    done.abort();
  }
}

/** Rejects a while after the signal, unless it is over before. */
function stopped({ signal, clock }: App, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => {
      clock.sleep(STOP_MS, over).then(
        () => reject(signal.reason),
        () => undefined,
      );
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    over.addEventListener('abort', () => signal.removeEventListener('abort', onAbort), { once: true });
  });
}
