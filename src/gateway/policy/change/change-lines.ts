import { limitChangeText } from '../../../trading/limit-words.ts';
import { type ComparedRules, comparedLines } from '../compare.ts';

/**
 * What a change comes to, a line each for people, what becomes possible first: `looser: One order $1,000.00 → $5,000.00`.
 * @param account whose it is: of its own lines it is not said again
 */
export function changeLines(previous: ComparedRules, next: ComparedRules, account: string): string[] {
  return comparedLines(previous, next)
    .sort((a, b) => Number(a.tighter) - Number(b.tighter))
    .map(({ line, tighter }) => {
      const own = line.startsWith(`${account}: `) ? line.slice(account.length + 2) : line;
      return `${tighter ? 'tighter' : 'looser'}: ${limitChangeText(own)}`;
    });
}
