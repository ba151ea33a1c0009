import type { RequestListener } from 'node:http';
import { dispatchFetch } from './dispatch-fetch.ts';
import { type HttpServer, listenOnLoopback } from './http-server.ts';

/** A server's own way to itself. */
export interface OwnAddress {
  /** As any fetch; what is for the public address goes to this process at once. */
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/**
 * For parts of one process that talk to each other over HTTP, by the public address that their tokens name: that may lead
 * through a proxy or a network that this machine can't come back in by, under a certificate it doesn't know. So a second
 * server on loopback takes what is sent from here, as if it had come by the public name.
 * @param address the public origin: `https://home.example`
 */
export async function ownAddress(
  address: string,
  listener: RequestListener,
  { now, otherwise = dispatchFetch }: { readonly now: () => number; readonly otherwise?: typeof fetch },
): Promise<OwnAddress> {
  const { origin, host } = new URL(address);
  const inner: HttpServer = await listenOnLoopback(0, now);
  inner.serve((request, response) => {
    request.headers.host = host;
    listener(request, response);
  });
  return {
    fetch: (input, init) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      if (url.origin !== origin) return otherwise(input, init);
      const target = `${inner.url}${url.pathname}${url.search}`;
      return otherwise(input instanceof Request ? new Request(target, input) : target, init);
    },
    close: () => inner.close(),
  };
}
