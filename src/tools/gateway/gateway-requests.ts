import type { z } from 'zod';
import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { timeLimit } from '../../net/time-limit.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { gatewayError } from './gateway-problem.ts';

/** Of a session, what reaches the gateway. */
export interface GatewayAccess extends Pick<Session, 'fetch'> {
  readonly profile: Pick<Session['profile'], 'gateway' | 'account_of' | 'server'>;
}

export interface GatewayClientOptions {
  readonly signal?: AbortSignal;
  /** For one request, milliseconds; beside what the gateway was asked to wait. */
  readonly timeoutMs?: number;
  /** Which of the person's accounts it is about, by its number; their default one where it is left out. */
  readonly account?: string;
}

/** How the gateway is asked: with the session's token, a time-out for each request, and its answer read as JSON. */
export interface GatewayRequests {
  /** For one request, milliseconds, where nothing else is said. */
  readonly timeoutMs: number;
  /** Whose account it is about, where that is not the person's own: the owner's `sub`. */
  readonly accountOf: string | undefined;
  /** Which of their accounts, by its number. */
  readonly account: string | undefined;
  /** @throws {TradeAgentError} for every answer that isn't a success, and where none came */
  request(path: string, init: RequestInit, scopes: readonly Scope[], ms?: number): Promise<unknown>;
  /** As `request`, the answer as the schema has it. */
  read<T>(path: string, schema: z.ZodType<T>, scope: Scope): Promise<T>;
  /** A stream of events. `until` ends it. @throws {TradeAgentError} as `request` */
  open(
    path: string,
    headers: Record<string, string>,
    scope: Scope,
    until: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
}

export function gatewayRequests(session: GatewayAccess, options: GatewayClientOptions): GatewayRequests {
  const { signal, timeoutMs = 15_000, account } = options;
  const { gateway, account_of: accountOf, server } = session.profile;
  const called = server === undefined ? 'the gateway' : 'the server';
  const base = gateway.replace(/\/+$/, '');
  const addressOf = (path: string) => `${base}${aboutOwner(pathInAccount(path, account), accountOf)}`;

  const unreachable = (
    cause: unknown,
    ms: number,
    ...signals: (AbortSignal | undefined)[]
  ): TradeAgentError => {
    const ended = signals.find((one) => one?.aborted);
    if (ended !== undefined) return isTradeAgentError(ended.reason) ? ended.reason : interrupted();
    if (isTradeAgentError(cause)) return cause;
    const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
    return new TradeAgentError(
      'gateway_unreachable',
      timedOut ? `${called} did not answer within ${ms / 1000} seconds` : `${called} cannot be reached`,
      { hint: `Check that ${base} is up, then try again.` },
    );
  };

  /** Any answer, its body as JSON where it is that. @throws {TradeAgentError} where none came */
  const send = async (path: string, init: RequestInit, scopes: readonly Scope[], ms: number) => {
    const given = init.signal ?? undefined;
    const limit = timeLimit(ms, signal, given);
    const once = async () => {
      const response = await session.fetch(addressOf(path), { ...init, signal: limit.signal }, scopes);
      return { ok: response.ok, status: response.status, body: await bodyOf(response) };
    };
    try {
      return await once().catch((error: unknown) => {
        // A server may close an idle connection just as it is used again. A question can be asked twice.
        if (init.method !== undefined || limit.signal.aborted || !isConnectionLost(error)) throw error;
        return once();
      });
    } catch (error) {
      throw unreachable(error, ms, signal, given);
    } finally {
      limit.end();
    }
  };

  /** @throws {TradeAgentError} for every answer that isn't a success */
  const request = async (
    path: string,
    init: RequestInit,
    scopes: readonly Scope[],
    ms = timeoutMs,
  ): Promise<unknown> => {
    const response = await send(path, init, scopes, ms);
    if (response.ok) return response.body;
    throw gatewayError(response.status, response.body);
  };

  const read = async <T>(path: string, schema: z.ZodType<T>, scope: Scope): Promise<T> => {
    return parse(schema, await request(path, { headers: { accept: 'application/json' } }, [scope]));
  };

  const open = async (path: string, headers: Record<string, string>, scope: Scope, until: AbortSignal) => {
    const ended = AbortSignal.any([until, ...(signal === undefined ? [] : [signal])]);
    try {
      const init = { headers: { accept: 'text/event-stream', ...headers }, signal: ended };
      const response = await session.fetch(addressOf(path), init, [scope]);
      if (!response.ok) throw gatewayError(response.status, await bodyOf(response));
      if (response.body === null) throw new Error('the gateway answered without a body');
      return response.body;
    } catch (error) {
      throw unreachable(error, timeoutMs, until, signal);
    }
  };

  return { timeoutMs, accountOf, account, request, read, open };
}

/** What is asked of an account or its broker, rather than of the person or a proposal. */
const IN_ACCOUNT =
  /^\/v1\/(account|positions|portfolio|activities|watchlist|orders|quotes|bars|assets|clock|calendar|news|corporate-actions|policy$)\b/;

/** The path, of one account where one is meant. */
function pathInAccount(path: string, account: string | undefined): string {
  if (account === undefined || !IN_ACCOUNT.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}account=${encodeURIComponent(account)}`;
}

/** What is asked of an account, rather than of the person, the market or a proposal. */
const ABOUT_ACCOUNT = /^\/v1\/(accounts?|positions|portfolio|activities|watchlist|orders|halt)\b/;

function aboutOwner(path: string, owner: string | undefined): string {
  if (owner === undefined || !ABOUT_ACCOUNT.test(path)) return path;
  return `${path}${path.includes('?') ? '&' : '?'}for=${encodeURIComponent(owner)}`;
}

/** Whether the connection broke under a request, so that nobody answered it. */
function isConnectionLost(error: unknown): boolean {
  const code = isTradeAgentError(error)
    ? error.details.reason
    : ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'stopped before the gateway answered');
}

/** The body as JSON, or undefined where it is none. A broken connection while reading it still throws. */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer as the schema has it. @throws {TradeAgentError} `gateway_refused`, naming the field */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new TradeAgentError(
    'gateway_refused',
    `the gateway’s answer is not what it should be${field === '' ? '' : ` (field ${field})`}`,
    { hint: 'The gateway may be of another version.', details: { problem: 'malformed_response' } },
  );
}
