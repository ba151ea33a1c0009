import { randomUUID } from 'node:crypto';
import type { Context } from 'hono';
import type { SSEStreamingApi } from 'hono/streaming';
import type { Clock } from '../../machine/clock.ts';
import { eventAnswer, type Leave, streamLimit } from '../../net/event-answer.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { isStoreAway } from '../../store/postgres/store-away.ts';
import { ProblemError, Refusal, type RefusalOptions } from '../../trading/refusal.ts';
import { defined } from '../../values/defined.ts';
import type { Caller } from './caller.ts';
import { problemResponse, ReplayedRefusal } from './problem.ts';
import { METADATA_PATH } from './protected-resource-metadata.ts';
import { SIGNING_ALGORITHMS } from './token-rules.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** A database that is started again, or whose replica takes over, is back in about so long. Seconds. */
const STORE_RETRY_S = 5;

/** Streams that are open at once by one token, which all programs of one sign-in share. */
const MOST_STREAMS_OF_TOKEN = 20;
/** The same of one person, whose tokens may be of several machines and programs. */
const MOST_STREAMS_OF_PERSON = 60;

/** What happens in front of every route: who calls, may they, and how a no is said. */
export interface Door {
  /** A handler for callers whose token has all these scopes. */
  guard(scopes: readonly Scope[], handle: (c: Context, caller: Caller) => Promise<Response>): Handler;
  /**
   * The same, answered by server-sent events: `handle` looks at the request, and what it returns writes them. Where that fails the
   * stream ends, and the log says why; whoever reads asks anew, after the last event that they saw, and is told then.
   */
  stream(
    scopes: readonly Scope[],
    handle: (c: Context, caller: Caller) => Promise<(stream: SSEStreamingApi) => Promise<void>>,
  ): Handler;
  /** A handler for anyone. */
  open(handle: (c: Context) => Response | Promise<Response>): Handler;
}
type Handler = (c: Context) => Promise<Response>;

interface DoorOptions {
  readonly verify: TokenVerifier;
  /** Whoever this process acts for by a request of its own; nobody's over the network. */
  readonly actingFor: (request: Request) => Promise<Caller | undefined>;
  readonly resource: string;
  /** Where the resource's metadata is, if not at the usual place. */
  readonly metadataPath?: string;
  /** What a 401 asks for: a client that is not signed in gets all that it may need with one consent. */
  readonly challengeScopes?: readonly string[];
  /** What is behind it, and what to do where that fails; the gateway unless said otherwise. */
  readonly called?: string;
  /** Streams that one person has open at once, {@link MOST_STREAMS_OF_PERSON} unless said otherwise. */
  readonly mostStreams?: number;
  readonly internalHint?: string;
  readonly clock: Clock;
  readonly log: RequestLog;
}

export function createDoor(options: DoorOptions): Door {
  const { verify, actingFor, resource, clock, log } = options;
  const { metadataPath = METADATA_PATH, challengeScopes } = options;
  const metadataUrl = `${resource.replace(/\/+$/, '')}${metadataPath}`;

  async function answer(
    c: Context,
    handle: (answering: Answering) => Response | Promise<Response>,
  ): Promise<Response> {
    const requestId = randomUUID();
    const startedAt = clock.now();
    let caller: Caller | undefined;
    const logged = (status: number, failed?: unknown): void => {
      const isForeseen = failed === undefined || failed instanceof ProblemError;
      log({
        at: new Date(startedAt).toISOString(),
        request_id: requestId,
        method: c.req.method,
        path: pathOf(c),
        status,
        duration_ms: clock.now() - startedAt,
        ...(failed === undefined ? {} : { code: refusalOf(failed, options).code }),
        ...(caller === undefined ? {} : { sub: caller.sub }),
        ...defined({ client_id: caller?.clientId, act: caller?.membership?.act }),
        ...(isForeseen ? {} : { error: failed instanceof Error ? failed.name : typeof failed }),
      });
    };
    let failure: unknown;
    let response: Response;
    try {
      response = await handle({
        seen: (who) => {
          caller = who;
        },
        brokeOff: (error) => logged(200, error),
      });
    } catch (error) {
      failure = error;
      const refusal = refusalOf(error, options);
      const site = { metadataUrl, algorithms: SIGNING_ALGORITHMS, requestId };
      response = problemResponse(refusal.toProblem(), asking(refusal), site);
      if (error instanceof ReplayedRefusal) response.headers.set('idempotent-replay', 'true');
    }
    if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'no-store');
    response.headers.set('x-request-id', requestId);
    logged(response.status, failure);
    return response;
  }

  function asking({
    status,
    options: { challenge, retryAfter },
  }: ProblemError<string>): Pick<RefusalOptions, 'challenge' | 'retryAfter'> {
    const scoped =
      status === 401 && challenge !== undefined && challengeScopes !== undefined
        ? { scopes: challengeScopes, ...challenge }
        : challenge;
    return {
      ...defined({ challenge: scoped, retryAfter }),
    };
  }

  /** Who calls, if they may. */
  async function callerAt(c: Context, scopes: readonly Scope[], { seen }: Answering): Promise<Caller> {
    const caller =
      (await actingFor(c.req.raw)) ??
      (await verify({
        method: c.req.method,
        path: pathOf(c),
        authorization: c.req.header('authorization'),
        dpop: c.req.header('dpop'),
      }));
    seen(caller);
    requireScopes(caller, scopes);
    requireNoNul(pathOf(c));
    return caller;
  }

  const ofTokens = streamLimit(MOST_STREAMS_OF_TOKEN);
  const ofPeople = streamLimit(options.mostStreams ?? MOST_STREAMS_OF_PERSON);
  /** @throws {Refusal} 429 `too_many_open` */
  function enterStream({ jti, sub }: Caller): Leave {
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
    guard: (scopes, handle) => (c) =>
      answer(c, async (answering) => handle(c, await callerAt(c, scopes, answering))),
    stream: (scopes, handle) => (c) =>
      answer(c, async (answering) => {
        const caller = await callerAt(c, scopes, answering);
        const leave = enterStream(caller);
        try {
          const write = await handle(c, caller);
          return eventAnswer(c, answering.brokeOff, write, leave);
        } catch (error) {
          leave();
          throw error;
        }
      }),
  };
}

function tooManyStreams(most: number, whose: 'token' | 'person'): Refusal {
  return new Refusal(429, 'too_many_open', `more than ${most} streams are open at once by one ${whose}`, {
    hint: 'Close one first.',
    retryAfter: 5,
    members: { limit: String(most) },
  });
}

/** PostgreSQL keeps no text with U+0000: nothing is named so. */
function requireNoNul(path: string): void {
  if (path.includes('%00')) throw new Refusal(404, 'not_found', 'there is nothing at this address');
}

/** What was thrown, as it is said to who asked. */
function refusalOf(
  error: unknown,
  {
    called = 'gateway',
    internalHint: hint = 'Ask for the order by client_order_id before you send it again.',
  }: Pick<DoorOptions, 'called' | 'internalHint'>,
): ProblemError<string> {
  if (error instanceof ProblemError) return error;
  return isStoreAway(error)
    ? new Refusal(503, 'store_unavailable', `the ${called}’s database does not answer`, {
        hint,
        retryAfter: STORE_RETRY_S,
      })
    : new Refusal(500, 'internal', `something went wrong in the ${called}`, { hint });
}

/** What is said of a request while it is answered, for its log. */
interface Answering {
  seen(caller: Caller): void;
  /** Its answer has begun, and ends too soon. */
  brokeOff(error: unknown): void;
}

/** @throws {Refusal} 403 `insufficient_scope` (RFC 6750 §3.1), naming what is needed */
export function requireScopes(caller: Caller, scopes: readonly Scope[]): void {
  if (scopes.every((scope) => caller.scopes.has(scope))) return;
  throw new Refusal(403, 'insufficient_scope', `the access token lacks a scope: ${scopes.join(' ')} needed`, {
    hint: 'Ask for a token with these scopes.',
    members: { required_scopes: [...scopes] },
    challenge: { error: 'insufficient_scope', scopes },
  });
}

/** @returns the client that the token is for @throws {Refusal} 403 `client_unknown` */
export function requireClient({ clientId }: Pick<Caller, 'clientId'>): string {
  if (clientId !== undefined) return clientId;
  throw new Refusal(403, 'client_unknown', 'the access token does not say which client it is for', {
    hint: 'Sign in by a client whose tokens carry client_id (RFC 9068).',
    challenge: {},
  });
}

/** As sent, still percent-encoded: what a DPoP proof's `htu` names. The host is never taken from the request. */
function pathOf(c: Context): string {
  return new URL(c.req.url).pathname;
}

/** One line about one request. No query, no header, no body: nothing that could hold a token or say what is owned. */
export interface RequestLogEntry {
  /** RFC 3339. */
  readonly at: string;
  readonly request_id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  /** The problem's code, where the request was refused. */
  readonly code?: string;
  readonly sub?: string;
  readonly client_id?: string;
  /** Who acts for that person, a server or an agent, where the token tells (RFC 8693 `act`). */
  readonly act?: string;
  /** The name of an error nobody foresaw. Its message stays out: it may quote what it choked on. */
  readonly error?: string;
}

export type RequestLog = (entry: RequestLogEntry) => void;
