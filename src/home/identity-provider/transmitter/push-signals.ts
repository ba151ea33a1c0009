import type { Clock } from '../../../machine/clock.ts';
import type { Outgoing, SignalOutbox } from './signal-outbox.ts';

/** One request to a receiver, milliseconds. */
const TIMEOUT_MS = 10_000;
/** Waits between the tries, milliseconds; the last goes on. */
const WAITS_MS = [2_000, 10_000, 60_000, 600_000] as const;
/** Milliseconds after which it is of no use any more: a receiver takes none older than a week, ours at least. */
const WORTH_MS = 7 * 24 * 3_600_000;

export interface PushSignalsOptions {
  readonly outbox: Pick<SignalOutbox, 'due' | 'done' | 'later'>;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  /** Told of what a receiver did not take, by its host; never holds a token. */
  readonly onError: (message: string) => void;
}

/** Sends what is due, each receiver's one after the other: one that can't be reached holds up nobody else's. */
export async function pushSignals(options: PushSignalsOptions): Promise<void> {
  const { outbox, clock, closing } = options;
  for (let due = outbox.due(clock.now()); due.length > 0 && !closing.aborted; due = outbox.due(clock.now())) {
    await Promise.all(due.map((one) => pushOne(options, one)));
  }
}

/** RFC 8935 §2: 202 is the end of it, and so is a 400, by which the receiver says that it will never take it. */
async function pushOne(
  { outbox, fetch: send, clock, closing, onError }: PushSignalsOptions,
  { id, endpoint, token, made_at, tries }: Outgoing,
): Promise<void> {
  const { host } = new URL(endpoint);
  let said: string;
  try {
    const response = await send(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', accept: 'application/json' },
      body: token,
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing]),
    });
    await response.body?.cancel();
    if (response.ok) return outbox.done(id);
    said = `answered ${response.status}`;
    if (response.status === 400) {
      onError(`signals: ${host} ${said}: a signal is not sent again`);
      return outbox.done(id);
    }
  } catch (error) {
    // What was cut off by closing is sent again at the next start.
    if (closing.aborted) return;
    said = error instanceof Error ? error.name : 'failed';
  }
  const now = clock.now();
  if (now - made_at >= WORTH_MS) {
    onError(`signals: ${host} ${said}: a signal is too old to be sent again`);
    return outbox.done(id);
  }
  if (tries === 0) onError(`signals: ${host} ${said}: it is tried again`);
  outbox.later(id, now + (WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 0));
}
