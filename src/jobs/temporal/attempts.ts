import { isTradeAgentError } from '../../errors/errors.ts';
import { defined } from '../../values/defined.ts';
import { within } from '../alarm.ts';
import type { JobHandler } from '../job-queue.ts';
import { ABORT_MS, RENEW_MS, RETRY_LIMIT } from '../job-queue.ts';
import type { Activities } from './key-workflow.ts';
import type { Outbox } from './outbox.ts';
import type { TemporalSdk } from './temporal-sdk.ts';

export type Attempts = ReturnType<typeof attemptsAt>;

interface AttemptsOptions {
  readonly outbox: Pick<Outbox, 'begin' | 'giveBack' | 'done' | 'bury'>;
  readonly handler: JobHandler;
  readonly sdk: Pick<TemporalSdk, 'activity'>;
  readonly heard: (error: unknown) => void;
}

/**
 * Attempts are counted in the job's row when they begin: an outage of the database uses up no attempts, and Temporal
 * simply retries until there is nothing to do.
 */
export function attemptsAt({ outbox, handler, sdk, heard }: AttemptsOptions) {
  const { Context, ApplicationFailure } = sdk.activity;
  const running = new Set<Promise<unknown>>();
  let isClosing = false;
  /** The drain time is over; then that of jobs that ignore it. */
  const [closing, leaving] = [new AbortController(), new AbortController()];
  const left = new Promise<never>((_, reject) => {
    leaving.signal.addEventListener('abort', () => reject(leaving.signal.reason), { once: true });
  });
  left.catch(() => undefined);

  /** What Temporal learns of a failure: its code only. */
  const failure = (code: string, nextRetryDelay?: number) => {
    const failed = ApplicationFailure.create({ message: code, type: code, ...defined({ nextRetryDelay }) });
    failed.stack = '';
    return failed;
  };
  const givenBack = () => failure('given_back', 1);

  const failed = async (id: number, tries: number, error: unknown): Promise<void> => {
    if (closing.signal.aborted) {
      await outbox.giveBack(id);
      throw givenBack();
    }
    heard(error);
    const code = isTradeAgentError(error) ? error.code : 'internal';
    if (tries <= RETRY_LIMIT) throw failure(code);
    await outbox.bury(id, code);
  };
  const attempt = async (id: number): Promise<void> => {
    if (isClosing) throw givenBack();
    const context = Context.current();
    const { cancellationSignal: lost } = context;
    const signal = AbortSignal.any([lost, closing.signal]);
    const begun = await outbox.begin(id);
    if (begun === undefined) return;
    const { job, tries } = begun;
    if (tries > RETRY_LIMIT + 1) return await outbox.bury(id, 'lost');
    const alive = setInterval(() => context.heartbeat(), RENEW_MS);
    try {
      const working = handler(job, signal);
      await Promise.race([working, left]);
    } catch (error) {
      // The job is another's now: the outcome is not this attempt's to report.
      if (lost.aborted) throw error;
      return await failed(id, tries, error);
    } finally {
      clearInterval(alive);
    }
    lost.throwIfAborted();
    await outbox.done(id);
  };
  return {
    activities: {
      attempt(id: number) {
        const attempted = attempt(id).catch((error: unknown) => {
          if (error instanceof ApplicationFailure) throw error;
          heard(error);
          throw failure('internal');
        });
        const ended = attempted.catch(() => undefined).finally(() => running.delete(ended));
        running.add(ended);
        return attempted;
      },
    } satisfies Activities,
    /** Waits for running jobs, and gives back the rest. The caller has stopped new ones. */
    async close(drainMs: number): Promise<void> {
      isClosing = true;
      const all = () => Promise.all(running);
      await within(drainMs, all());
      closing.abort();
      await within(ABORT_MS, all());
      leaving.abort();
      await all();
    },
  };
}
