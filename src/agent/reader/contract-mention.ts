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
  /** A date or month, with or without its year: `2026-12-18`, `12-18`, `2026-12` or `12`. */
  readonly expiry: string;
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

export function describeContract(underlying: string, { right, strike, expiry }: ContractMention): Phrase {
  return phrase`${underlying} $${strike} ${rightWords[right]} expiring ${expiry}`;
}

/** Returns the position intents that the words express, such as "sell to open" or "covered call". */
export function findPositionIntents(lower: readonly string[]): PositionIntent[] {
  const line = ` ${lower.join(' ')} `;
  const said = positionIntents.filter((intent) => line.includes(` ${intent.replaceAll('_', ' ')} `));
  return / (?:covered calls?|cash-secured puts?) /.test(line) ? [...said, 'sell_to_open'] : said;
}
