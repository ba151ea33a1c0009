import { createRestClient, type RestClient } from '../rest-client.ts';
import { findErrorMessage, IbkrRejectionError } from './failure.ts';

export interface IbkrOptions {
  readonly environment: 'paper' | 'live';
  readonly url: string;
  readonly ordersEveryMs: number;
  readonly simulated: boolean;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Creates a client for the Client Portal Gateway's API (`/v1/api`) that throws for every response with an `error`. */
export function createIbkrClient({
  url,
  fetch,
  timeoutMs,
}: Pick<IbkrOptions, 'url' | 'fetch' | 'timeoutMs'>): RestClient {
  const client = createRestClient({
    fetch,
    timeoutMs,
    base: `${url.replace(/\/+$/, '')}/v1/api`,
    // Without a user agent, the Client Portal Gateway answers 403.
    headers: { 'user-agent': 'trade-agent' },
  });
  return async (path, request) => {
    const answer = await client(path, request);
    const error = findErrorMessage(answer);
    if (error !== undefined) throw new IbkrRejectionError(error);
    return answer;
  };
}

/** Milliseconds between pings ("Ping the server to keep the session open"). A session without requests soon ends. */
const TICKLE_INTERVAL_MS = 60_000;

/** Keeps the session open until `stop` is called. Ignores failed pings. The next request reports the problem. */
export function startSessionKeepAlive(client: RestClient, every = TICKLE_INTERVAL_MS): { stop(): void } {
  const timer = setInterval(() => {
    client('/tickle', { method: 'POST' }).catch(() => undefined);
  }, every);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
