import { TradeAgentError } from '../../trading/errors.ts';

/** Reads how many entries a list may have, 1 to 500. @throws {TradeAgentError} `usage` */
export function parseLimit(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 500) return Number(text);
  throw new TradeAgentError('usage', `--limit can't be "${text}"`, { hint: 'Give a number from 1 to 500.' });
}
