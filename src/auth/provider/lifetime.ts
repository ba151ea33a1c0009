/** Cap on the lifetimes that the provider reports, in seconds. Tokens with a longer lifetime are renewed after a day. */
const MAX_LIFETIME_S = 86_400;

/**
 * Returns the expiry time of a token or code that the provider sent in response to a request at `sentAt`. Both times
 * are in milliseconds since the epoch; the result is an integer and always a valid date.
 * @param seconds the response's `expires_in`
 */
export function expiryTime(sentAt: number, seconds: number): number {
  return Math.floor(sentAt + Math.min(seconds, MAX_LIFETIME_S) * 1000);
}
