import type { IncomingMessage } from 'node:http';
import { type Configuration, errors } from 'oidc-provider';
import { leadsOutside } from '../../../net/public-fetch.ts';
import { RESOLVER_BUSY_S, ResolverBusy } from '../../../net/public-resolver.ts';
import type { ResolveHost } from '../../../net/resolve-host.ts';
import { type RequestLimits, tooManyError } from '../protocol/request-limits.ts';
import { isPublicClient } from './public-client.ts';

type Feature = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>;

/** Seconds that a document counts, whatever it says of itself. */
const [SHORTEST, LONGEST] = [60, 24 * 3600];
/** As a Client ID Metadata Document is: a short text. */
const LONGEST_ID = 300;
/** Bytes of a document at most, as the library has it. */
export const LONGEST_DOCUMENT = 5 * 1024;
/** How long one may take to read, milliseconds. With the resolver's 3.2 s, no document takes longer than 5 s. */
const READ_MS = 1_800;
/** Documents that are read at once, whoever has them read: each of them is a connection of this home's. */
const MOST_READ = 16;

/** Reads documents, so many at once. */
export interface DocumentReader {
  /** Rejects where there are too many, and where one takes too long. */
  readonly fetch: typeof fetch;
  readonly isBusy: () => boolean;
}

/** @param read reaches the open internet alone */
export function createDocumentReader(read: typeof fetch): DocumentReader {
  let reading = 0;
  return {
    isBusy: () => reading >= MOST_READ,
    fetch: async (url, init) => {
      if (reading >= MOST_READ) throw new TypeError('too many documents are being read');
      reading += 1;
      try {
        const response = await read(url, { ...init, signal: AbortSignal.timeout(READ_MS) });
        if (response.status === 200) return new Response(await response.arrayBuffer(), response);
        await response.body?.cancel();
        return new Response(null, response);
      } finally {
        reading -= 1;
      }
    },
  };
}

/**
 * Clients whose id is the https address at which they say who they are (CIMD). Anybody can have a document read, without a
 * sign-in: at most 5 kB within 5 s, without a redirect, and never from this machine or its network. What is asked of a name
 * server or of a stranger's server at once is bounded, so that nothing of the owner's ever waits for it.
 */
export function clientDocuments(options: {
  readonly limits: Pick<RequestLimits, 'addressOf' | 'documents'>;
  readonly resolve: ResolveHost;
  readonly reader: Pick<DocumentReader, 'isBusy'>;
}): Feature {
  /** Requests by which one was read already: the library looks for the client again where the first look has failed. */
  const looked = new WeakSet<IncomingMessage>();
  return {
    enabled: true,
    ack: 'draft-02',
    cacheDuration: { min: SHORTEST, max: LONGEST },
    allowFetch: async (ctx, clientId) => {
      if (clientId.length > LONGEST_ID) return false;
      // The page that asks has no request of the library's; whoever is there has come through one.
      const request: IncomingMessage | undefined = ctx?.req;
      if (request !== undefined) {
        if (looked.has(request)) return false;
        looked.add(request);
        const wait = options.limits.documents.take(options.limits.addressOf(request));
        if (wait !== undefined) throw tooManyError(wait);
      }
      if (options.reader.isBusy()) throw tooManyError(Math.ceil(READ_MS / 1000));
      try {
        if (await leadsOutside(new URL(clientId).hostname, options.resolve)) return true;
      } catch (error) {
        if (error instanceof ResolverBusy) throw tooManyError(RESOLVER_BUSY_S);
        throw error;
      }
      throw new errors.InvalidClient('the client_id is not at an address on the open internet');
    },
    allowClient: (_ctx, client) => isPublicClient(client),
  };
}
