import { z } from 'zod';
import { createBoundedFetch } from '../../net/bounded-fetch.ts';
import { RelationsUnavailableError } from './relations.ts';

/** Time limit for a token and the whole response, in milliseconds: short, because a person and a trade are waiting. */
const MAX_ANSWER_MS = 500;
const MAX_ANSWER_LENGTH = 64 * 1024;

/** Returns the headers that authenticate this gateway to the relations server. */
export type RelationsCredential = (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;

export interface RelationsServer {
  /** Without a trailing slash. Must be https, or http on this machine. */
  readonly url: string;
  readonly credential: RelationsCredential;
  readonly fetch: typeof fetch;
}

/** Sends a query to the relations server. Does not retry, because a second response would come too late. */
export type QueryRelationsServer = <Schema extends z.ZodType>(
  path: string,
  body: unknown,
  answer: Schema,
) => Promise<z.output<Schema>>;

/** Returns a function that queries the server. Its {@link RelationsUnavailableError} does not contain secrets. */
export function createRelationsClient({ url, credential, fetch }: RelationsServer): QueryRelationsServer {
  const send = createBoundedFetch(fetch, MAX_ANSWER_LENGTH);
  return async (path, body, answer) => {
    const signal = AbortSignal.timeout(MAX_ANSWER_MS);
    try {
      const response = await send(`${url}${path}`, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          ...(await credential(signal)),
        },
        body: JSON.stringify(body),
        redirect: 'error',
        signal,
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new RelationsUnavailableError(`the relations server responded with ${response.status}`);
      }
      return answer.parse(await response.json());
    } catch (error) {
      if (error instanceof RelationsUnavailableError) throw error;
      throw new RelationsUnavailableError(
        signal.aborted
          ? `the relations server took longer than ${MAX_ANSWER_MS} ms`
          : 'the relations server returned no valid response',
      );
    }
  };
}

const LONGEST_TOKEN_ANSWER = 16 * 1024;
/** Minimum remaining lifetime for a token to be used, in milliseconds. A token must not expire in transit. */
const EXPIRY_MARGIN_MS = 30_000;

const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.number().positive().default(60),
});

export function presharedKeyCredential(key: string): RelationsCredential {
  return async () => ({ authorization: `Bearer ${key}` });
}

/** Creates a credential that caches tokens from the client credentials grant (RFC 6749 §4.4), as Auth0 FGA requires. */
export function cachedTokenCredential(options: {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Auth0's parameter `audience`: the API's base address, with a trailing slash. */
  readonly audience: string;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}): RelationsCredential {
  const { tokenUrl, clientId, clientSecret, audience, now } = options;
  const send = createBoundedFetch(options.fetch, LONGEST_TOKEN_ANSWER);
  let kept: { readonly token: string; readonly until: number } | undefined;
  return async (signal) => {
    if (kept === undefined || kept.until <= now()) {
      const startedAt = now();
      const response = await send(tokenUrl, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: clientId,
          client_secret: clientSecret,
          audience,
        }),
        redirect: 'error',
        signal,
      });
      const { access_token, expires_in } = tokenAnswer.parse(await response.json());
      kept = { token: access_token, until: startedAt + expires_in * 1000 - EXPIRY_MARGIN_MS };
    }
    return { authorization: `Bearer ${kept.token}` };
  };
}
