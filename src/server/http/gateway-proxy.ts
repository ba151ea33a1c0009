import type { Context, Hono } from 'hono';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Caller } from '../../gateway/door/caller.ts';
import type { Door } from '../../gateway/door/door.ts';
import { limitedBody } from '../../gateway/routes/request.ts';
import type { Clock } from '../../machine/clock.ts';
import { boundedAnswer, isAnswerTooLong } from '../../net/bounded-fetch.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { PersonSessions } from '../sessions/person-sessions.ts';
import { orRefusal } from './agent-refusal.ts';

export interface GatewayProxyOptions {
  readonly sessions: PersonSessions;
  readonly clock: Clock;
}

/** The only headers that are forwarded, in each direction; the caller's token and proof never are. */
const REQUEST_HEADERS = ['accept', 'content-type', 'idempotency-key', 'last-event-id'];
const ANSWER_HEADERS = ['cache-control', 'content-type', 'idempotent-replay', 'retry-after'];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/**
 * Characters of path and query; bytes of a request's body (the gateway's limit is lower), and of an answer that is no
 * stream.
 */
const LONGEST_ADDRESS = 8 * 1024;
const LARGEST_REQUEST = 64 * 1024;
const LARGEST_ANSWER = 8 * 1024 * 1024;

/**
 * Forwards everything under `/v1/` that is not the agent's to the gateway in the caller's name, with the scopes of
 * their own token. The time limits are a session's; an event stream ends with the token that opened it, and is
 * resumed with the next (`Last-Event-ID`).
 */
export function gatewayProxy(app: Hono, door: Door, options: GatewayProxyOptions): void {
  app.all(
    '/v1/*',
    door.guard([], async (c, caller) => {
      const { pathname, search } = new URL(c.req.url);
      const isAgents = pathname === '/v1/agent' || pathname.startsWith('/v1/agent/');
      if (isAgents || !METHODS.includes(c.req.method)) {
        throw new Refusal(404, 'not_found', 'there is nothing at this address');
      }
      if (pathname.length + search.length > LONGEST_ADDRESS) {
        throw new Refusal(400, 'invalid_query', `an address has at most ${LONGEST_ADDRESS} characters`);
      }
      return await orRefusal(() => passedOn(c, caller, `${pathname}${search}`, options));
    }),
  );
}

async function passedOn(
  c: Context,
  caller: Caller,
  path: string,
  { sessions, clock }: GatewayProxyOptions,
): Promise<Response> {
  const { method } = c.req;
  const body = method === 'GET' ? null : await limitedBody(c.req.raw.body, LARGEST_REQUEST);
  const session = await sessions.seen(caller, caller.accessToken);
  const response = await session.fetch(
    `${session.profile.gateway.replace(/\/+$/, '')}${path}`,
    {
      method,
      headers: only(c.req.raw.headers, REQUEST_HEADERS),
      // With a content type an empty body would be invalid JSON.
      body: body === null || body.byteLength === 0 ? null : body,
      signal: c.req.raw.signal,
    },
    [...caller.scopes],
  );
  if (response.status === 401) {
    await response.body?.cancel();
    throw new Refusal(401, 'token_revoked', 'the gateway no longer lets this server act for you', {
      hint: 'Log in again.',
      challenge: { error: 'invalid_token' },
    });
  }
  const headers = only(response.headers, ANSWER_HEADERS);
  if (headers.get('content-type')?.startsWith('text/event-stream')) {
    const stream = response.body && endingAt(response.body, caller.expiresAt, clock);
    return new Response(stream, { status: response.status, headers });
  }
  const bounded = await boundedAnswer(response, LARGEST_ANSWER).catch((error: unknown): never => {
    if (!isAnswerTooLong(error)) throw error;
    throw new TradeAgentError('gateway_unreachable', 'the gateway sent more than any sound answer has');
  });
  return new Response(bounded.body, { status: response.status, headers });
}

function only(headers: Headers, names: readonly string[]): Headers {
  const kept = names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return new Headers(kept);
}

/** Ends the stream cleanly at this time. @param end milliseconds since the epoch */
function endingAt(body: ReadableStream<Uint8Array>, end: number, clock: Clock): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [over, done] = [new AbortController(), new AbortController()];
  clock.sleep(Math.max(0, end - clock.now()), done.signal).then(
    () => over.abort(),
    () => undefined,
  );
  body
    .pipeTo(writable, { signal: over.signal, preventAbort: true })
    .catch((error: unknown) => (over.signal.aborted ? writable.close() : writable.abort(error)))
    // The reader has gone.
    .catch(() => undefined)
    .finally(() => done.abort());
  return readable;
}
