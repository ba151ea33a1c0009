import { dollars, sharePrice, shares } from './amounts.ts';
import { optionOf, unitsOf } from './asset-class.ts';
import { dayWords } from './contract-words.ts';
import { Dec } from './decimal.ts';
import { securedBy } from './option-cover.ts';

/** What an option that was sold can make of the account until it expires. */
export interface Assignment {
  /** Dollars at the strike. */
  readonly cash: string;
  /** In words: what is taken, at which price, until when. */
  readonly text: string;
}

/** Of an order that opens a sold position in an option; undefined for any other order. */
export function assignmentOf({
  symbol,
  qty = '0',
  position_intent,
}: {
  readonly symbol: string;
  readonly qty?: string | undefined;
  readonly position_intent?: string | undefined;
}): Assignment | undefined {
  const option = optionOf(symbol);
  if (option === undefined || position_intent !== 'sell_to_open') return undefined;
  const { underlying, right, strike, expiry } = option;
  const cash = securedBy(symbol, qty).toFixed(2, Dec.ROUND_UP);
  const taken = `${shares(new Dec(qty).times(unitsOf(symbol)).toFixed())} ${underlying}`;
  const at = `at ${sharePrice(strike)} a share`;
  return {
    cash,
    text:
      right === 'call'
        ? `If it is assigned, until ${dayWords(expiry)}, ${taken} go ${at}, ${dollars(cash)} in all, whatever they are worth then.`
        : `If it is assigned, until ${dayWords(expiry)}, ${taken} are bought ${at}, ${dollars(cash)} in all, whatever they are worth then.`,
  };
}
