/** Longest that an answer of the provider's is taken at its word; whatever lasts longer is renewed once a day. */
const LONGEST_S = 86_400;

/**
 * When something ends that was got at `sentAt`, milliseconds since the epoch: whole ones, and never a time that no
 * calendar has.
 * @param seconds its `expires_in`
 */
export function endOf(sentAt: number, seconds: number): number {
  return Math.floor(sentAt + Math.min(seconds, LONGEST_S) * 1000);
}
