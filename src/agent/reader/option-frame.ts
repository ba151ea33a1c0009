import { phrase } from '../../text/phrase.ts';
import { parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import type { OrderRequestInput, TimeInForce } from '../../trading/order.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import { isRisky } from './clauses.ts';
import { rightWords } from './contract-mention.ts';
import { isUnresolvedName, type OrderIntent } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset, matchAt, symbolOf, type TemplateMatch } from './match.ts';
import { unreadError } from './order-terms.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { listedTicker, tickersByNickname } from './symbols-by-name.ts';
import { dateOf } from './times.ts';

const examples = phrase`For example: buy 1 AAPL 190 call expiring Dec 18 at 2.50; sell a covered call on my AAPL, 200 strike, December 18 at 1.20.`;

interface OptionSlots {
  symbol?: string;
  qty?: string;
  right?: 'call' | 'put';
  strike?: string;
  /** The number in "calls @ 190". It is the strike if there is no other one, and the limit otherwise. */
  at?: string;
  expiry?: string;
  expiryText?: string;
  limit?: string;
  time?: TimeInForce;
  intent?: PositionIntent;
  isCovered?: true;
  isSecured?: true;
  isMine?: true;
  isMarket?: true;
}

const ACTS = ['buy', 'get', 'sell', 'close', 'write'];
const RIGHTS = ['call', 'put'];
const is = (item: Item | undefined, ...tags: readonly string[]) =>
  item !== undefined && tags.some((tag) => item.tags.includes(tag));

const isContract = ({ ticker }: Item) => ticker !== undefined && symbolAssetClass(ticker) === 'us_option';

/** Returns whether the items name an option: a call or put after the act, or a contract symbol. */
export function isAboutOption(items: readonly Item[]): boolean {
  return items.some((item, at) => {
    if (isContract(item) || is(item, 'strike_right')) return true;
    if (at === 0 || !is(item, ...RIGHTS)) return false;
    return items.slice(0, at).some((one) => is(one, ...ACTS)) || isNamedOption(items, at);
  });
}

/** Returns whether a call or put is named without an act: "2 NVDA puts, strike 120, end of January". */
function isNamedOption(items: readonly Item[], at: number): boolean {
  const before = items[at - 1] as Item;
  const isFirst = before.quantity !== undefined || is(before, 'a', 'covered', 'secured');
  // "put 200 into VTI" is an act.
  const isNoun =
    isAsset(before) || (isFirst && (items.slice(0, at).some(isAsset) || is(items[at + 1], 'of', 'contract')));
  const isDated = items.some((item) => is(item, 'month_name', 'date', 'third_friday', 'second_friday', 'next_month'));
  return isNoun && isDated && !items.some((item) => is(item, ...ACTS));
}

/** Returns the act's position. Only polite words may precede it. Returns -1 if there is no act, or else undefined. */
function actAt(items: readonly Item[]): number | undefined {
  const at = items.findIndex((item) => is(item, ...ACTS));
  return items.slice(0, Math.max(0, at)).every((item) => is(item, 'harmless')) ? at : undefined;
}

/** Removes "Insurance for my fund:", which names no number and no asset. */
function withoutHeading(items: readonly Item[]): readonly Item[] {
  const end = items.findIndex((item) => is(item, 'colon'));
  const isPlain = (item: Item) =>
    item.quantity === undefined && item.ticker === undefined && !item.isKnownName && !isRisky(item);
  return items.slice(0, Math.max(0, end)).every(isPlain) ? items.slice(end + 1) : items;
}

/** @throws {NotUnderstoodError} if the verb is "close", which does not say the side */
function requireSide(verb: Item | undefined): 'buy' | 'sell' {
  if (!is(verb, 'close')) return verb === undefined || is(verb, 'buy', 'get') ? 'buy' : 'sell';
  throw new NotUnderstoodError(
    phrase`Did you buy that option, or sell it?`,
    phrase`Say "sell to close …" for an option that you hold, or "buy to close …" for an option that you sold.`,
  );
}

/** Reads an option order, with underlying, strike and expiry in any order. */
export function readOption(all: readonly Item[]): OrderIntent | undefined {
  const items = withoutHeading(all);
  const start = actAt(items);
  if (start === undefined) return undefined;
  const verb = items[start];
  const side = requireSide(verb);
  const said: OptionSlots = is(verb, 'write') ? { intent: 'sell_to_open' } : {};
  for (let at = start + 1; at < items.length; ) at = readSlot(items, at, said, side);
  placeNumber(said);
  const { contract, symbol } = toContract(said);
  const { qty, limit, time } = said;
  // Without an act, only a complete order is a purchase.
  if (verb === undefined && (qty === undefined || said.isMine || said.isCovered || said.isSecured))
    throw new NotUnderstoodError(phrase`Do you want to buy or sell?`, examples);
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
/** Makes "calls @ 190" the strike if there is no other one. */
function placeNumber(said: OptionSlots): void {
  const { at } = said;
  if (at === undefined) return;
  if (said.strike === undefined) said.strike = at;
  else setOnce(said, 'limit', at);
}

const setStrike: Fill = (said, found) => setOnce(said, 'strike', value(found));
const setExpiry: Fill = (said, found) => {
  const expiry = expiryOf(found);
  if (expiry === undefined) throw unreadError(found.items.at(-1)?.text ?? '');
  setOnce(said, 'expiry', expiry);
  // A date without a name of its own is repeated in the person's own words.
  if (/[a-z]/.test(expiry)) said.expiryText = found.items.map(({ text }) => text).join(' ');
};

/** Returns the expiry in the form of {@link expiryPattern}. */
function expiryOf(found: TemplateMatch): string | undefined {
  const { items } = found;
  if (found.has('second_friday')) return 'second-friday';
  if (found.has('weekday')) return items.some(({ lower }) => /^fri/.test(lower)) ? 'friday' : undefined;
  const part = found.has('third_friday') ? '-third' : found.has('month_last') ? '-last' : '';
  if (found.has('next_month')) return `next-month${part}`;
  if (found.has('this_month')) return `this-month${part}`;
  const date = dateOf(items);
  return date === undefined ? undefined : `${date}${part}`;
}

/** Counts the contracts: "three of them", "2 contracts". */
const setCount: Fill = (said, found) => setOnce(said, 'qty', value(found));
const time =
  (name: TimeInForce): Fill =>
  (said) =>
    setOnce(said, 'time', name);

const LEAD = 'for|of|on|at? my? expiring? of|on|for? my?';
const MONTH = 'month_name|next_month|this_month';

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
  [`${LEAD} month_name year_number? expiring?`, setExpiry],
  [`${LEAD} next_month|this_month expiring?`, setExpiry],
  [`${LEAD} third_friday|month_last|month_mid of? my? ${MONTH} year_number? expiring?`, setExpiry],
  [`${LEAD} ${MONTH} third_friday expiring?`, setExpiry],
  [`${LEAD} second_friday`, setExpiry],
  [`${LEAD} this_one weekday`, setExpiry],
  ['#n of? it', setCount],
  ['#n contract', setCount],
  ['limit of|at? #', setLimit],
  ['at|for|most|least|each_most|each_least # per?', setLimit],
  ['call|put at #', (said, found) => setRightAt(said, found)],
  ['strike of|at? #', setStrike],
  ['# strike', setStrike],
  ['or_less|or_more', requireBound],
  [`${LEAD} next weekday`, (_, { items }) => rejectNext(items)],
];

/** Reads "puts @ 120". */
function setRightAt(said: OptionSlots, found: TemplateMatch): void {
  setOnce(said, 'right', found.has('call') ? 'call' : 'put');
  setOnce(said, 'at', value(found));
}

/** Requires that "or less" follows the limit of a purchase, and "or more" that of a sale. */
function requireBound({ limit }: OptionSlots, found: TemplateMatch, side: 'buy' | 'sell'): void {
  if (limit === undefined || found.has('or_less') !== (side === 'buy')) throw unreadError(found.items[0]?.text ?? '');
}

/** @throws {NotUnderstoodError} because "next Friday" may be this week's or next week's */
function rejectNext(items: readonly Item[]): void {
  const day = items.at(-1)?.text;
  throw new NotUnderstoodError(
    phrase`Which ${day} is "next ${day}"?`,
    phrase`Say the date, as in "${'expiring'} December 18".`,
  );
}

const FILLERS =
  'harmless contract of on with my a comma end each limit order filler for at share position colon it question'.split(
    ' ',
  );

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
  else if (isAsset(item) && said.symbol === undefined) said.symbol = tickerOf(symbolOf(item));
  else if (item.aside || !item.tags.some((tag) => FILLERS.includes(tag))) throw unreadError(item.text);
}

/** Returns the only ticker of a company's name, or else the name. */
function tickerOf(symbol: string): string {
  if (!isUnresolvedName(symbol)) return symbol;
  const [ticker = listedTicker(symbol), ...more] = Object.hasOwn(tickersByNickname, symbol)
    ? (tickersByNickname[symbol] ?? [])
    : [];
  return ticker === undefined || more.length > 0 ? symbol : ticker;
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

function toContract({ symbol, right, strike, expiry, expiryText, limit, isMarket }: OptionSlots) {
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
  return { symbol, contract: { right, strike, expiry, ...defined({ expiryText }) } };
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
