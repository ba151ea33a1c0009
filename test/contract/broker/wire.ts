import { dispatchFetch } from '../../../src/net/dispatch-fetch.ts';

export type Mishap =
  | 'lost request'
  /** The broker gets it and acts on it; the answer never comes. */
  | 'lost answer'
  /** It never leaves; the answer to the last request that may have changed something comes instead. */
  | 'answer to another'
  | 'no answer in time'
  | { readonly status: number; readonly body?: string; readonly type?: string }
  /** It never leaves; the words of the last answer to a request that may have changed something come with this status. */
  | { readonly ownWords: number };

/** The network between an adapter and its broker: it does as a test tells it, and counts. */
export interface Wire {
  readonly send: typeof fetch;
  /** What happens to every request from now on; undefined: it is answered. */
  mishap: Mishap | undefined;
  /** How many requests were made since this was last asked. */
  requests(): number;
  /** As `requests`, those alone that may change something. */
  writes(): number;
}

/** @param isWrite whether a request may change something; told by its method unless said otherwise */
export function createWire(isWrite = ({ method }: Request) => method !== 'GET'): Wire {
  let asked = 0;
  let made = 0;
  let last: Response | undefined;
  const wire: Wire = {
    mishap: undefined,
    requests() {
      const since = asked;
      asked = 0;
      return since;
    },
    writes() {
      const since = made;
      made = 0;
      return since;
    },
    async send(input, init) {
      const request = new Request(input, init);
      asked++;
      if (isWrite(request)) made++;
      const { mishap } = wire;
      switch (mishap) {
        case undefined: {
          // As the gateway sends: what may change something keeps to its dispatch deadline.
          const response = await dispatchFetch(request);
          if (isWrite(request)) last = response.clone();
          return response;
        }
        case 'answer to another':
          return answered(last);
        case 'lost request':
          throw new TypeError('fetch failed');
        case 'lost answer':
          await (await fetch(request)).arrayBuffer();
          throw new TypeError('fetch failed');
        case 'no answer in time':
          return new Promise((_, reject) => {
            request.signal.addEventListener('abort', () => reject(request.signal.reason));
          });
        default: {
          if ('ownWords' in mishap) return answered(last, mishap.ownWords);
          const { status, body = '<html>a page of some proxy: not found</html>', type = 'text/html' } = mishap;
          return new Response(body, { status, headers: { 'content-type': type } });
        }
      }
    },
  };
  return wire;
}

function answered(last: Response | undefined, status = last?.status): Response {
  if (last === undefined || status === undefined) throw new Error('there is no other answer yet');
  const { body, headers } = last.clone();
  return new Response(body, { status, headers });
}
