import { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import { MAX_VALUE_LENGTH } from '../../secrets/credential-store.ts';
import { parseJson } from '../../values/parse-json.ts';

const accessTokenSchema = z.object({
  value: z.string(),
  /** How it is shown to the gateway: bound to our key (RFC 9449), or plain (RFC 6750). */
  type: z.enum(['dpop', 'bearer']),
  scopes: z.array(z.string()),
  expiresAt: z.number(),
  /** Whose it is: a token never serves another user's session. */
  sub: z.string(),
});
export type AccessToken = z.output<typeof accessTokenSchema>;

/** A token is left alone this long before it ends, so that it doesn't end on the way. */
export const EXPIRY_MARGIN_MS = 30_000;

export function isUsable(
  token: AccessToken | undefined,
  clock: Clock,
  marginMs = EXPIRY_MARGIN_MS,
): token is AccessToken {
  return token !== undefined && token.expiresAt - marginMs > clock.now();
}

/** The stored text as a token, else `undefined`: a damaged one is fetched again. */
export function parseAccessToken(text: string | undefined): AccessToken | undefined {
  return accessTokenSchema.safeParse(parseJson(text)).data;
}

/** The token's stored form, `undefined` when it is too long to be kept; then each process fetches its own. */
export function storedForm(token: AccessToken): string | undefined {
  const text = JSON.stringify(token);
  return text.length <= MAX_VALUE_LENGTH ? text : undefined;
}
