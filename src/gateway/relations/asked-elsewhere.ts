import { z } from 'zod';
import { boundedFetch } from '../../net/bounded-fetch.ts';
import { RelationsUnavailable } from './relations.ts';

/** From the question to the whole answer, a token for it included. Somebody waits, and trading with it. */
const LONGEST_MS = 500;
/** An answer is a word; a list of who may approve has few names. */
const LONGEST_ANSWER = 64 * 1024;

/** Proves to a server elsewhere that it is this gateway that asks. */
export type Credential = (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;

export interface Elsewhere {
  /** The base address, without a slash at its end; https, or http on this machine. */
  readonly url: string;
  readonly credential: Credential;
  readonly fetch: typeof fetch;
}

/** Posts a question and reads the answer, once: a second try would come too late. */
export type Ask = <Schema extends z.ZodType>(
  path: string,
  body: unknown,
  answer: Schema,
) => Promise<z.output<Schema>>;

/** @returns what throws {@link RelationsUnavailable} for whatever is no sound answer in time; it says nothing of a secret */
export function askingAt({ url, credential, fetch }: Elsewhere): Ask {
  const send = boundedFetch(fetch, LONGEST_ANSWER);
  return async (path, body, answer) => {
    const signal = AbortSignal.timeout(LONGEST_MS);
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
        throw new RelationsUnavailable(`it answered ${response.status}`);
      }
      return answer.parse(await response.json());
    } catch (error) {
      if (error instanceof RelationsUnavailable) throw error;
      throw new RelationsUnavailable(
        signal.aborted ? `it took longer than ${LONGEST_MS} ms` : 'it gave no sound answer',
      );
    }
  };
}

const LONGEST_TOKEN_ANSWER = 16 * 1024;
/** A token is not used in its last half minute, so that no request outlives it on its way. */
const MARGIN_MS = 30_000;

const tokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.number().positive().default(60),
});

/** A key that both sides have: `Authorization: Bearer`. */
export function presharedKey(key: string): Credential {
  return async () => ({ authorization: `Bearer ${key}` });
}

/** Client credentials (RFC 6749 §4.4), as Auth0 FGA gives them out; the token is kept in memory until it is over. */
export function clientCredentials(options: {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Auth0's parameter: the API's base address, with a slash at its end. */
  readonly audience: string;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}): Credential {
  const { tokenUrl, clientId, clientSecret, audience, now } = options;
  const send = boundedFetch(options.fetch, LONGEST_TOKEN_ANSWER);
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
      kept = { token: access_token, until: startedAt + expires_in * 1000 - MARGIN_MS };
    }
    return { authorization: `Bearer ${kept.token}` };
  };
}
