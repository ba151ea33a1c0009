import { phrase } from '../../text/phrase.ts';
import type { Intent, OrderIntent, SwapIntent } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset, symbolOf } from './match.ts';
import { NotUnderstoodError } from './refusal.ts';

/*
 * Sales whose proceeds buy something else: "swap my KO for PEP", "sell 5 NVDA and put the proceeds into GOOGL", "sell half
 * my KO and buy PEP with the money".
 */

type ReadOrders = (items: readonly Item[]) => readonly Intent[];

/**
 * Reads a swap: a sale, and a purchase with its proceeds. Returns undefined for other requests.
 * @param readOrders reads the words of the sale
 * @throws {NotUnderstoodError} if a part of the swap is not understood
 */
export function readSwap(items: readonly Item[], readOrders: ReadOrders): SwapIntent | undefined {
  const parts = bySwap(items) ?? byProceeds(items) ?? byPurchase(items) ?? byDirection(items);
  if (parts === undefined) return undefined;
  const symbol = purchased(parts.purchase);
  if (symbol === undefined) return undefined;
  const [sale, ...more] = readOrders(parts.sale);
  if (sale?.kind !== 'order' || sale.request.side !== 'sell' || more.length > 0) throw unreadSwap();
  if (!isPlain(sale) || sale.request.symbol === symbol) throw unreadSwap();
  return { kind: 'swap', sale, symbol, ...(sale.account === undefined ? {} : { account: sale.account }) };
}

interface SwapParts {
  readonly sale: readonly Item[];
  readonly purchase: readonly Item[];
}

const is = (item: Item | undefined, ...tags: readonly string[]) =>
  item !== undefined && !item.aside && tags.some((tag) => item.tags.includes(tag));

const SELL: Item = { text: 'sell', lower: 'sell', tags: ['sell'], aside: false };
const OF: Item = { text: 'of', lower: 'of', tags: ['of'], aside: false };
const OUT_OF: Item = { ...OF, text: 'out of', lower: 'out of', tags: ['out_of'] };
const ALL: Item = { text: 'all', lower: 'all', tags: ['all'], aside: false };

/** Meanings of words that make a request about something else than a position. */
const NOT_POSITIONS = [
  'order',
  'order_noun',
  'order_buy',
  'order_sell',
  'limit',
  'stop',
  'alert',
  'watchlist',
  'trailing',
];

/** Returns whether a verb such as "turn" or "move" has two assets, so that it means a swap. */
const isConversion = (items: readonly Item[]) =>
  items.filter(isAsset).length === 2 && !items.some((item) => is(item, ...NOT_POSITIONS));

/** Reads "swap my KO for PEP" and "turn half my KO into PEP". Without an amount, the whole position is sold. */
function bySwap(items: readonly Item[]): SwapParts | undefined {
  const at = items.findIndex((item) => !is(item, 'harmless', 'my'));
  if (!is(items[at], 'swap') && !(is(items[at], 'convert') && isConversion(items))) return undefined;
  const into = items.findIndex(
    (item, index) => index > at + 1 && is(item, 'swap_into') && items.slice(at, index).some(isAsset),
  );
  if (into < 0) return undefined;
  const said = items.slice(at + 1, into);
  const isSized = said.some(
    (item) => item.quantity !== undefined || is(item, 'all', 'half', 'third', 'quarter', 'keep', 'all_but'),
  );
  const lead = is(said[0], 'of', 'out_of') && !isAsset(said[0] as Item) ? said.slice(1) : said;
  // "10 of my KO" counts shares of the position.
  const counts = (at: number) => said[at]?.quantity?.unit === 'none' && is(said[at + 2], 'my');
  const sold = said.map((item, index) => {
    if (isAsset(item) || !is(item, 'from', 'of')) return item;
    return counts(index - 1) ? OUT_OF : OF;
  });
  return { sale: isSized ? [SELL, ...sold] : [SELL, ALL, ...lead], purchase: items.slice(into + 1) };
}

/** Reads "sell 5 NVDA and put the proceeds into GOOGL". */
function byProceeds(items: readonly Item[]): SwapParts | undefined {
  const at = items.findIndex(
    (item, index) =>
      is(item, 'proceeds') || (is(item, 'with_proceeds') && is(items[index + 1], 'buy', 'get', 'invest')),
  );
  if (at < 0 || !items.slice(0, at).some((item) => is(item, 'sell', 'trim', 'close', 'leave'))) return undefined;
  return { sale: withoutEnd(items.slice(0, at)), purchase: items.slice(at + 1) };
}

/** Reads "sell 5 NVDA and buy GOOGL with the money". */
function byPurchase(items: readonly Item[]): SwapParts | undefined {
  const end = items.findLastIndex((item) => is(item, 'with_proceeds'));
  const at = items.findLastIndex((item, index) => index < end && is(item, 'buy', 'get', 'invest'));
  if (at < 1 || !items.slice(0, at).some((item) => is(item, 'sell', 'trim', 'close', 'leave'))) return undefined;
  return { sale: withoutEnd(items.slice(0, at)), purchase: [...items.slice(at + 1, end), ...items.slice(end + 1)] };
}

/** Reads "all my bitcoin out and into ether", which has no verb. */
function byDirection(items: readonly Item[]): SwapParts | undefined {
  const at = items.findIndex((item) => is(item, 'out_into'));
  const said = items.slice(0, Math.max(0, at));
  const isSale =
    said.filter(isAsset).length === 1 && said.some((item) => item.quantity !== undefined || is(item, 'all', 'half'));
  return isSale ? { sale: [SELL, ...said], purchase: items.slice(at + 1) } : undefined;
}

/** Removes "and", "then" and punctuation from the end of the sale, before the purchase. */
function withoutEnd(items: readonly Item[]): readonly Item[] {
  const last = items.findLastIndex((item) => isAsset(item) || !is(item, 'and', 'comma', 'end', 'then', 'harmless'));
  return items.slice(0, last + 1);
}

/** Meanings of words that add nothing to the purchased asset. */
const IDLE = [
  'harmless',
  'my',
  'share',
  'comma',
  'end',
  'market',
  'in_dollar_terms',
  'of',
  'inert',
  'all',
  'it',
  'proceeds',
  'buy',
  'get',
  'invest',
  'onto',
  'particle',
  'with',
  'on',
];

/** Returns the purchased symbol. Returns undefined if the words name several symbols or ask for more. */
function purchased(items: readonly Item[]): string | undefined {
  const assets = items.filter(isAsset);
  const [asset] = assets;
  const rest = items.filter((item) => !isAsset(item));
  return assets.length === 1 && asset !== undefined && rest.every((item) => is(item, ...IDLE))
    ? symbolOf(asset)
    : undefined;
}

/** Returns whether the sale is at the market price, which determines its proceeds. */
const isPlain = ({ request, relative, contract }: OrderIntent) =>
  (request.type ?? 'market') === 'market' && relative === undefined && contract === undefined;

const unreadSwap = () =>
  new NotUnderstoodError(
    phrase`I can swap one position for another only at the market price.`,
    phrase`For example: "sell 5 AAPL and put the proceeds into MSFT".`,
  );
