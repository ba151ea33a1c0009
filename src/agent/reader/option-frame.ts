import { phrase } from '../../text/phrase.ts';
import { parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import type { OrderRequestInput, TimeInForce } from '../../trading/order.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import { rightWords } from './contract-mention.ts';
import { isUnresolvedName, type OrderIntent } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset, matchAt, symbolOf, type TemplateMatch } from './match.ts';
import { unreadError } from './order-terms.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { dateOf } from './times.ts';

const examples = phrase`For example: buy 1 AAPL 190 call expiring Dec 18 at 2.50; sell a covered call on my AAPL, 200 strike, December 18 at 1.20.`;

interface OptionSlots {
  symbol?: string;
  qty?: string;
  right?: 'call' | 'put';
  strike?: string;
  expiry?: string;
  limit?: string;
  time?: TimeInForce;
  intent?: PositionIntent;
  isCovered?: true;
  isSecured?: true;
  isMine?: true;
  isMarket?: true;
}

const ACTS = ['buy', 'sell', 'close', 'write'];

const isContract = ({ ticker }: Item) => ticker !== undefined && symbolAssetClass(ticker) === 'us_option';

/** Returns whether the items name an option: a call or put after the act, or a contract symbol. */
export function isAboutOption(items: readonly Item[]): boolean {
  return items.some(
    (item, at) =>
      isContract(item) ||
      item.tags.includes('strike_right') ||
      (at > 0 &&
        item.tags.some((tag) => tag === 'call' || tag === 'put') &&
        items.slice(0, at).some(({ tags }) => tags.some((tag) => ACTS.includes(tag)))),
  );
}

/** Reads an option order, with underlying, strike and expiry in any order. */
export function readOption(items: readonly Item[]): OrderIntent | undefined {
  const start = items.findIndex(({ tags }) => tags.some((tag) => ACTS.includes(tag)));
  if (start < 0 || items.slice(0, start).some(({ tags }) => !tags.includes('harmless'))) return undefined;
  const verb = items[start] as Item;
  const side = verb.tags.includes('buy') ? 'buy' : verb.tags.includes('close') ? undefined : 'sell';
  if (side === undefined) {
    throw new NotUnderstoodError(
      phrase`Did you buy that option, or sell it?`,
      phrase`Say "sell to close …" for an option that you hold, or "buy to close …" for an option that you sold.`,
    );
  }
  const said: OptionSlots = verb.tags.includes('write') ? { intent: 'sell_to_open' } : {};
  for (let at = start + 1; at < items.length; ) at = readSlot(items, at, said, side);
  const { contract, symbol } = toContract(said);
  const { qty, limit, time } = said;
  if (qty === undefined) throw new NotUnderstoodError(phrase`How many contracts?`, examples);
  const right = contract?.right ?? parseOptionSymbol(symbol)?.right;
  const request: OrderRequestInput = {
    symbol,
    side,
    qty,
    type: limit === undefined ? 'market' : 'limit',
    position_intent: said.intent ?? (side === 'buy' ? 'buy_to_open' : saleIntent(said, right, symbol)),
    ...defined({ limit_price: limit, time_in_force: time }),
  };
  return contract === undefined ? { kind: 'order', request } : { kind: 'order', request, contract };
}

type Fill = (said: OptionSlots, found: TemplateMatch, side: 'buy' | 'sell') => void;

const value = ({ quantities }: TemplateMatch) => quantities[0]?.value ?? '';
const setLimit: Fill = (said, found) => setOnce(said, 'limit', value(found));
const setStrike: Fill = (said, found) => setOnce(said, 'strike', value(found));
const setExpiry: Fill = (said, found) => {
  const expiry = dateOf(found.items);
  if (expiry === undefined) throw unreadError(found.items.at(-1)?.text ?? '');
  setOnce(said, 'expiry', expiry);
};
const time =
  (name: TimeInForce): Fill =>
  (said) =>
    setOnce(said, 'time', name);

const LEAD = 'for|of|on|at? my? expiring? of|on|for? my?';

const slots: readonly (readonly [string, Fill])[] = [
  ['to_open', (said, _, side) => setOnce(said, 'intent', side === 'buy' ? 'buy_to_open' : 'sell_to_open')],
  ['to_close', (said, _, side) => setOnce(said, 'intent', side === 'buy' ? 'buy_to_close' : 'sell_to_close')],
  [
    'back',
    (said, _, side) => {
      if (side === 'buy') setOnce(said, 'intent', 'buy_to_close');
    },
  ],
  [
    'covered',
    (said) => {
      said.isCovered = true;
    },
  ],
  [
    'secured',
    (said) => {
      said.isSecured = true;
    },
  ],
  ['call', (said) => setOnce(said, 'right', 'call')],
  ['put', (said) => setOnce(said, 'right', 'put')],
  [
    'strike_right',
    (said, { items }) => {
      const text = items[0]?.lower ?? '';
      setOnce(said, 'strike', text.replace(/[^\d.]/g, ''));
      setOnce(said, 'right', text.endsWith('c') ? 'call' : 'put');
    },
  ],
  [
    'market',
    (said) => {
      said.isMarket = true;
    },
  ],
  ['gtc', time('gtc')],
  ['day', time('day')],
  [`${LEAD} date`, setExpiry],
  [`${LEAD} month_name my? #n|ordinal comma? year_number?`, setExpiry],
  [`${LEAD} #n|ordinal of? month_name year_number?`, setExpiry],
  [`${LEAD} month_name year_number?`, setExpiry],
  ['limit of|at? #', setLimit],
  ['at|for|most|least|each_most|each_least #', setLimit],
  ['strike of|at? #', setStrike],
  ['# strike', setStrike],
];

const FILLERS = 'harmless contract of on with my a comma end each limit order filler'.split(' ');

function readSlot(items: readonly Item[], at: number, said: OptionSlots, side: 'buy' | 'sell'): number {
  const item = items[at] as Item;
  const value = item.quantity?.isBad === false ? item.quantity.value : undefined;
  // The first number before the symbol is the number of contracts. After the symbol, a strike precedes the day of a
  // month.
  const isQty =
    value !== undefined && said.symbol === undefined && said.qty === undefined && item.quantity?.unit === 'none';
  const best = longestSlot(items, at);
  const isStrike =
    value !== undefined && best?.fill === setExpiry && said.symbol !== undefined && said.strike === undefined;
  if (best !== undefined && !(isQty && best.found.end === at + 1) && !isStrike) {
    best.fill(said, best.found, side);
    return best.found.end;
  }
  if (value === undefined) readPlainItem(item, said);
  else if (isQty) said.qty = value;
  else setOnce(said, 'strike', value);
  return at + 1;
}

function longestSlot(items: readonly Item[], at: number) {
  let best: { readonly found: TemplateMatch; readonly fill: Fill } | undefined;
  for (const [template, fill] of slots) {
    const found = matchAt(template, items, at);
    if (found !== undefined && found.end > (best?.found.end ?? at)) best = { found, fill };
  }
  return best;
}

/** Reads an item that no template covers: the symbol, "my", or "a" for one contract. */
function readPlainItem(item: Item, said: OptionSlots): void {
  const isOne = item.tags.includes('a') && said.qty === undefined && said.symbol === undefined;
  if (isOne || item.tags.includes('one_share')) said.qty = '1';
  else if (item.lower === 'my') said.isMine = true;
  else if (isAsset(item) && said.symbol === undefined) said.symbol = symbolOf(item);
  else if (item.aside || !item.tags.some((tag) => FILLERS.includes(tag))) throw unreadError(item.text);
}

function setOnce<Field extends keyof OptionSlots>(
  said: OptionSlots,
  field: Field,
  to: NonNullable<OptionSlots[Field]>,
): void {
  if (said[field] !== undefined) {
    throw new NotUnderstoodError(
      phrase`The order has two values for its ${field}.`,
      phrase`Give it only once.`,
      'invalid_order',
    );
  }
  said[field] = to;
}

function toContract({ symbol, right, strike, expiry, limit, isMarket }: OptionSlots) {
  if (symbol === undefined)
    throw new NotUnderstoodError(phrase`An option on what?`, examples, 'usage', undefined, 'append');
  if (limit !== undefined && isMarket) {
    throw new NotUnderstoodError(
      phrase`Is this a market order or a limit order?`,
      phrase`Choose one of the two.`,
      'invalid_order',
    );
  }
  if (symbolAssetClass(symbol) === 'us_option') {
    if (right === undefined && strike === undefined && expiry === undefined) return { symbol };
    throw new NotUnderstoodError(
      phrase`${symbol} already includes the strike and expiry.`,
      phrase`Leave them out.`,
      'invalid_order',
    );
  }
  if (isUnresolvedName(symbol) || symbolAssetClass(symbol) !== 'us_equity') {
    throw new NotUnderstoodError(
      phrase`For an option I need the ticker symbol of the stock, and "${truncateWord(symbol)}" isn't one.`,
      examples,
    );
  }
  if (right === undefined)
    throw new NotUnderstoodError(phrase`A call or a put?`, examples, 'usage', undefined, 'append');
  if (strike === undefined)
    throw new NotUnderstoodError(
      phrase`What is the strike of the ${rightWords[right]}?`,
      examples,
      'usage',
      undefined,
      'append',
    );
  if (expiry === undefined)
    throw new NotUnderstoodError(
      phrase`When does the ${rightWords[right]} expire?`,
      examples,
      'usage',
      undefined,
      'append',
    );
  return { symbol, contract: { right, strike, expiry } };
}

function saleIntent(
  { isCovered, isSecured, isMine }: OptionSlots,
  right: OptionSlots['right'],
  symbol: string,
): PositionIntent {
  if (isCovered && right === 'put') {
    throw new NotUnderstoodError(
      phrase`A put is secured by cash.`,
      phrase`Say "sell a cash-secured put on ${symbol} …".`,
    );
  }
  if (isSecured && right === 'call') {
    throw new NotUnderstoodError(
      phrase`A call is covered by shares.`,
      phrase`Say "sell a covered call on ${symbol} …".`,
    );
  }
  if (isCovered || isSecured) return 'sell_to_open';
  if (isMine) return 'sell_to_close';
  throw new NotUnderstoodError(
    phrase`Do you mean to sell ${right}s that you hold, or to open a position in them?`,
    phrase`Say "sell to close …", or "sell a ${right === 'call' ? 'covered call' : 'cash-secured put'} on ${symbol} …".`,
  );
}
