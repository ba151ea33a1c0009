import { type Phrase, phrase } from '../../text/phrase.ts';
import { parseOptionSymbol } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import { matchesExpiry } from '../../trading/expiry.ts';
import { type PositionIntent, positionIntents } from '../../trading/order-classes.ts';

export const rightWords = { call: phrase`call`, put: phrase`put` };

export interface ContractMention {
  readonly right: 'call' | 'put';
  /** Strike price in dollars per share. */
  readonly strike: string;
  /** An expiry in the form of `expiryPattern`: `2026-12-18`, `12-18`, `2026-12`, `12`, `next-month-third`. */
  readonly expiry: string;
  /** The person's words for an expiry that is not a date: "the third Friday of next month". */
  readonly expiryText?: string;
}

export const CONTRACT_RULE = 'the option chain, by expiry and strike';

export function matchesContract(symbol: string, underlying: string | undefined, said: ContractMention): boolean {
  const option = parseOptionSymbol(symbol);
  return (
    option !== undefined &&
    option.underlying === underlying &&
    option.right === said.right &&
    new Dec(option.strike).eq(said.strike) &&
    matchesExpiry(option.expiry, said.expiry)
  );
}

export function describeContract(underlying: string, said: ContractMention): Phrase {
  const { right, strike, expiry, expiryText = expiry } = said;
  return phrase`${underlying} $${strike} ${rightWords[right]} expiring ${expiryText}`;
}

/** Returns the position intents that the words express, such as "sell to open" or "covered call". */
export function findPositionIntents(lower: readonly string[]): PositionIntent[] {
  const line = ` ${lower.join(' ')} `;
  const said = positionIntents.filter((intent) => line.includes(` ${intent.replaceAll('_', ' ')} `));
  return / (?:covered calls?|cash-secured puts?) /.test(line) ? [...said, 'sell_to_open'] : said;
}
