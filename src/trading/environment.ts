/**
 * Returns the environment as a word, because color alone is not accessible. Any environment other than paper may use
 * real money, so it is shown as LIVE with its name.
 */
export function environmentName(environment: unknown): string {
  if (environment === 'paper') return 'PAPER';
  if (environment === 'live') return 'LIVE';
  return `LIVE (${typeof environment === 'string' && environment !== '' ? environment : 'unknown'})`;
}
