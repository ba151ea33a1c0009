/**
 * What a `Retry-After` header asks for (RFC 9110 §10.2.3: seconds, or a date), in milliseconds; undefined where it asks
 * for nothing that can be read.
 * @param now milliseconds since the epoch
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}
