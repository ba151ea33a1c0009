import type { CheckResult } from '../../check/result.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import { runCheck } from '../check/run-check.ts';
import type { Context } from '../context.ts';

/** A run told to stop gets this long to end by itself; less than the command as a whole, so that it can be recorded. */
const STOP_MS = 2500;

/** A check that was run: its exit code, or what it threw, and what it printed. */
export interface CheckRun {
  readonly exitCode: number | undefined;
  readonly error: unknown;
  readonly result: CheckResult | undefined;
  /** As `check --output text` prints it. */
  readonly text: string;
}

/** Runs a schedule's check, its result held back. Ends with the signal's reason where the check does not. */
export async function checkInSchedule(context: Context, { check }: Schedule): Promise<CheckRun> {
  let result: CheckResult | undefined;
  let text = '';
  const held: Context = {
    ...context,
    output: {
      format: context.output.format,
      event: context.output.event,
      async result(_thing, data, write) {
        result = data as unknown as CheckResult;
        text = await write();
      },
    },
  };
  const done = new AbortController();
  try {
    const exitCode = await Promise.race([
      // As text it is printed before notices are sent; what became of these is known afterwards.
      runCheck(held, { ...check, format: 'text' }, async (whole) => {
        result = whole;
      }),
      stopped(context, done.signal),
    ]);
    return { exitCode, error: undefined, result, text };
  } catch (error) {
    return {
      exitCode: undefined,
      error: context.signal.aborted ? context.signal.reason : error,
      result,
      text,
    };
  } finally {
    done.abort();
  }
}

/** Rejects a while after the signal, unless it is over before. */
function stopped({ signal, clock }: Context, over: AbortSignal): Promise<never> {
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
