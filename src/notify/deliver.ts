import type { Clock } from '../machine/clock.ts';
import { type Notice, NoticeFailedError, type NoticeFailureCode, type SendNotice } from './notice.ts';

/**
 * Pauses between delivery attempts, in milliseconds. After the last attempt fails, the notice waits for the next check.
 */
const BACKOFF_MS = [500, 2000] as const;

export interface DeliveryOptions {
  readonly clock: Clock;
  /** Aborts all deliveries when the program stops or the time limit for all notices has passed. */
  readonly signal: AbortSignal;
  readonly attemptMs: number;
}

export interface NoticeDelivery {
  readonly notice: Notice;
  readonly attempts: number;
  readonly failure:
    | { readonly code: NoticeFailureCode; readonly message: string; readonly passing: boolean }
    | undefined;
}

/**
 * Sends notices through one channel, one after another, and retries failures a few times. After a notice fails, the
 * remaining ones are skipped, because waiting for a server that is down would use up the time for other channels. A
 * notice that the server rejects for its content (HTTP 400) does not stop the others.
 */
export async function deliverNotices(
  send: SendNotice,
  notices: readonly Notice[],
  options: DeliveryOptions,
): Promise<NoticeDelivery[]> {
  const deliveries: NoticeDelivery[] = [];
  let broken: NoticeDelivery['failure'];
  for (const notice of notices) {
    if (broken !== undefined) {
      deliveries.push({ notice, attempts: 0, failure: broken });
      continue;
    }
    const delivery = await deliverOne(send, notice, options);
    deliveries.push(delivery);
    const { failure } = delivery;
    if (failure !== undefined && (failure.passing || failure.code !== 'refused')) broken = failure;
  }
  return deliveries;
}

async function deliverOne(
  send: SendNotice,
  notice: Notice,
  { clock, signal, attemptMs }: DeliveryOptions,
): Promise<NoticeDelivery> {
  for (let attempts = 1; ; attempts++) {
    try {
      if (signal.aborted) throw stoppedFailure(signal);
      await withTimeout(attemptMs, clock, signal, (own) => send(notice, own));
      return { notice, attempts, failure: undefined };
    } catch (error) {
      const failure = signal.aborted ? stoppedFailure(signal) : toNoticeFailure(error);
      const wait = BACKOFF_MS[attempts - 1];
      const { code, message, passing, retryAfter = 0 } = failure;
      const sleep = (ms: number) =>
        clock.sleep(ms, signal).then(
          () => true,
          () => false,
        );
      // If time runs out during the pause, the last failure is reported, because it says more than a timeout.
      const again = passing && wait !== undefined && (await sleep(Math.max(wait, retryAfter)));
      if (!again) return { notice, attempts, failure: { code, message, passing } };
    }
  }
}

function stoppedFailure({ reason }: AbortSignal): NoticeFailedError {
  return reason instanceof NoticeFailedError
    ? reason
    : new NoticeFailedError('interrupted', 'the check was stopped before the notice was sent');
}

/** Converts an error to a failure. Drops the message of an unexpected error, because it may contain a secret. */
function toNoticeFailure(error: unknown): NoticeFailedError {
  if (error instanceof NoticeFailedError) return error;
  return new NoticeFailedError('unavailable', `it can't be sent (${error instanceof Error ? error.name : 'error'})`);
}

/** Runs work with a time limit. The limit applies even if the work ignores its signal. */
async function withTimeout<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (own: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const done = new AbortController();
  const stop = () => own.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<never>((_, reject) => {
    own.signal.addEventListener('abort', () => reject(own.signal.reason), { once: true });
  });
  clock.sleep(ms, done.signal).then(
    () => own.abort(new NoticeFailedError('timeout', `there was no response within ${ms / 1000} s`, { passing: true })),
    () => undefined,
  );
  try {
    return await Promise.race([work(own.signal), ended]);
  } finally {
    ended.catch(() => undefined);
    signal.removeEventListener('abort', stop);
    done.abort();
  }
}
