import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { SSEStreamingApi } from 'hono/streaming';
import type { Clock } from '../../machine/clock.ts';
import { currentLogContext, extendLogContext, type LogContext, runInLogContext } from '../../machine/log-context.ts';
import { createStreamLimit, eventStreamResponse, type ReleaseSlot } from '../../net/event-stream.ts';
import { createTrace, parseTraceparent } from '../../net/trace-context.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { isDatabaseUnavailableError } from '../../store/postgres/store-unavailable.ts';
import { HttpProblem, type HttpProblemOptions, ProblemError } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import type { Caller } from './caller.ts';
import type { EnforceRateLimit, RateLimitedKind } from './caller-rates.ts';
import { ReplayedProblem, toProblemResponse } from './problem.ts';
import { METADATA_PATH } from './protected-resource-metadata.ts';
import { SIGNING_ALGORITHMS } from './token-rules.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** `Retry-After` while the database is unavailable, in seconds. A restart or failover usually takes less time. */
const STORE_RETRY_AFTER_S = 5;

/** Maximum number of open streams per token. All clients that use the same session share one token. */
const MAX_STREAMS_PER_TOKEN = 20;
/** Maximum number of open streams per person, on all machines. */
const MAX_STREAMS_PER_PERSON = 60;

/** Wraps the handler of every route. Checks the caller's token and scopes, and converts errors to HTTP problems. */
export interface Authenticator {
  /** Calls `handle` only if the token has all of these scopes. @param limited the kind of rate limit, if any */
  guard(
    scopes: readonly Scope[],
    handle: (c: Context, caller: Caller) => Promise<Response>,
    limited?: RateLimitedKind,
  ): Handler;
  /**
   * Like `guard`, for server-sent events: `handle` checks the request and returns the function that writes the events.
   * If writing fails, the stream ends and the failure is logged. The client then reconnects and names the last event
   * that it received.
   */
  stream(
    scopes: readonly Scope[],
    handle: (c: Context, caller: Caller) => Promise<(stream: SSEStreamingApi) => Promise<void>>,
  ): Handler;
  open(handle: (c: Context) => Response | Promise<Response>): Handler;
}
type Handler = (c: Context) => Promise<Response>;

interface AuthenticatorOptions {
  readonly verify: TokenVerifier;
  /** Returns the caller of a request made inside this process; undefined for requests over the network. */
  readonly inProcessCaller: (request: Request) => Promise<Caller | undefined>;
  readonly resource: string;
  /** Path of the metadata (RFC 9728), if it is not the default path. */
  readonly metadataPath?: string;
  /** The scopes listed in a 401 response, so that the client asks the person for consent only once. */
  readonly challengeScopes?: readonly string[];
  /** Name of the service in error messages. Defaults to `gateway`. */
  readonly serviceName?: string;
  /** Limits each caller's requests (default: unlimited). */
  readonly limitRequest?: EnforceRateLimit;
  /** Default {@link MAX_STREAMS_PER_PERSON}. */
  readonly maxStreamsPerPerson?: number;
  readonly internalHint?: string;
  readonly clock: Clock;
  readonly log: RequestLog;
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { verify, inProcessCaller: actingFor, resource, clock, log, limitRequest } = options;
  const { metadataPath = METADATA_PATH, challengeScopes } = options;
  const metadataUrl = `${resource.replace(/\/+$/, '')}${metadataPath}`;

  async function answer(c: Context, handle: (answering: Answering) => Response | Promise<Response>): Promise<Response> {
    const requestId = randomUUID();
    const context = requestContext(c, requestId);
    const startedAt = clock.now();
    let caller: Caller | undefined;
    const logged = (status: number, failed?: unknown): void => {
      const isForeseen = failed === undefined || failed instanceof ProblemError;
      log({
        at: new Date(startedAt).toISOString(),
        request_id: requestId,
        // Read after the request was handled, because a ping belongs to its proposal's trace, which is known only then.
        trace_id: context.trace?.traceId,
        ...defined({ proposal: context.proposal }),
        method: c.req.method,
        path: requestPath(c),
        status,
        duration_ms: clock.now() - startedAt,
        ...(failed === undefined ? {} : { code: refusalOf(failed, options).code }),
        ...defined({ sub: caller?.sub, client_id: caller?.clientId, act: caller?.membership?.act }),
        ...(isForeseen ? {} : { error: failed instanceof Error ? failed.name : typeof failed }),
      });
    };
    let failure: unknown;
    let response: Response;
    try {
      response = await runInLogContext(context, async () =>
        handle({
          seen: (who) => {
            caller = who;
          },
          brokeOff: (error) => logged(200, error),
        }),
      );
    } catch (error) {
      failure = error;
      const refusal = refusalOf(error, options);
      const site = { metadataUrl, algorithms: SIGNING_ALGORITHMS, requestId };
      response = toProblemResponse(refusal.toProblem(), asking(refusal), site);
      if (error instanceof ReplayedProblem) response.headers.set('idempotent-replay', 'true');
    }
    extendLogContext({ trace: context.trace });
    if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
    response.headers.set('x-request-id', requestId);
    logged(response.status, failure);
    return response;
  }

  function asking({
    status,
    options: { challenge, retryAfter },
  }: ProblemError<string>): Pick<HttpProblemOptions, 'challenge' | 'retryAfter'> {
    const scoped =
      status === 401 && challenge !== undefined && challengeScopes !== undefined
        ? { scopes: challengeScopes, ...challenge }
        : challenge;
    return {
      ...defined({ challenge: scoped, retryAfter }),
    };
  }

  async function callerAt(c: Context, scopes: readonly Scope[], { seen }: Answering): Promise<Caller> {
    const caller =
      (await actingFor(c.req.raw)) ??
      (await verify({
        method: c.req.method,
        path: requestPath(c),
        authorization: c.req.header('authorization'),
        dpop: c.req.header('dpop'),
      }));
    seen(caller);
    requireScopes(caller, scopes);
    rejectNul(requestPath(c));
    return caller;
  }

  const ofTokens = createStreamLimit(MAX_STREAMS_PER_TOKEN);
  const ofPeople = createStreamLimit(options.maxStreamsPerPerson ?? MAX_STREAMS_PER_PERSON);
  /** Counts a new stream and returns a function to call at its end. @throws {HttpProblem} 429 `too_many_open` */
  function enterStream({ jti, sub }: Caller): ReleaseSlot {
    const leavePerson = ofPeople.enter(sub);
    if (leavePerson === undefined) throw tooManyStreams(ofPeople.most, 'person');
    const leaveToken = ofTokens.enter(jti);
    if (leaveToken === undefined) {
      leavePerson();
      throw tooManyStreams(ofTokens.most, 'token');
    }
    return () => {
      leaveToken();
      leavePerson();
    };
  }

  return {
    open: (handle) => (c) => answer(c, () => handle(c)),
    guard: (scopes, handle, limited) => (c) =>
      answer(c, async (answering) => {
        const caller = await callerAt(c, scopes, answering);
        if (limited !== undefined) await limitRequest?.(limited, caller);
        return await handle(c, caller);
      }),
    stream: (scopes, handle) => (c) =>
      answer(c, async (answering) => {
        const caller = await callerAt(c, scopes, answering);
        const leave = enterStream(caller);
        try {
          await limitRequest?.('streams', caller);
          const write = await handle(c, caller);
          return eventStreamResponse(c, answering.brokeOff, write, leave);
        } catch (error) {
          leave();
          throw error;
        }
      }),
  };
}

function requestContext(c: Context, request_id: string): LogContext {
  const trace = currentLogContext().trace ?? parseTraceparent(c.req.header('traceparent')) ?? createTrace();
  return { request_id, trace };
}

function tooManyStreams(most: number, whose: 'token' | 'person'): HttpProblem {
  return new HttpProblem(429, 'too_many_open', `this ${whose} already has ${most} open streams`, {
    hint: 'Close an open stream first.',
    retryAfter: 5,
    members: { limit: String(most) },
  });
}

/** Rejects a path that contains U+0000, which PostgreSQL can't store, so no resource's name contains it. */
function rejectNul(path: string): void {
  if (path.includes('%00')) throw new HttpProblem(404, 'not_found', 'there is no such endpoint');
}

function refusalOf(
  error: unknown,
  {
    serviceName: called = 'gateway',
    internalHint: hint = 'Look up the order by client_order_id before you send it again.',
  }: Pick<AuthenticatorOptions, 'serviceName' | 'internalHint'>,
): ProblemError<string> {
  if (error instanceof ProblemError) return error;
  return isDatabaseUnavailableError(error)
    ? new HttpProblem(503, 'store_unavailable', `the ${called}’s database is not responding`, {
        hint,
        retryAfter: STORE_RETRY_AFTER_S,
      })
    : new HttpProblem(500, 'internal', `something went wrong in the ${called}`, { hint });
}

interface Answering {
  seen(caller: Caller): void;
  /** Reports a failure that ended a response after its status had been sent. */
  brokeOff(error: unknown): void;
}

/** Requires that the caller's token has all scopes. @throws {HttpProblem} 403 `insufficient_scope` (RFC 6750 §3.1) */
export function requireScopes(caller: Caller, scopes: readonly Scope[]): void {
  if (scopes.every((scope) => caller.scopes.has(scope))) return;
  throw new HttpProblem(
    403,
    'insufficient_scope',
    `the access token does not have all of the required scopes: ${scopes.join(' ')}`,
    {
      hint: 'Request a token with these scopes.',
      members: { required_scopes: [...scopes] },
      challenge: { error: 'insufficient_scope', scopes },
    },
  );
}

/** Returns the caller's client ID. @throws {HttpProblem} 403 `client_unknown` */
export function requireClientId({ clientId }: Pick<Caller, 'clientId'>): string {
  if (clientId !== undefined) return clientId;
  throw new HttpProblem(403, 'client_unknown', 'the access token does not name the client that it was issued to', {
    hint: 'Sign in with a client whose tokens contain client_id (RFC 9068).',
    challenge: {},
  });
}

/** Returns the path, percent-encoded as in a DPoP proof's `htu`. Leaves out the host, because the client chooses it. */
function requestPath(c: Context): string {
  return new URL(c.req.url).pathname;
}

/** A log entry for a request. Leaves out query, headers and body, because they may contain a token or private data. */
export interface RequestLogEntry {
  /** When the request arrived, in RFC 3339 format. */
  readonly at: string;
  readonly request_id: string;
  /** ID of the trace (W3C Trace Context). A request that names no trace gets a new ID. */
  readonly trace_id?: string | undefined;
  /** ID of the proposal that the request created, or that a ping was about. */
  readonly proposal?: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly code?: string;
  readonly sub?: string;
  readonly client_id?: string;
  /** The actor (RFC 8693 `act`). */
  readonly act?: string;
  /** Name of an unexpected error. The error's message is left out, because it may quote the input. */
  readonly error?: string;
}

export type RequestLog = (entry: RequestLogEntry) => void;
