/**
 * Never shown by color alone. Whatever is not known to be paper may be real money, so it reads LIVE with its own
 * name.
 */
export function environmentWord(environment: unknown): string {
  if (environment === 'paper') return 'PAPER';
  if (environment === 'live') return 'LIVE';
  return `LIVE (${typeof environment === 'string' && environment !== '' ? environment : 'unknown'})`;
}
