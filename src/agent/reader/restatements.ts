import { normalizeName } from '../../trading/asset-name.ts';
import { listedSymbols } from '../../trading/listed-symbols.ts';
import { foldWord } from './lexicon.ts';
import { tickersByNickname } from './symbols-by-name.ts';

/*
 * Removes words that only restate the words before them: "seven (7) shares", "Apple (AAPL)", "the S&P 500 fund, VOO".
 * If the two differ, both stay, and the planner asks.
 */

/** The parts of an item that a restatement depends on. */
interface Repeatable {
  readonly text: string;
  readonly tags: readonly string[];
  readonly quantity?: { readonly value: string };
  readonly ticker?: string;
  readonly name?: string;
  readonly isKnownName?: true;
  readonly aside: boolean;
}

const isAsset = ({ ticker, name }: Repeatable) => ticker !== undefined || name !== undefined;

/** Words for kinds of assets. They come after a name or ticker. */
const NOUN = /^(?:etf|etfs|fund|index fund|stock|company|corporation|inc|corp|ticker|symbol|ticker symbol)$/i;
const FUND = /(?:^|[ ])(?:etf|fund)$/i;
/** Kinds of holdings that may come between a fund's ticker and "ETF". */
const KIND =
  /^(?:gold|silver|bond|bonds|treasury|treasuries|dividend|dividends|growth|value|stock|index|total market|tech|energy)$/i;

/** The legal form of a company, after its name. */
const LEGAL = /^(?:company|corporation|corp|inc|incorporated|plc)$/i;
/** Names of fund companies, which precede the name of a fund. */
const ISSUER = /^(?:vanguard|spdr|ishares|invesco|schwab|fidelity|state street|blackrock)$/;

/** Returns the items without restatements. */
export function withoutRestatements<Item extends Repeatable>(items: readonly Item[]): Item[] {
  const kept: Item[] = [];
  let at = 0;
  while (at < items.length) {
    const item = items[at] as Item;
    const last = kept.at(-1);
    const start = item.ticker === undefined ? undefined : nameStart(kept, item.ticker, item.aside);
    if (last !== undefined && isSameNumber(last, item)) at += 1;
    else if (start !== undefined) {
      kept.splice(start, kept.length - start, { ...item, aside: false });
      at += 1;
    } else {
      if (item.ticker !== undefined && kept.length > 1 && isBareNoun(last)) kept.pop();
      kept.push(item);
      at += 1 + kindAfter(item, items, at + 1);
    }
  }
  return kept;
}

/** Returns whether an item is a noun that precedes a ticker, as in "the fund QQQ". */
const isBareNoun = (item: Repeatable | undefined) =>
  item !== undefined && !isAsset(item) && /^(?:fund|etf|index fund|ticker|symbol)$/i.test(item.text);

const isSameNumber = (one: Repeatable, other: Repeatable) =>
  other.aside && !one.aside && one.quantity !== undefined && one.quantity.value === other.quantity?.value;

/** Returns the position of the name that the ticker restates: "Apple (AAPL", "the gold ETF GLD". */
function nameStart(kept: readonly Repeatable[], ticker: string, isAside: boolean): number | undefined {
  let at = kept.length - 1;
  const isLink = ({ tags, text }: Repeatable) =>
    tags.includes('comma') || tags.includes('colon') || tags.includes('share') || NOUN.test(text);
  while (at > 0 && !isAsset(kept[at] as Repeatable) && isLink(kept[at] as Repeatable)) at -= 1;
  const item = kept[at];
  if (item?.name === undefined || item.aside) return undefined;
  const isFund = FUND.test(item.text) || kept.slice(at + 1).some(({ text }) => FUND.test(text));
  const isNamed = names(item.name, ticker) || (isFund && item.isKnownName !== true && kept.length - at <= 3);
  // Two words for one asset without a mark between them may be two assets.
  const isApart = isAside || isFund || kept.slice(at + 1).some(({ tags }) => !tags.includes('share'));
  if (!isNamed || !isApart) return undefined;
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
function kindAfter(item: Repeatable, items: readonly Repeatable[], from: number): number {
  if (item.aside || !isAsset(item)) return 0;
  if (item.ticker === undefined) return item.isKnownName && LEGAL.test(items[from]?.text ?? '') ? 1 : 0;
  let at = from;
  const isKind = (one: Repeatable | undefined) =>
    one !== undefined && one.quantity === undefined && one.ticker === undefined && KIND.test(foldWord(one.text));
  while (isKind(items[at])) at += 1;
  const noun = items[at];
  const isNoun = noun !== undefined && noun.ticker === undefined && FUND.test(noun.text);
  return isNoun && noun.text.split(' ').every((word) => FUND.test(word) || KIND.test(word)) ? at + 1 - from : 0;
}
