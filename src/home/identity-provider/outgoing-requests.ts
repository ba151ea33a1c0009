import { publicFetch } from '../../net/public-fetch.ts';
import { createPublicResolver } from '../../net/public-resolver.ts';
import type { ResolveHost } from '../../net/resolve-host.ts';
import {
  createDocumentReader,
  type DocumentReader,
  LONGEST_DOCUMENT,
} from './authorization/client-documents.ts';
import { pingSender } from './clients.ts';
import type { IdentityProviderOptions } from './identity-provider-options.ts';

const PING_TIMEOUT_MS = 5000;

/** Whom the library calls, and how their names are resolved. */
export interface OutgoingRequests {
  /** All that the library sends. */
  readonly fetch: typeof fetch;
  readonly documents: {
    /** For names that anybody can have resolved, without a sign-in: nothing else waits behind them. */
    readonly resolve: ResolveHost;
    readonly reader: DocumentReader;
  };
  /** For the names of clients that a person has registered. */
  readonly resolvePing: ResolveHost;
}

/**
 * The library sends CIBA pings, and reads the documents of clients and the keys of those that the owner's settings list. The
 * latter alone are names of the owner's choice, and resolved by the system.
 */
export function outgoingRequests(
  options: Pick<
    IdentityProviderOptions,
    | 'clientKeys'
    | 'companies'
    | 'documents'
    | 'fetch'
    | 'knownClients'
    | 'publicFetch'
    | 'resolve'
    | 'resource'
    | 'servers'
  >,
): OutgoingRequests {
  const resolve = options.resolve ?? createPublicResolver();
  const resolvePing = options.resolve ?? createPublicResolver();
  const ping = pingSender({
    resource: options.resource,
    fetch: options.fetch ?? fetch,
    publicFetch: options.publicFetch ?? publicFetch(resolvePing),
    timeoutMs: PING_TIMEOUT_MS,
  });
  const reader = createDocumentReader(
    options.documents ?? publicFetch(resolve, { mostBytes: LONGEST_DOCUMENT }),
  );
  const { knownClients = [], servers = [], companies = [], clientKeys = fetch } = options;
  const listed = [...knownClients, ...servers, ...companies.flatMap(({ clients }) => clients)];
  const keys = new Set(listed.flatMap(({ jwks_uri: uri }) => (uri === undefined ? [] : [new URL(uri).href])));
  return {
    resolvePing,
    documents: { resolve, reader },
    fetch: (url, init) => {
      if (init?.method === 'POST') return ping(url, init);
      return keys.has(String(url)) ? clientKeys(url, init) : reader.fetch(url, init);
    },
  };
}
