import type { Clock } from '../../machine/clock.ts';

/** One request, in facts that hold nothing secret: no query, no header, no body. */
export interface RequestFacts {
  readonly method: string;
  /** Scheme and host, and the path unless that may be a secret. */
  readonly url: string;
  readonly status?: number;
  /** The network's own word for what went wrong. */
  readonly failure?: string;
  readonly ms: number;
}

/**
 * `fetch` that tells of each request once it is answered.
 * @param address how much of the address may be told: the path of an incoming webhook is its secret
 */
export function tracedFetch(
  fetch: typeof globalThis.fetch,
  clock: Clock,
  tell: (facts: RequestFacts) => void,
  address: 'path' | 'host' = 'path',
): typeof globalThis.fetch {
  return async (input, init) => {
    const started = clock.now();
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request?.url ?? String(input));
    const facts = {
      method: init?.method ?? request?.method ?? 'GET',
      url: address === 'path' ? `${url.origin}${url.pathname}` : url.origin,
    };
    try {
      const response = await fetch(input, init);
      tell({ ...facts, status: response.status, ms: clock.now() - started });
      return response;
    } catch (error) {
      tell({ ...facts, failure: failureOf(error), ms: clock.now() - started });
      throw error;
    }
  };
}

function failureOf(error: unknown): string {
  const { code, name } = (error instanceof Error ? (error.cause ?? error) : {}) as {
    code?: unknown;
    name?: unknown;
  };
  return String(code ?? name ?? 'failed');
}
