import type { IncomingMessage } from 'node:http';
import { type Configuration, errors } from 'oidc-provider';
import { leadsOutside, type ResolveHost } from '../../../net/public-fetch.ts';
import { type RequestLimits, tooManyError } from '../request-limits.ts';
import { isPublicClient } from './public-client.ts';

type Feature = NonNullable<NonNullable<Configuration['features']>['clientIdMetadataDocument']>;

/** Seconds that a document counts, whatever it says of itself. */
const [SHORTEST, LONGEST] = [60, 24 * 3600];
/** As a Client ID Metadata Document is: a short text. */
const LONGEST_ID = 300;

/**
 * Clients whose id is the https address at which they say who they are (CIMD). The provider reads it itself: at most 5 kB
 * within 2.5 s, without a redirect, and never from this machine or its network, which is looked at here before it is
 * asked, and by the library once more where it has connected.
 */
export function clientDocuments(options: {
  readonly limits: Pick<RequestLimits, 'addressOf' | 'documents'>;
  readonly resolve?: ResolveHost | undefined;
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
      if (await leadsOutside(new URL(clientId).hostname, options.resolve)) return true;
      throw new errors.InvalidClient('the client_id is not at an address on the open internet');
    },
    allowClient: (_ctx, client) => isPublicClient(client),
  };
}
