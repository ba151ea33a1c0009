import { TradeAgentError } from '../../errors/errors.ts';

/** Reads how many entries a list may have, 1 to 500. @throws {TradeAgentError} `usage` */
export const parseLimit = limitUpTo(500);

/** The same, of a list that has fewer at most. */
export function limitUpTo(most: number): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= most) return Number(text);
    throw new TradeAgentError('usage', `--limit can't be "${text}"`, {
      hint: `Give a number from 1 to ${most}.`,
    });
  };
}
