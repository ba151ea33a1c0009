/**
 * What sort of money, in a word that can't be misread; never told by colour alone. What is not known to be paper may be
 * real, so it is called live, with what it calls itself.
 */
export function environmentWord(environment: unknown): string {
  if (environment === 'paper') return 'PAPER';
  if (environment === 'live') return 'LIVE';
  return `LIVE (${typeof environment === 'string' && environment !== '' ? environment : 'unknown'})`;
}
