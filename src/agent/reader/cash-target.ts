import type { TargetIntent } from './intent.ts';
import type { Item } from './item.ts';
import { Taker } from './taker.ts';

const SALE = 'sell|trim enough of? my? share? of? my? my? @ share?';
const ASSET = 'share? of? my? my? @ share?';
const MONEY = 'roughly? a? $|#n';

/**
 * Reads an order that brings the cash to an amount: "sell enough NVDA to bring my cash up to 50,000", "put all my cash
 * except 40k into SGOV". Returns undefined for other requests.
 */
export function readCashTarget(items: readonly Item[]): TargetIntent | undefined {
  return readRaisedCash(items) ?? readSpentCash(items) ?? readWholeShares(items);
}

function target(symbol: string | undefined, cash: string | undefined, side: 'buy' | 'sell'): TargetIntent | undefined {
  return symbol === undefined || cash === undefined ? undefined : { kind: 'target', symbol, to: { cash }, side };
}

/** Reads "sell enough NVDA to bring my cash up to 50,000". */
function readRaisedCash(items: readonly Item[]): TargetIntent | undefined {
  const words = new Taker(items);
  const symbol = words.take(SALE)?.symbols[0];
  words.take('is');
  const found =
    words.take(`raise my? cash portfolio? direction? to ${MONEY}`) ??
    words.take(`until_i_have|have_after ${MONEY} of|in? my? cash`) ??
    words.take(`until_i_have|have_after my? cash is|to ${MONEY}`);
  return words.rest === undefined ? target(symbol, found?.quantities[0]?.value, 'sell') : undefined;
}

/** Reads "put all my cash except 40k into SGOV" and "spend on VOO until I'm down to $3,000 cash". */
function readSpentCash(items: readonly Item[]): TargetIntent | undefined {
  const words = new Taker(items);
  const isSpent = words.take('invest|buy|place|get') !== undefined;
  if (isSpent && words.take('on|of') === undefined) words.take('more');
  const named = isSpent ? words.take(ASSET)?.symbols[0] : undefined;
  if (named !== undefined) {
    const left = words.take(`comma? until_i_have ${MONEY} of|in? my? cash remains?`);
    return words.rest === undefined ? target(named, left?.quantities[0]?.value, 'buy') : undefined;
  }
  const kept =
    words.take(`my? all of? my? my? cash except ${MONEY}`) ??
    words.take(`my? all_but ${MONEY} of|in? my? cash`) ??
    words.take(`keep_cash ${MONEY} of|in|as? my? cash comma? and? invest|place rest_of_it|all`);
  words.take('goes');
  const symbol =
    kept === undefined || words.take('onto|into|swap_into|to') === undefined
      ? undefined
      : words.take(ASSET)?.symbols[0];
  return words.rest === undefined ? target(symbol, kept?.quantities[0]?.value, 'buy') : undefined;
}

/** Reads "as many whole shares of WMT as $1,800 will cover". */
function readWholeShares(items: readonly Item[]): TargetIntent | undefined {
  const isWhole = items.some(({ tags, lower }) => tags.includes('whole_only') || lower.startsWith('whole share'));
  const words = new Taker(items);
  words.take('buy|get');
  const found = isWhole ? words.take('enough share? of? my? @ share? as? $ would? covers|buy|get|buy_one') : undefined;
  while (words.take('comma? whole_only') ?? words.take('comma? buy|get it|them'));
  const [symbol] = found?.symbols ?? [];
  const budget = found?.quantities[0]?.value;
  return symbol === undefined || budget === undefined || words.rest !== undefined
    ? undefined
    : { kind: 'target', symbol, to: { budget }, side: 'buy' };
}
