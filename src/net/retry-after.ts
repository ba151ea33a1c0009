/**
 * Parses a `Retry-After` header (RFC 9110 §10.2.3: seconds, or a date) into milliseconds. Returns undefined if the
 * header is missing or invalid.
 * @param now milliseconds since the epoch
 */
export function parseRetryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
