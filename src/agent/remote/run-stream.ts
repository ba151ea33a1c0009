import type { Clock } from '../../machine/clock.ts';
import { keepUp, type StreamMessage, streamMessages } from '../../tools/gateway/event-stream.ts';
import { parse } from '../../tools/gateway/gateway-requests.ts';
import { parsedJson } from '../../values/parsed-json.ts';
import type { AgentEvent } from '../events.ts';
import { eventShapes } from '../view-schemas.ts';
import { agentEventSchema } from './protocol.ts';
import type { RemoteRequests } from './remote-requests.ts';

/** UTF-16 code units: longer than any result. */
const LONGEST_EVENT = 16_000_000;
/** The run continues on the server and can be resumed. */
const GIVE_UP_AFTER_MS = 10 * 60_000;

interface RunStreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
}

/**
 * A run's events, each once and in order across reconnects, until the `result` or the signal.
 * @throws {TradeAgentError} a permanent refusal; `gateway_unreachable` when it gives up; `gateway_refused` for an
 * invalid event
 */
export async function* runEvents(
  server: Pick<RemoteRequests, 'events'>,
  run: string,
  { clock, signal, notice }: RunStreamOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  let last = 0;
  let isLost = false;
  async function* connect(until: AbortSignal, after: string | undefined): AsyncGenerator<StreamMessage> {
    for await (const message of streamMessages(await server.events(run, after, until), LONGEST_EVENT)) {
      // A server that does not know what was read repeats it.
      if (!message.comment && Number(message.id) <= last) continue;
      if (!message.comment) last = Number(message.id);
      yield message;
    }
  }
  const messages = keepUp<StreamMessage & { readonly id?: string }>(connect, {
    clock,
    signal,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    lost: () => {
      if (!isLost) notice('The server cannot be reached; the run goes on there.');
      isLost = true;
    },
  });
  for await (const message of messages) {
    if (isLost) notice('The server answers again.');
    isLost = false;
    const event = message.comment ? undefined : eventIn(message.data);
    if (event === undefined) continue;
    yield event;
    if (event.type === 'result') return;
  }
}

/** Undefined for an unknown type. @throws {TradeAgentError} `gateway_refused` */
function eventIn(data: string): AgentEvent | undefined {
  // The schema rejects undefined.
  const event = parsedJson(data);
  const type = (event as { type?: unknown } | undefined)?.type;
  const isKnown = type === 'result' || (typeof type === 'string' && Object.hasOwn(eventShapes, type));
  return typeof type === 'string' && !isKnown ? undefined : parse(agentEventSchema, event);
}
