import { isTradeAgentError } from '../../errors/errors.ts';
import { capitalize } from '../../text/first-letter.ts';
import { phrase } from '../../text/phrase.ts';
import { formatDollarAmount, formatShares } from '../../trading/amounts.ts';
import { Dec, toPlain } from '../../trading/decimal.ts';
import { checkOrder, type OrderRequestInput, orderRequestSchema } from '../../trading/order.ts';
import { withOrderDefaults } from '../../trading/order-defaults.ts';
import { defined } from '../../values/defined.ts';
import { findCoinPair } from './coins.ts';
import { isProtection, type OrderFrame, type Part, sideOf } from './frame.ts';
import { type Intent, isUnresolvedName, type OrderIntent, type ScheduleMention } from './intent.ts';
import { orderExamples, readTerms, type Side, saleExamples, sideWords, unreadError } from './order-terms.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import type { RelativePrice } from './relative-price.ts';
import type { Mention, Size } from './slots.ts';
import { isListedName } from './symbols-by-name.ts';

/**
 * Turns a frame into orders. @throws {NotUnderstoodError} if a slot is missing or ambiguous, or a word fills no slot
 */
export function toOrders(frame: OrderFrame): Intent[] {
  const side = sideOf(frame);
  const [unread] = frame.unread;
  if (unread !== undefined && side !== undefined && isVague(frame))
    throw new NotUnderstoodError(MISSING_ASSET, assetHint(side, ''));
  if (unread !== undefined) throw unreadMention(unread, frame);
  if (side === undefined) throw unreadError(frame.acts[0] ?? 'this');
  const protects = isProtection(frame);
  if (frame.parts.length === 0) throw missingSize(side);
  if (frame.parts.length > 1) requireAlikeParts(frame);
  return frame.parts.flatMap((part, at) => {
    const last = frame.parts.at(-1);
    const terms = part === last ? part.terms : [...part.terms, ...(last?.terms ?? []).filter(isShareable)];
    return partOrders({ ...part, terms: [...frame.shared, ...dedupe(terms, at)] }, side, frame, protects);
  });
}

/** Returns whether an order has neither a size nor an asset: "buy some more of the good one". */
const isVague = ({ parts }: OrderFrame) =>
  parts.some(({ size }) => size !== undefined && 'vague' in size) &&
  parts.every(({ assets }) => assets.every(({ symbol }) => isUnresolvedName(symbol) && !isListedName(symbol)));

const isShareable = (mention: Mention) =>
  ['time', 'extended', 'when', 'ask', 'type'].includes(mention.kind) &&
  !(mention.kind === 'when' && isCrossing(mention.when));

const dedupe = (terms: readonly Mention[], _at: number) =>
  terms.filter(
    (one, index) =>
      !isShareable(one) || terms.findIndex((other) => other.text === one.text && other.kind === one.kind) === index,
  );

const isCrossing = ({ below, above, reaches }: ScheduleMention) => (below ?? above ?? reaches) !== undefined;
const isPriceTerm = (mention: Mention) =>
  (['price', 'trail'].includes(mention.kind) && mention.kind === 'price') ||
  (mention.kind === 'when' && isCrossing(mention.when));

/** Requires that either every part has its own price, or no part has one. */
function requireAlikeParts({ parts, shared }: OrderFrame): void {
  const shapes = parts.map(({ terms }) =>
    terms
      .flatMap((one) => (isPriceTerm(one) ? [one.kind === 'price' ? one.role : one.kind] : []))
      .sort()
      .join(),
  );
  const odd = parts.find((_, at) => shapes[at] !== shapes[0]);
  const trails = parts.map(({ terms }) => terms.filter(({ kind }) => kind === 'trail').length);
  const isOddTrail =
    trails.slice(0, -1).some((count) => count !== trails.at(-1)) && trails.slice(0, -1).some((count) => count > 0);
  if (odd === undefined && !isOddTrail && !shared.some(isPriceTerm)) return;
  const last = parts.at(-1);
  throw listError([last?.sizeText, last?.assets[0]?.text, ...(last?.terms ?? []).map(({ text }) => text)].join(' '));
}

function listError(what: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`I don't understand "${truncateWord(what.trim())}" in this request, so I haven't done anything.`,
    phrase`Write each one out, as in "buy 5 AAPL and buy 3 MSFT".`,
  );
}

/** Gives a part without an asset the asset in its condition: "sell 5 if AAPL falls below 100". */
function withWatchedAsset(part: Part, { parts }: OrderFrame): Part {
  const [watched] = part.terms.flatMap((one) =>
    (one.kind === 'when' || one.kind === 'ask') && one.of !== undefined ? [{ symbol: one.of, text: one.text }] : [],
  );
  if (part.assets.length > 0 || parts.length > 1 || watched === undefined) return part;
  const asset = { kind: 'asset', ...watched, isMine: false, isPosition: false } as const;
  return { ...part, assets: [asset] };
}

function partOrders(said: Part, side: 'buy' | 'sell', frame: OrderFrame, protects: boolean): Intent[] {
  const part = withWatchedAsset(said, frame);
  // "every Friday at the open" is a time of day. Only a single order can use the opening auction.
  const isRecurring = part.terms.some((one) => one.kind === 'when' && one.when.every !== undefined);
  const terms = isRecurring ? part.terms.filter((one) => !isOpenEnd(one)).map(toOpeningTime) : part.terms;
  const { fields, relative, mayBeTotal, notional } = readTerms(withoutRestatedSize(terms, part), side, protects);
  const whole = sizeFor(frame.split ? withDollars(part) : part, side, frame, notional);
  const [first, ...more] = part.assets;
  if (first === undefined) throw missingAsset(side, part);
  const symbols = part.assets.map(({ symbol }) => symbol);
  const twice = symbols.find(
    (symbol, at) => symbols.findIndex((one) => one.toUpperCase() === symbol.toUpperCase()) < at,
  );
  if (twice !== undefined) throw listError(twice);
  const size = frame.split ? dividedSize(whole, symbols, part) : whole;
  if (more.length > 0 && !frame.split) requireListable(part, size, side, frame);
  const endless = terms.find(({ kind }) => kind === 'no_end');
  if (endless !== undefined && fields.time_in_force !== 'gtc') throw unreadError(endless.text);
  const when = terms.flatMap((one) => (one.kind === 'when' ? [one] : []));
  const isNow = terms.some(({ kind }) => kind === 'now');
  requireAskedTerms(part, when);
  return symbols.map((symbol) => {
    const request = { symbol, side, ...sizeFields(size), ...fields } as OrderRequestInput;
    const order = toOrderIntent(request, size, mayBeTotal, relative);
    return when.length === 0 ? order : toStanding(order, when, isNow);
  });
}

/**
 * Drops the bound of "buy 5 AAPL, not more than 5", which restates the size.
 * @throws {NotUnderstoodError} if a bound may be about the size or the price: "buy 5 AAPL, not more than 6"
 */
function withoutRestatedSize(terms: readonly Mention[], { size }: Part): readonly Mention[] {
  if (size === undefined || !('qty' in size)) return terms;
  const { qty } = size;
  return terms.filter((one) => {
    if (one.kind !== 'price' || !['most', 'least'].includes(one.role) || one.isDollars || isPerShare(one.text))
      return true;
    const apart = new Dec(one.value).minus(qty).abs();
    // "sell 10 KO, at least 5"
    const isBelow = one.role === 'least' && new Dec(one.value).lt(qty);
    if (!apart.isZero() && (isBelow || apart.lte(new Dec(qty).div(5))) && /^\d+$/.test(one.value))
      throw unreadError(one.text);
    return !apart.isZero();
  });
}

/** Words that make a bound a price. */
const PER_SHARE =
  /\b(?:shares?|each|apiece|piece|per|pay(?:ing)?|prices?|pricier|expensive|cheaper|costs?|spend|limit|high(?:er)?|low(?:er)?|at|for)\b/i;
const isPerShare = (text: string) => PER_SHARE.test(text.replace(/\bat (?:least|most|max|min)\b/i, ''));

/** Returns whether a mention means "until I cancel it", which holds for every recurring order. */
const isOpenEnd = (one: Mention) => one.kind === 'no_end' || (one.kind === 'time' && one.isOpenEnd === true);

/** Changes a size written with "k" or "m" to dollars: "split 3k between AAPL and MSFT" does not mean shares. */
const withDollars = (part: Part): Part =>
  part.size !== undefined && 'qty' in part.size && part.size.isScaled
    ? { ...part, size: { notional: part.size.qty } }
    : part;

/** Divides a size equally among symbols, rounding dollars down. @throws {NotUnderstoodError} if it can't be divided */
function dividedSize(size: Size, symbols: readonly string[], { sizeText }: Part): Size {
  if (symbols.length < 2) throw unreadError(sizeText);
  if ('notional' in size) {
    const each = new Dec(size.notional).div(symbols.length).toDecimalPlaces(2, Dec.ROUND_DOWN);
    return { notional: toPlain(each) };
  }
  const count = 'qty' in size && size.isShares ? new Dec(size.qty) : undefined;
  if (count?.mod(symbols.length).isZero())
    return { ...(size as Size & { qty: string }), qty: toPlain(count.div(symbols.length)) };
  throw new NotUnderstoodError(
    phrase`I can only divide an amount in dollars, or shares without a remainder.`,
    phrase`Give the amount for each: "buy $500 of AAPL and $500 of MSFT".`,
  );
}

const toOpeningTime = (one: Mention): Mention =>
  one.kind === 'time' && one.time === 'opg' ? { kind: 'when', when: { at: '09:30' }, text: one.text } : one;

function sizeFor(part: Part, side: 'buy' | 'sell', frame: OrderFrame, notional: string | undefined): Size {
  const { size } = part;
  if (size !== undefined && 'vague' in size) throw missingSize(side);
  if (size === undefined) return notional === undefined ? wholePosition(part, side, frame) : { notional };
  if (notional !== undefined) {
    throw new NotUnderstoodError(
      phrase`The order has both a quantity and an amount.`,
      phrase`Give either a number of shares or an amount in dollars. Give a price per share as "limit 180".`,
      'invalid_order',
    );
  }
  if (side === 'buy' && ('fraction' in size || 'keep' in size) && !isAddition(size, frame)) {
    throw new NotUnderstoodError(
      phrase`I can buy a number of shares or an amount in dollars, not a fraction.`,
      orderExamples,
    );
  }
  if (side === 'sell' && ('cash' in size || 'equity' in size)) throw unreadError(part.sizeText);
  if (isUnclearBeside(size, frame)) throw unreadError(part.sizeText);
  return requireClearSize(size, part, side, frame);
}

/** Returns whether a size describes how much a purchase adds to a position, or the resulting position. */
function isAddition(size: Size, { acts }: OrderFrame): boolean {
  if ('keep' in size) return size.isTarget === true || acts.includes('grow');
  return 'isAdded' in size && size.isAdded === true;
}

/** Returns whether a number may be something other than the size of the order or the position. */
function isUnclearBeside(size: Size, frame: OrderFrame): boolean {
  const isBare = 'qty' in size && !size.isShares;
  // "close" means the whole position, so a bare number beside it may be a price.
  if (frame.acts.includes('close') && isBare) return true;
  // "put a 10 5% trailing stop on MSFT" protects a position, and the meaning of 10 is unclear.
  const setsStop = isProtection(frame) && !frame.acts.includes('protect');
  return setsStop && (isBare || 'notional' in size || 'keep' in size);
}

/**
 * Returns the whole position as the size of a request that states no quantity, if its verb means all of it ("close").
 * @throws {NotUnderstoodError} with a question, if the verb does not
 */
function wholePosition({ assets }: Part, side: Side, frame: OrderFrame): Size {
  const whole = { fraction: '1', isAll: true } as const;
  if (isProtection(frame) || frame.acts.includes('leave')) return whole;
  const symbols = assets.map(({ symbol }) => symbol);
  const [symbol] = symbols;
  if (!frame.acts.includes('close') || symbol === undefined) throw missingSize(side, symbols);
  if (frame.each || assets.some(({ isMine, isPosition }) => isMine || isPosition)) return whole;
  throw new NotUnderstoodError(
    phrase`Do you mean to sell all your ${symbol.toUpperCase()}?`,
    phrase`Then say "sell all my ${symbol.toUpperCase()}".`,
    'usage',
    `sell all my ${symbol}`,
  );
}

/** Minimum number that means dollars in "put 500 into VTI". */
const MIN_INVESTED = 25;

function requireClearSize(size: Size, part: Part, side: Side, frame: OrderFrame): Size {
  if ('fraction' in size && (new Dec(size.fraction).lte(0) || (side === 'sell' && new Dec(size.fraction).gt(1)))) {
    throw new NotUnderstoodError(
      phrase`${part.sizeText} of a position is not a valid size.`,
      phrase`Give more than 0% and at most 100%.`,
      'invalid_order',
    );
  }
  const isCounted = part.assets.some(({ text }) => /\bshares$/i.test(text));
  // Only shares have a price each.
  const isPriced = part.terms.some((one) => one.kind === 'price' && one.perShare);
  if (!('qty' in size) || size.isShares || isCounted || isPriced || !(size.isOf || size.isScaled)) return size;
  // "10 shares of PFE and 5 of MRK"
  if (!size.isScaled && frame.parts.some((one) => one.size !== undefined && 'qty' in one.size && one.size.isShares))
    return size;
  if (side === 'buy' && frame.acts.at(-1) === 'invest' && new Dec(size.qty).gte(MIN_INVESTED))
    return { notional: size.qty };
  const number = size.isScaled ? part.sizeText.split(' ')[0] : size.qty;
  const what = part.assets[0]?.text.replace(/^(?:of|my|the) /i, '') ?? 'AAPL';
  throw new NotUnderstoodError(
    phrase`Do you mean ${number} shares or $${number} of ${what}?`,
    phrase`Write '${sideWords[side]} ${number} shares of ${what}' or '${sideWords[side]} $${number} of ${what}'. ${shellQuotesHint}`,
    'usage',
    undefined,
    'unit',
  );
}

/** Hint for numbers whose dollar sign the shell may have removed. */
const shellQuotesHint = phrase`In a terminal, put the sentence in single quotes: in double quotes the shell replaces the "$2" of "$250" and leaves "50".`;

const sizeFields = (size: Size): Partial<OrderRequestInput> =>
  'qty' in size ? { qty: size.qty } : 'notional' in size ? { notional: size.notional } : {};

function toOrderIntent(
  request: OrderRequestInput,
  size: Size,
  mayBeTotal: boolean,
  prices: Readonly<Record<string, RelativePrice>>,
): OrderIntent {
  const isRelative = Object.keys(prices).length > 0;
  const relative = isRelative ? { relative: prices } : {};
  const bound = mayBeTotal && !('notional' in size) ? ({ mayBeTotal } as { mayBeTotal: true }) : {};
  if ('fraction' in size) return { kind: 'order', request, fraction: size.fraction, ...bound, ...relative };
  if ('keep' in size) return { kind: 'order', request, keep: size.keep, ...bound, ...relative };
  if ('cash' in size) return { kind: 'order', request, cash: size.cash, ...relative };
  if ('equity' in size) return { kind: 'order', request, equity: size.equity, ...relative };
  // Prices that are not known yet are validated with the order.
  if (isRelative) return { kind: 'order', request, ...bound, ...relative };
  // A company's name is resolved later, so the order is validated with a placeholder for its symbol.
  const said = String(request.symbol);
  validateOrder(isUnresolvedName(said) ? { ...request, symbol: findCoinPair(said) ?? 'NAME' } : request);
  return { kind: 'order', request, ...bound };
}

function validateOrder(request: OrderRequestInput): void {
  const parsed = orderRequestSchema.safeParse(withOrderDefaults(request));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new NotUnderstoodError(
      phrase`The ${issue?.path.join('.').replaceAll('_', ' ')} ${issue?.message}.`,
      phrase`Correct the order and ask again.`,
      'invalid_order',
    );
  }
  try {
    checkOrder(parsed.data);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw new NotUnderstoodError(
      phrase`${capitalize(error.message.replaceAll('_', ' '))}.`,
      error.hint === undefined ? phrase`Correct the order and ask again.` : phrase`${error.hint}`,
      'invalid_order',
    );
  }
}

const scheduleHint = phrase`The gateway can place orders "every Monday", "every trading day at 11:30", "every month" (on its 1st), or once "if it falls below 100" (docs/guide/MANDATES.md).`;

function requireAskedTerms(part: Part, when: readonly (Mention & { kind: 'when' })[]): void {
  const asks = part.terms.filter(
    (one) => one.kind === 'ask' && !(one.about === 'week' && when.some((each) => each.when.every)),
  );
  const asked = asks.find((one) => one.kind === 'ask' && one.about !== 'end') ?? asks[0];
  if (asked?.kind !== 'ask') return;
  if (asked.about === 'week') {
    throw new NotUnderstoodError(
      phrase`On which day of the week?`,
      phrase`Say "every Monday", or another day.`,
      'usage',
      undefined,
      'append',
    );
  }
  if (asked.about === 'interval') {
    throw new NotUnderstoodError(
      phrase`I can't place orders "${asked.text}": only every trading day, once a week, or on the 1st of each month.`,
      phrase`Say "every day", "every Monday" or "every month".`,
    );
  }
  if (asked.about === 'end') {
    if (!when.some((one) => one.when.every !== undefined)) throw endError(asked.text);
    throw new NotUnderstoodError(
      phrase`I can't let a recurring order end "${truncateWord(asked.text)}": you approve it for up to 35 days and then renew it.`,
      phrase`Leave that out, or name a last day within that time: "until December 31".`,
    );
  }
  if (asked.about === 'month_day') {
    throw new NotUnderstoodError(
      phrase`Monthly orders are placed only on the 1st.`,
      phrase`Say "every month", or a day of the week: "every Monday".`,
    );
  }
  if (asked.item === 'contradiction') {
    throw new NotUnderstoodError(phrase`"${asked.text}" contradicts itself.`, scheduleHint);
  }
  if (asked.item === 'percent') throw percentError(part.assets[0]?.symbol);
  throw new NotUnderstoodError(phrase``, phrase``, 'usage', `${asked.word}→once`, 'near_miss');
}

const percentError = (symbol: string | undefined) =>
  new NotUnderstoodError(
    phrase`An order can wait for a price, but not for a percentage. Which price?`,
    phrase`Say "… if ${symbol?.toUpperCase() ?? 'it'} falls below 100", or ask for an alert: "tell me when AAPL falls by 5%".`,
  );

type WhenMention = Mention & { kind: 'when' };

/** Makes a standing order. @param isNow whether a part of the position refers to the current position */
function toStanding(order: OrderIntent, mentions: readonly WhenMention[], isNow: boolean): Intent {
  const { request, fraction, keep, cash, equity, relative, mayBeTotal } = order;
  const symbol = String(request.symbol);
  const when = readWhen(mentions);
  if (relative !== undefined) throw percentError(symbol);
  if ((cash ?? equity) !== undefined || ((fraction ?? keep) !== undefined && !isNow)) {
    throw new NotUnderstoodError(
      phrase`How many shares? By then, a fraction of your position may be a different number of shares.`,
      phrase`Give a number, or say "all", "half" or "a third" for that part of the shares you hold now.`,
      'usage',
      undefined,
      'count',
    );
  }
  const { type = 'market', time_in_force = 'day', extended_hours = false, order_class } = request;
  const isPlain = ['market', 'limit'].includes(type) && order_class === undefined;
  if (!isPlain || time_in_force !== 'day' || extended_hours) {
    throw new NotUnderstoodError(
      phrase`Recurring and conditional orders can only be market or limit orders, good for the day.`,
      phrase`Leave the other terms out. ${scheduleHint}`,
    );
  }
  const of = mentions.find((one) => one.of !== undefined)?.of;
  if (of !== undefined && of.toLowerCase() !== symbol.toLowerCase()) {
    throw new NotUnderstoodError(
      phrase`Should it wait for the price of ${of.toUpperCase()} or of ${symbol.toUpperCase()}?`,
      phrase`A conditional order can only wait for the price of its own symbol: "… if ${symbol.toUpperCase()} falls below 100".`,
    );
  }
  return { kind: 'standing', request, when, ...defined({ fraction, keep, mayBeTotal }) };
}

/** Joins a schedule's parts. @throws {NotUnderstoodError} if there are several schedules, or only a time or an end */
function readWhen(mentions: readonly WhenMention[]): ScheduleMention {
  const when: ScheduleMention = Object.assign({}, ...mentions.map((one) => one.when));
  const days = mentions.filter((one) => one.when.every !== undefined);
  const crossings = mentions.filter((one) => isCrossing(one.when));
  if (days.length > 0 && crossings.length > 0) {
    throw new NotUnderstoodError(phrase`An order can wait for a day or for a price, but not for both.`, scheduleHint);
  }
  const odd =
    days.length + crossings.length === 1 ? mentions.find((one) => days.length === 0 && one.when.at) : mentions.at(-1);
  if (odd === undefined) return when;
  if (days.length + crossings.length > 1) throw unreadError(odd.text);
  throw odd.when.at === undefined ? endError(odd.text) : timeError(odd.text);
}

function endError(text: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`I can't let an order end "${truncateWord(text)}": it is good for the day, or until you cancel it.`,
    phrase`Leave that out for an order that ends today, or say "gtc" and cancel it later.`,
  );
}

function timeError(text: string): NotUnderstoodError {
  return new NotUnderstoodError(
    phrase`I can't place a single order "${truncateWord(text)}": it goes out when you approve it.`,
    phrase`Ask again at that time, or set a price: "sell 5 AAPL if it falls below 100".`,
  );
}

function unreadMention(mention: Mention, frame: OrderFrame): NotUnderstoodError {
  const text = mention.text;
  if (mention.kind === 'word' && mention.item.quantity?.isBad === true) return badNumber(text);
  const [part] = frame.parts;
  if (mention.kind === 'ref') {
    return new NotUnderstoodError(
      phrase`Which stock do you mean by "${text}"?`,
      phrase`Use its ticker symbol, as in "sell 5 AAPL".`,
    );
  }
  const isTrail = [...frame.shared, ...frame.parts.flatMap(({ terms }) => terms)].some(
    (one) => one.kind === 'type' && one.type === 'trailing',
  );
  if (isTrail && (mention.kind === 'size' || mention.kind === 'number')) {
    return new NotUnderstoodError(
      phrase`Is the trail in percent or in dollars?`,
      phrase`Say "trailing stop 5%" or "trailing stop $5".`,
    );
  }
  const [asset] = part?.assets ?? [];
  const isCount = mention.kind === 'size' && 'qty' in mention.size && !mention.size.isScaled;
  if (isCount && part?.size === undefined && asset !== undefined && frame.parts.length === 1) {
    // "buy AAPL 10" may give a price.
    const said = `${asset.text} ${text}`;
    const unit = findCoinPair(asset.symbol) === undefined ? 'shares' : 'units';
    return new NotUnderstoodError(phrase``, phrase``, 'usage', `${said}→${said} ${unit}`, 'near_miss');
  }
  if (mention.kind === 'size' && part?.size !== undefined) {
    return new NotUnderstoodError(
      phrase`I don't understand "${truncateWord(text)}" in this request, so I haven't done anything.`,
      phrase`The order already has an amount, ${part.sizeText}. ${orderExamples}`,
    );
  }
  return unreadError(text);
}

export function badNumber(word: string): NotUnderstoodError {
  const isNegative = /^[$]?-|^[$]?0/.test(word) && !/[^\d.$-]/.test(word);
  if (isNegative) {
    return new NotUnderstoodError(
      phrase`${truncateWord(word)} is not above zero.`,
      /^\$?0+$/.test(word) ? phrase`Give a number above zero. ${shellQuotesHint}` : phrase`Give a number above zero.`,
      'invalid_order',
    );
  }
  return new NotUnderstoodError(
    phrase`I can't read "${truncateWord(word)}" as a number.`,
    phrase`Use a plain number, such as 1000 or 12.5.`,
    'invalid_order',
  );
}

function missingSize(side: Side, symbols: readonly string[] = []): NotUnderstoodError {
  const [only] = symbols;
  return new NotUnderstoodError(
    only === undefined || symbols.length > 1
      ? phrase`How many shares, or how many dollars?`
      : phrase`How many shares of ${only.toUpperCase()}, or how many dollars?`,
    side === 'buy' ? orderExamples : saleExamples,
    'usage',
    undefined,
    'size',
  );
}

export const MISSING_ASSET = phrase`Which stock or fund? The ticker symbol is missing.`;

const assetHint = (side: Side, size: string) => phrase`Try "${sideWords[side]} ${size === '' ? '5' : size} AAPL".`;

function missingAsset(side: Side, { sizeText }: Part): NotUnderstoodError {
  return new NotUnderstoodError(MISSING_ASSET, assetHint(side, sizeText), 'usage', undefined, 'append');
}

/** Requires that symbols that share one size are unambiguous. @throws {NotUnderstoodError} with a question */
function requireListable(part: Part, size: Size, side: Side, frame: OrderFrame): void {
  const symbols = part.assets.map(({ symbol }) => truncateWord(symbol));
  const names = phrase`${symbols.slice(0, -1).join(', ')} and ${symbols.at(-1)}`;
  if (part.terms.some(isPriceTerm)) {
    throw new NotUnderstoodError(
      phrase`Is that one price for all of ${names}?`,
      phrase`Write each one out with its own price, as in "sell 5 AAPL limit 240 and sell 3 MSFT limit 450".`,
    );
  }
  if (frame.each || ('fraction' in size && size.fraction === '1')) return;
  if ('fraction' in size) {
    const offer = symbols
      .map((symbol) => `${frame.acts.at(-1)} ${part.sizeText.replace(/(?: of)?(?: my)?$/i, '')} my ${symbol}`)
      .join(' and ');
    throw new NotUnderstoodError(
      phrase`Did you mean "${offer}"?`,
      phrase`Nothing has been done yet. Say "yes", or rephrase the request.`,
      'usage',
      offer,
    );
  }
  const count = 'qty' in size ? formatShares(size.qty) : '';
  const amount =
    'notional' in size
      ? formatDollarAmount(size.notional).replace(/\.00$/, '')
      : 'qty' in size
        ? count === '1'
          ? phrase`${count} share`
          : phrase`${count} shares`
        : part.sizeText;
  throw new NotUnderstoodError(
    phrase`Is it ${amount} of each of ${names}, or ${amount} in total?`,
    phrase`For each, say "${sideWords[side]} ${amount} each of ${names}". For a total, say how much of each: "buy 5 AAPL and 3 MSFT".`,
    'usage',
    undefined,
    'append',
  );
}
