import { z } from 'zod';
import { boundedFetch } from '../../net/bounded-fetch.ts';
import type { Credential } from './asked-elsewhere.ts';

const LONGEST_ANSWER = 16 * 1024;
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
  const send = boundedFetch(options.fetch, LONGEST_ANSWER);
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
