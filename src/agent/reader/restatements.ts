import { normalizeName } from '../../trading/asset-name.ts';
import { listedSymbols } from '../../trading/listed-symbols.ts';
import type { Item } from './items.ts';
import { foldWord } from './lexicon.ts';
import { isAsset } from './match.ts';
import { tickersByNickname } from './symbols-by-name.ts';

/*
 * Removes words that only restate the words before them: "seven (7) shares", "Apple (AAPL)", "the S&P 500 fund, VOO".
 * If the two differ, both stay, and the planner asks.
 */

/** Words for kinds of assets, which follow the name or the ticker. */
const NOUN = /^(?:etf|etfs|fund|index fund|stock|company|corporation|inc|corp|ticker|symbol|ticker symbol)$/i;
const FUND = /(?:^|[ ])(?:etf|fund)$/i;
/** Kinds of holdings, between the ticker of a fund and "ETF". */
const KIND =
  /^(?:gold|silver|bond|bonds|treasury|treasuries|dividend|dividends|growth|value|stock|index|total market|tech|energy)$/i;

/** Names of fund companies, which precede the name of a fund. */
const ISSUER = /^(?:vanguard|spdr|ishares|invesco|schwab|fidelity|state street|blackrock)$/;

/** Returns the items without restatements. */
export function withoutRestatements(items: readonly Item[]): Item[] {
  const kept: Item[] = [];
  let at = 0;
  while (at < items.length) {
    const item = items[at] as Item;
    const last = kept.at(-1);
    const start = item.ticker === undefined ? undefined : nameStart(kept, item.ticker);
    if (last !== undefined && isSameNumber(last, item)) at += 1;
    else if (start !== undefined) {
      kept.splice(start, kept.length - start, { ...item, aside: false });
      at += 1;
    } else {
      kept.push(item);
      at += 1 + kindAfter(item, items, at + 1);
    }
  }
  return kept;
}

const isSameNumber = (one: Item, other: Item) =>
  other.aside && !one.aside && one.quantity !== undefined && one.quantity.value === other.quantity?.value;

/** Returns the position of the name that the ticker restates: "Apple (AAPL", "the gold ETF GLD". */
function nameStart(kept: readonly Item[], ticker: string): number | undefined {
  let at = kept.length - 1;
  const isLink = ({ tags, text }: Item) =>
    tags.includes('comma') || tags.includes('colon') || tags.includes('share') || NOUN.test(text);
  while (at > 0 && !isAsset(kept[at] as Item) && isLink(kept[at] as Item)) at -= 1;
  const item = kept[at];
  if (item?.name === undefined || item.aside) return undefined;
  const isFund = FUND.test(item.text) || kept.slice(at + 1).some(({ text }) => FUND.test(text));
  const isNamed = names(item.name, ticker) || (isFund && item.isKnownName !== true && kept.length - at <= 3);
  if (!isNamed) return undefined;
  return ISSUER.test(kept[at - 1]?.name ?? '') ? at - 1 : at;
}

/** Returns whether a name belongs to the ticker. */
function names(name: string, ticker: string): boolean {
  if (Object.hasOwn(tickersByNickname, name)) return tickersByNickname[name]?.includes(ticker) === true;
  const listed = listedSymbols().get(ticker);
  if (listed === undefined) return false;
  const said = normalizeName(name).words.split(' ');
  const full = normalizeName(listed.name).words.split(' ');
  return said.every((word, index) => word === full[index]);
}

/** Returns how many items after a ticker only name its kind: "VOO ETF", "SCHD dividend fund". */
function kindAfter(item: Item, items: readonly Item[], from: number): number {
  const isTicker = item.ticker !== undefined && !item.aside;
  if (!isTicker) return 0;
  let at = from;
  const isKind = (one: Item | undefined) =>
    one !== undefined && one.quantity === undefined && one.ticker === undefined && KIND.test(foldWord(one.text));
  while (isKind(items[at])) at += 1;
  const noun = items[at];
  const isNoun = noun !== undefined && noun.ticker === undefined && FUND.test(noun.text);
  return isNoun && noun.text.split(' ').every((word) => FUND.test(word) || KIND.test(word)) ? at + 1 - from : 0;
}
