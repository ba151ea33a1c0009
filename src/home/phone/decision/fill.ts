import { dollars } from '../../../trading/amounts.ts';
import { eachWords, unitsOf } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';

/** What was bought or sold of an order, as people read it. */
export interface Fill {
  /** `$180.12 a share` */
  readonly price: string;
  /** `$900.60` */
  readonly total: string;
}

/**
 * Reads the gateway's one line of what became of an order (`filled 5 at $180.12`, `filled 2 of 5 at $180.12`,
 * `cancelled, 2 filled at $180.12`): the outcome has no fields of its own. Undefined where nothing was filled.
 * @param symbol of what was traded: a contract's price is of one share of a hundred
 */
export function fillOf(text: string, symbol: string): Fill | undefined {
  const [, before, after, price] =
    /^(?:filled ([\d,.]+)(?: of [\d,.]+)?|[a-z ]+, ([\d,.]+) filled) at \$([\d,]+(?:\.\d+)?)$/.exec(text) ??
    [];
  const quantity = before ?? after;
  if (quantity === undefined || price === undefined) return undefined;
  const number = (written: string) => new Dec(written.replaceAll(',', ''));
  const total = number(quantity).times(unitsOf(symbol)).times(number(price));
  return { price: `$${price} ${eachWords(symbol)}`, total: dollars(total.toFixed(2)) };
}
