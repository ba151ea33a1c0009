import type { Context, Hono } from 'hono';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Authenticator } from '../../gateway/auth/authenticator.ts';
import type { Caller } from '../../gateway/auth/caller.ts';
import { readLimitedBody } from '../../gateway/routes/request.ts';
import type { Clock } from '../../machine/clock.ts';
import { isResponseTooLarge, limitResponseSize } from '../../net/bounded-fetch.ts';
import { traceHeaders } from '../../net/trace-context.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { PersonSessions } from '../sessions/person-sessions.ts';
import { withHttpProblems } from './agent-problem.ts';

export interface GatewayProxyOptions {
  readonly sessions: PersonSessions;
  readonly clock: Clock;
}

/** The headers that are forwarded in each direction. The caller's token and DPoP proof are never forwarded. */
const REQUEST_HEADERS = ['accept', 'content-type', 'idempotency-key', 'last-event-id'];
const RESPONSE_HEADERS = ['cache-control', 'content-type', 'idempotent-replay', 'retry-after'];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** Maximum characters in path and query; maximum bytes in a request body and in a response that is not a stream. */
const MAX_ADDRESS_LENGTH = 8 * 1024;
const MAX_REQUEST_BYTES = 64 * 1024;
const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;

/**
 * Adds a route that forwards requests under `/v1/`, except those for the agent, to the gateway. Requests are sent on
 * the caller's behalf, with the scopes of the caller's token and the timeouts of a session. An event stream ends when
 * the token that opened it expires. The client can resume the stream with a new token (`Last-Event-ID`).
 */
export function addGatewayProxy(app: Hono, authenticator: Authenticator, options: GatewayProxyOptions): void {
  app.all(
    '/v1/*',
    authenticator.guard([], async (c, caller) => {
      const { pathname, search } = new URL(c.req.url);
      const isAgents = pathname === '/v1/agent' || pathname.startsWith('/v1/agent/');
      if (isAgents || !METHODS.includes(c.req.method)) {
        throw new HttpProblem(404, 'not_found', 'there is no such endpoint');
      }
      if (pathname.length + search.length > MAX_ADDRESS_LENGTH) {
        throw new HttpProblem(
          400,
          'invalid_query',
          `the path and query must have at most ${MAX_ADDRESS_LENGTH} characters`,
        );
      }
      return await withHttpProblems(() => forward(c, caller, `${pathname}${search}`, options));
    }),
  );
}

async function forward(
  c: Context,
  caller: Caller,
  path: string,
  { sessions, clock }: GatewayProxyOptions,
): Promise<Response> {
  const { method } = c.req;
  const body = method === 'GET' ? null : await readLimitedBody(c.req.raw.body, MAX_REQUEST_BYTES);
  const session = await sessions.forCaller(caller, caller.accessToken);
  const response = await session.fetch(
    `${session.profile.gateway.replace(/\/+$/, '')}${path}`,
    {
      method,
      headers: { ...Object.fromEntries(pickHeaders(c.req.raw.headers, REQUEST_HEADERS)), ...traceHeaders() },
      // An empty body is omitted, because the gateway would try to parse it as JSON if there is a content type.
      body: body === null || body.byteLength === 0 ? null : body,
      signal: c.req.raw.signal,
    },
    [...caller.scopes],
  );
  if (response.status === 401) {
    await response.body?.cancel();
    throw new HttpProblem(401, 'token_revoked', 'the gateway no longer lets this server act on your behalf', {
      hint: 'Log in again.',
      challenge: { error: 'invalid_token' },
    });
  }
  const headers = pickHeaders(response.headers, RESPONSE_HEADERS);
  if (headers.get('content-type')?.startsWith('text/event-stream')) {
    const stream = response.body && endStreamAt(response.body, caller.expiresAt, clock);
    return new Response(stream, { status: response.status, headers });
  }
  const bounded = await limitResponseSize(response, MAX_RESPONSE_BYTES).catch((error: unknown): never => {
    if (!isResponseTooLarge(error)) throw error;
    throw new TradeAgentError('gateway_unreachable', 'the gateway’s response is too large');
  });
  return new Response(bounded.body, { status: response.status, headers });
}

function pickHeaders(headers: Headers, names: readonly string[]): Headers {
  const kept = names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return new Headers(kept);
}

/** Ends the stream without an error at `end`. @param end milliseconds since the epoch */
function endStreamAt(body: ReadableStream<Uint8Array>, end: number, clock: Clock): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [over, done] = [new AbortController(), new AbortController()];
  clock.sleep(Math.max(0, end - clock.now()), done.signal).then(
    () => over.abort(),
    () => undefined,
  );
  body
    .pipeTo(writable, { signal: over.signal, preventAbort: true })
    .catch((error: unknown) => (over.signal.aborted ? writable.close() : writable.abort(error)))
    // The client has disconnected.
    .catch(() => undefined)
    .finally(() => done.abort());
  return readable;
}
