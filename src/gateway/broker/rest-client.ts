import { createBoundedFetch, isResponseTooLarge, ResponseTooLargeError } from '../../net/bounded-fetch.ts';
import { defined } from '../../values/defined.ts';
import { type BrokerFailure, NotSentError } from './broker-failure.ts';

/** Maximum size of a response, in bytes: enough for all orders of a busy account in a day, or for a year of bars. */
const MAX_ANSWER_LENGTH = 8 * 1024 * 1024;

/** Thrown for a response with an error status. The error's message does not contain the response's body. */
export class FailedResponseError extends Error {
  override name = 'FailedResponse';
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined if the body is not JSON. */
  readonly json: unknown;

  constructor(status: number, headers: Headers, text: string) {
    super(`status ${status}`);
    this.status = status;
    this.headers = headers;
    this.text = text;
    this.json = parsed(text);
  }
}

/** Thrown if there was no usable response. The cause's message is left out, because it may quote a header. */
export class NoResponseError extends Error {
  override name = 'NoResponseError';
  readonly why: 'timeout' | 'unreachable' | 'unreadable';

  constructor(why: 'timeout' | 'unreachable' | 'unreadable') {
    super(`no response: ${why}`);
    this.why = why;
  }
}

export interface RestRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** Sends one request and returns the response's JSON. @throws {FailedResponseError | NoResponseError} */
export type RestClient = (path: string, request?: RestRequest) => Promise<unknown>;

interface RestOptions {
  readonly fetch: typeof fetch;
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

type SendOnce = (
  url: string,
  request: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string | undefined;
  },
) => Promise<unknown>;

/** Returns a function that limits each response in time and size, and never follows redirects or retries. */
export function createSendOnce({ fetch, timeoutMs }: Pick<RestOptions, 'fetch' | 'timeoutMs'>): SendOnce {
  const send = createBoundedFetch(fetch, MAX_ANSWER_LENGTH);
  return async (url, { body, ...request }) => {
    let response: Response;
    let text: string;
    try {
      response = await send(url, {
        ...request,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        ...defined({ body }),
      });
      text = await response.text();
    } catch (error) {
      throw new NoResponseError(toNoResponseReason(error));
    }
    if (!response.ok) throw new FailedResponseError(response.status, response.headers, text);
    const answer = parsed(text);
    if (answer === undefined) throw new NoResponseError('unreadable');
    return answer;
  };
}

export function createRestClient({ base, headers, ...options }: RestOptions): RestClient {
  const send = createSendOnce(options);
  const root = base.replace(/\/+$/, '');
  return (path, { method = 'GET', query, form, json } = {}) => {
    const search = query === undefined ? '' : `?${new URLSearchParams(query)}`;
    const text = json === undefined ? undefined : JSON.stringify(json);
    const body = form === undefined ? text : new URLSearchParams(form).toString();
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
    const sent = body === undefined ? {} : { 'content-type': type };
    return send(`${root}${path}${search}`, {
      method,
      headers: { ...headers, accept: 'application/json', ...sent },
      body,
    });
  };
}

export function classifyRestError(error: unknown): BrokerFailure {
  if (error instanceof NotSentError) {
    return { kind: 'refused', status: 422, reason: 'other', message: error.message, brokerCode: undefined };
  }
  if (error instanceof FailedResponseError) return { kind: 'failing', status: error.status };
  return { kind: error instanceof NoResponseError ? error.why : 'unreadable' };
}

export function toNoResponseReason(error: unknown): NoResponseError['why'] {
  if (error instanceof ResponseTooLargeError || isResponseTooLarge(error)) return 'unreadable';
  const { name } = error instanceof Error ? error : { name: '' };
  return name === 'TimeoutError' || name === 'AbortError' ? 'timeout' : 'unreachable';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
