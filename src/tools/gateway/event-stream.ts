import { createParser } from 'eventsource-parser';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { isTransientError } from './gateway-problem.ts';

const INITIAL_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** Milliseconds without a message before reconnecting: three missed keep-alives (15 s each). */
const SILENCE_TIMEOUT_MS = 45_000;

/** A message in an event stream (HTML Living Standard §9.2), or a keep-alive comment. */
export type StreamMessage =
  | { readonly comment: true }
  | {
      readonly comment?: never;
      readonly event: string | undefined;
      readonly id: string;
      readonly data: string;
    };

/** Yields the messages with numeric IDs. @param maxLength maximum length of an event in UTF-16 code units */
export async function* readStreamMessages(
  body: ReadableStream<Uint8Array>,
  maxLength: number,
): AsyncGenerator<StreamMessage> {
  const found: StreamMessage[] = [];
  let sinceEvent = 0;
  const parser = createParser({
    onComment: () => found.push({ comment: true }),
    onEvent: ({ event, id, data }) => {
      sinceEvent = 0;
      if (id !== undefined && /^\d{1,15}$/.test(id)) found.push({ event, id, data });
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true });
    sinceEvent += text.length;
    parser.feed(text);
    if (found.length > 0) sinceEvent = 0;
    if (sinceEvent > maxLength) return;
    yield* found.splice(0);
  }
}

interface ReconnectOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly lost?: (failures: number) => void;
  /** Milliseconds without a message after which to give up. If omitted, never gives up. */
  readonly giveUpAfterMs?: number;
}

/**
 * Keeps an event stream connected until `signal` aborts, resuming after the last event across lost connections, sleep,
 * restarts and expired tokens.
 * @param connect opens one stream after the event with the given ID
 * @throws {TradeAgentError} a permanent refusal, such as `login_required`; the last error after `giveUpAfterMs`
 */
export async function* streamWithReconnects<Event extends { readonly id?: string }>(
  connect: (until: AbortSignal, after: string | undefined) => AsyncIterable<Event>,
  { clock, signal, lost = () => undefined, giveUpAfterMs = Number.POSITIVE_INFINITY }: ReconnectOptions,
): AsyncGenerator<Event, void, undefined> {
  let last: string | undefined;
  let failures = 0;
  let failure: unknown;
  let heardAt = clock.now();
  while (!signal.aborted) {
    const silent = silenceTimer(clock, signal);
    try {
      for await (const event of connect(AbortSignal.any([signal, silent.signal]), last)) {
        silent.heard();
        heardAt = clock.now();
        failures = 0;
        last = event.id ?? last;
        yield event;
      }
    } catch (error) {
      rethrowPermanent(error, [signal, silent.signal]);
      failures += 1;
      failure = error;
    } finally {
      silent.end();
    }
    if (signal.aborted) return;
    if (clock.now() - heardAt >= giveUpAfterMs) throw connectionLost(failure);
    // A stream that ends when its token expires is not a failure. If the server closes it immediately, a pause is
    // needed.
    if (failures > 0) lost(failures);
    const pause = Math.min(INITIAL_BACKOFF_MS * 2 ** Math.max(0, failures - 1), MAX_BACKOFF_MS);
    await clock.sleep(pause, signal).catch(() => undefined);
  }
}

function connectionLost(cause: unknown): TradeAgentError {
  if (isTradeAgentError(cause)) return cause;
  return new TradeAgentError('gateway_unreachable', 'the connection was lost', { cause });
}

function rethrowPermanent(error: unknown, signals: readonly AbortSignal[]): void {
  if (isTransientError(error) || signals.some(({ aborted }) => aborted)) return;
  // undici and streams report broken connections in different ways.
  if (!(error instanceof TypeError || (error instanceof Error && error.name === 'AbortError'))) throw error;
}

function silenceTimer(clock: Clock, until: AbortSignal) {
  const limit = new AbortController();
  const ended = new AbortController();
  let heardAt = clock.now();
  const watch = async () => {
    const signal = AbortSignal.any([until, ended.signal]);
    for (;;) {
      const left = heardAt + SILENCE_TIMEOUT_MS - clock.now();
      if (left <= 0) return limit.abort(new DOMException('no data arrived on the stream for too long', 'AbortError'));
      await clock.sleep(left, signal);
    }
  };
  watch().catch(() => undefined);
  return {
    signal: limit.signal,
    heard: () => {
      heardAt = clock.now();
    },
    end: () => ended.abort(),
  };
}
