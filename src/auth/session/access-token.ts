import { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import { MAX_CREDENTIAL_LENGTH } from '../../secrets/credential-store.ts';
import { parseJson } from '../../values/parse-json.ts';

const accessTokenSchema = z.object({
  value: z.string(),
  /** How the token is presented to the gateway: bound to our key (RFC 9449) or plain (RFC 6750). */
  type: z.enum(['dpop', 'bearer']),
  scopes: z.array(z.string()),
  expiresAt: z.number(),
  /** The token's user. A token is never used in another user's session. */
  sub: z.string(),
});
export type AccessToken = z.output<typeof accessTokenSchema>;

/** Milliseconds before expiry at which a token is renewed, so that it doesn't expire during a request. */
export const TOKEN_EXPIRY_MARGIN_MS = 30_000;

export function isUsableToken(
  token: AccessToken | undefined,
  clock: Clock,
  marginMs = TOKEN_EXPIRY_MARGIN_MS,
): token is AccessToken {
  return token !== undefined && token.expiresAt - marginMs > clock.now();
}

/** Parses a stored token. Returns undefined if it is damaged, so that the caller fetches a new token. */
export function parseAccessToken(text: string | undefined): AccessToken | undefined {
  return accessTokenSchema.safeParse(parseJson(text)).data;
}

/** Returns the token's stored form. Undefined if it is too long; each process then fetches its own token. */
export function serializeAccessToken(token: AccessToken): string | undefined {
  const text = JSON.stringify(token);
  return text.length <= MAX_CREDENTIAL_LENGTH ? text : undefined;
}
