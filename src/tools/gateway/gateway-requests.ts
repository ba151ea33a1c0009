import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { startTimeLimit } from '../../net/time-limit.ts';
import { traceHeaders } from '../../net/trace-context.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import { gatewayError } from './gateway-problem.ts';

export interface GatewayAccess extends Pick<Session, 'fetch'> {
  readonly profile: Pick<Session['profile'], 'gateway' | 'account_of' | 'server'>;
}

export interface GatewayClientOptions {
  readonly signal?: AbortSignal;
  /** Timeout of a request in milliseconds, not counting the long-poll time. */
  readonly timeoutMs?: number;
  /** Account number; defaults to the default account. */
  readonly account?: string;
}

export type GatewayRequests = ReturnType<typeof createGatewayRequests>;

interface SendOptions {
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly scopes: readonly Scope[];
  readonly ms?: number;
}

/** The gateway lets a client read 20 times a second after a burst, so a second's wait is good for 20 more. */
const RATE_LIMIT_WAIT_MS = 1_000;
const MAX_RATE_LIMITED_ATTEMPTS = 10;

/** Sends requests with the session's token and a timeout, and reads JSON. */
export function createGatewayRequests(session: GatewayAccess, options: GatewayClientOptions) {
  const { signal, timeoutMs = 15_000, account } = options;
  const { gateway, account_of: accountOf, server } = session.profile;
  const called = server === undefined ? 'the gateway' : 'the server';
  const base = gateway.replace(/\/+$/, '');
  const addressOf = (path: string) => `${base}${withOwnerQuery(withAccountQuery(path, account), accountOf)}`;

  const unreachable = (cause: unknown, ms: number, ...signals: (AbortSignal | undefined)[]) =>
    toConnectionError(cause, { called, base, ms, signals });

  const answerTo = async (path: string, init: RequestInit, scopes: readonly Scope[], ms: number) => {
    const given = init.signal ?? undefined;
    const limit = startTimeLimit(ms, signal, given);
    const once = async () => {
      const response = await session.fetch(
        addressOf(path),
        { ...init, headers: { ...init.headers, ...traceHeaders() }, signal: limit.signal },
        scopes,
      );
      return { ok: response.ok, status: response.status, body: await readBody(response) };
    };
    try {
      return await once().catch((error: unknown) => {
        // The server may have closed an idle connection. A read is repeated once, because it changes nothing.
        if (init.method !== undefined || limit.signal.aborted || !isConnectionLost(error)) throw error;
        return once();
      });
    } catch (error) {
      throw unreachable(error, ms, signal, given);
    } finally {
      limit.end();
    }
  };

  /** Sends a request. @throws {TradeAgentError} if the response is unsuccessful or missing */
  const request = async (
    path: string,
    init: RequestInit,
    scopes: readonly Scope[],
    ms = timeoutMs,
  ): Promise<unknown> => {
    const response = await answerTo(path, init, scopes, ms);
    if (response.ok) return response.body;
    throw gatewayError(response.status, response.body);
  };

  const read = async <T>(path: string, schema: z.ZodType<T>, scope: Scope): Promise<T> => {
    return parseResponseBody(schema, await request(path, { headers: { accept: 'application/json' } }, [scope]));
  };

  /** Repeats a read that the gateway's rate limit refuses, after a wait. */
  const retryRateLimited = async <T>(request: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        const isRateLimited = isTradeAgentError(error) && error.details.status === 429;
        if (!isRateLimited || attempt === MAX_RATE_LIMITED_ATTEMPTS) throw error;
        await setTimeout(RATE_LIMIT_WAIT_MS, undefined, defined({ signal })).catch((cause: unknown) => {
          throw unreachable(cause, timeoutMs, signal);
        });
      }
    }
  };

  const list = async <T>(path: string, name: string, schema: z.ZodType<T>, scope: Scope): Promise<T[]> => {
    const answer = await read(path, z.object({ [name]: z.array(schema) }), scope);
    return answer[name] as T[];
  };

  const send = async <T>(
    method: 'PUT' | 'POST' | 'PATCH',
    path: string,
    schema: z.ZodType<T>,
    { body, headers, scopes, ms }: SendOptions,
  ): Promise<T> => {
    const init = {
      method,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    };
    return parseResponseBody(schema, await request(path, init, scopes, ms));
  };

  /** Opens an event stream that ends when `until` aborts. @throws {TradeAgentError} the errors of `request` */
  const open = async (path: string, headers: Record<string, string>, scope: Scope, until: AbortSignal) => {
    const ended = AbortSignal.any([until, ...(signal === undefined ? [] : [signal])]);
    try {
      const init = { headers: { accept: 'text/event-stream', ...headers }, signal: ended };
      const response = await session.fetch(
        addressOf(path),
        { ...init, headers: { ...init.headers, ...traceHeaders() } },
        [scope],
      );
      if (!response.ok) throw gatewayError(response.status, await readBody(response));
      if (response.body === null) throw new Error('the gateway’s response has no body');
      return response.body;
    } catch (error) {
      throw unreachable(error, timeoutMs, until, signal);
    }
  };

  return {
    timeoutMs,
    /** The `sub` of the account's owner, if the owner is another person. */
    accountOf,
    account,
    request,
    read,
    retryRateLimited,
    list,
    send,
    open,
  };
}

interface FailedRequest {
  /** Receiver of the request, for the message: the gateway or the server. */
  readonly called: string;
  readonly base: string;
  readonly ms: number;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/** Returns the error of a request that was interrupted or has no response. */
function toConnectionError(cause: unknown, { called, base, ms, signals }: FailedRequest): TradeAgentError {
  const ended = signals.find((one) => one?.aborted);
  if (ended !== undefined) return isTradeAgentError(ended.reason) ? ended.reason : interrupted();
  if (isTradeAgentError(cause)) return cause;
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  return new TradeAgentError(
    'gateway_unreachable',
    timedOut ? `${called} did not respond within ${ms / 1000} seconds` : `${called} cannot be reached`,
    { hint: `Check that ${base} is up, then try again.` },
  );
}

export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

const ACCOUNT_PATHS =
  /^\/v1\/(account|positions|portfolio|activities|watchlist|orders|quotes|bars|assets|clock|calendar|news|corporate-actions|policy$)\b/;

function withAccountQuery(path: string, account: string | undefined): string {
  if (account === undefined || !ACCOUNT_PATHS.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}account=${encodeURIComponent(account)}`;
}

/** Matches paths that concern an account, but not those that concern the person, the market or a proposal. */
const OWNER_PATHS = /^\/v1\/(accounts?|positions|portfolio|activities|watchlist|orders|halt)\b/;

function withOwnerQuery(path: string, owner: string | undefined): string {
  if (owner === undefined || !OWNER_PATHS.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}for=${encodeURIComponent(owner)}`;
}

function isConnectionLost(error: unknown): boolean {
  const code = isTradeAgentError(error)
    ? error.details.reason
    : ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'stopped before the gateway responded');
}

/** Reads the body as JSON. Returns undefined if it is not JSON. Throws if the connection breaks. */
async function readBody(response: Response): Promise<unknown> {
  return parseJson(await response.text());
}

/** Validates a response body. @throws {TradeAgentError} `gateway_refused`, naming the field */
export function parseResponseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new TradeAgentError(
    'gateway_refused',
    `the gateway’s response is invalid${field === '' ? '' : ` (field ${field})`}`,
    { hint: 'The gateway may be a different version.', details: { problem: 'malformed_response' } },
  );
}
