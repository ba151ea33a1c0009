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

/** Nobody sits at the machine when it proposes: the person has a working day to look at their phone. */
const TTL_S = 8 * 3600;

/** Runs a schedule's check, its result held back. Ends with the signal's reason where the check does not. */
export async function checkInSchedule(context: Context, { id, name, check }: Schedule): Promise<CheckRun> {
  let result: CheckResult | undefined;
  let text = '';
  let write: () => string | Promise<string> = () => text;
  const held: Context = {
    ...context,
    output: {
      format: context.output.format,
      event: context.output.event,
      async result(_thing, data, say) {
        result = data as unknown as CheckResult;
        write = say;
        text = await say();
      },
    },
  };
  const done = new AbortController();
  const proposing = { ...check, format: 'text', requestedBy: `schedule ${name ?? id}`, ttl: TTL_S } as const;
  try {
    const exitCode = await Promise.race([
      // As text it is printed before notices are sent; what became of these is known afterwards.
      runCheck(held, proposing, async (whole) => {
        result = whole;
        text = await write();
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
