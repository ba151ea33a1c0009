import type { IncomingMessage } from 'node:http';
import { type Configuration, errors } from 'oidc-provider';
import {
  hasOnlyPublicAddresses,
  RESOLVER_RETRY_S,
  type ResolveHost,
  ResolverBusyError,
} from '../../../net/outbound-client.ts';
import { type RequestLimits, tooManyRequestsError } from '../protocol/request-limits.ts';
import { isPublicClient } from './public-client.ts';

type Feature = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>;

/** Minimum and maximum cache lifetime of a document in seconds, regardless of its headers. */
const [MIN_CACHE_S, MAX_CACHE_S] = [60, 24 * 3600];
const MAX_ID_LENGTH = 300;
/** Maximum size of a document in bytes. This is the library's limit. */
export const MAX_DOCUMENT_BYTES = 5 * 1024;
/** Timeout of a read, in milliseconds. With the DNS lookup's 3.2 s, a document takes 5 s at most. */
const READ_TIMEOUT_MS = 1_800;
/** Maximum number of concurrent reads for all clients together, because each read opens a connection from this home. */
const MAX_CONCURRENT_READS = 16;

export type DocumentReader = ReturnType<typeof createDocumentReader>;

export function createDocumentReader(read: typeof fetch) {
  let reading = 0;
  return {
    isBusy: () => reading >= MAX_CONCURRENT_READS,
    /** Rejects if too many documents are being read, or if this read takes too long. */
    fetch: async (url: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> => {
      if (reading >= MAX_CONCURRENT_READS) throw new TypeError('too many documents are being read');
      reading += 1;
      try {
        const response = await read(url, { ...init, signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
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
 * Allows clients whose ID is the https address of their metadata document (CIMD). Anyone can make this home read a
 * document without signing in. A read is therefore limited to 5 kB and 5 s, follows no redirects, and never reaches
 * this machine or its network. Limits concurrent reads and lookups, so that strangers can't delay the owner's requests.
 */
export function clientDocumentsFeature(options: {
  readonly limits: Pick<RequestLimits, 'addressOf' | 'documents'>;
  readonly resolve: ResolveHost;
  readonly reader: Pick<DocumentReader, 'isBusy'>;
}): Feature {
  /** Requests for which a document was already read. No document is read twice, although the library would retry. */
  const looked = new WeakSet<IncomingMessage>();
  const isFirstLook = (request: IncomingMessage): boolean => {
    if (looked.has(request)) return false;
    looked.add(request);
    const wait = options.limits.documents.take(options.limits.addressOf(request));
    if (wait !== undefined) throw tooManyRequestsError(wait);
    return true;
  };
  return {
    enabled: true,
    ack: 'draft-02',
    cacheDuration: { min: MIN_CACHE_S, max: MAX_CACHE_S },
    allowFetch: async (ctx, clientId) => {
      if (clientId.length > MAX_ID_LENGTH) return false;
      // The consent page passes no request, because `/authorize` has already counted the read.
      const request: IncomingMessage | undefined = ctx?.req;
      if (request !== undefined && !isFirstLook(request)) return false;
      if (options.reader.isBusy()) throw tooManyRequestsError(Math.ceil(READ_TIMEOUT_MS / 1000));
      try {
        if (await hasOnlyPublicAddresses(new URL(clientId).hostname, options.resolve)) return true;
      } catch (error) {
        if (error instanceof ResolverBusyError) throw tooManyRequestsError(RESOLVER_RETRY_S);
        throw error;
      }
      throw new errors.InvalidClient('the client_id is not an address on the public internet');
    },
    allowClient: (_ctx, client) => isPublicClient(client),
  };
}
