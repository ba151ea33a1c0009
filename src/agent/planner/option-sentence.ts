import { parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import type { OrderRequestInput, TimeInForce } from '../../trading/order.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import { defined } from '../../values/defined.ts';
import type { ContractMention } from './contract-mention.ts';
import { isUnresolvedName, type OrderIntent } from './intent.ts';
import { takeTimeInForce } from './order-terms.ts';
import { looksNumeric, NotUnderstoodError, parseAmount, truncateWord, WordReader } from './words.ts';

const examples =
  'For example: buy 1 AAPL 190 call expiring Dec 18 at 2.50; sell a covered call on my AAPL, 200 strike, December 18 at 1.20.';

const openings: readonly (readonly [RegExp, 'buy' | 'sell', PositionIntent | undefined])[] = [
  [/^buy to close\b|^buy back\b/i, 'buy', 'buy_to_close'],
  [/^(?:buy to open|buy|purchase)\b/i, 'buy', 'buy_to_open'],
  [/^(?:sell to open|write)\b/i, 'sell', 'sell_to_open'],
  [/^sell to close\b/i, 'sell', 'sell_to_close'],
  [/^sell\b/i, 'sell', undefined],
];

/** Matches "call" or "put", a strike followed by "c" or "p", or an OCC symbol. */
const optionPattern = /\b(?:calls?|puts?)\b|\s\$?\d+(?:\.\d+)?[cp]\b|\b[A-Z][A-Z0-9]{0,5}\d{6}[CP]\d{8}\b/i;

/** Returns whether a clause names an option. If so, its commas separate strike and expiry, not symbols. */
export function isAboutOption(clause: string): boolean {
  return optionPattern.test(clause);
}

interface OptionUtterance {
  symbol?: string;
  qty?: string;
  right?: 'call' | 'put';
  strike?: string;
  expiry?: string;
  limit?: string;
  time?: TimeInForce;
  isCovered?: true;
  isSecured?: true;
  isMine?: true;
  isMarket?: true;
}

/** Parses an option order, with underlying, strike and expiry in any order. Returns undefined for other clauses. */
export function parseOptionOrder(clause: string): OrderIntent | undefined {
  if (!isAboutOption(clause)) return undefined;
  const opening = openings.find(([pattern]) => pattern.test(clause));
  if (opening === undefined) return rejectClosing(clause);
  const [pattern, side, intent] = opening;
  const said = readUtterance(new WordReader(clause.replace(pattern, '')));
  const { contract, symbol } = toContract(said);
  const { qty, limit, time } = said;
  if (qty === undefined) throw new NotUnderstoodError('How many contracts?', examples);
  const request: OrderRequestInput = {
    symbol,
    side,
    qty,
    type: limit === undefined ? 'market' : 'limit',
    position_intent: intent ?? saleIntent(said, contract?.right ?? parseOptionSymbol(symbol)?.right, symbol),
    ...defined({ limit_price: limit, time_in_force: time }),
  };
  return contract === undefined ? { kind: 'order', request } : { kind: 'order', request, contract };
}

/** Rejects "close my AAPL 190 call" with a question, because it doesn't say whether the option was bought or sold. */
function rejectClosing(clause: string): undefined {
  if (!/^(?:close|exit|liquidate)\b/i.test(clause)) return undefined;
  throw new NotUnderstoodError(
    'Did you buy that option, or sell it?',
    'Say "sell to close …" for an option that you hold, or "buy to close …" for an option that you sold.',
  );
}

function readUtterance(words: WordReader): OptionUtterance {
  const said: OptionUtterance = {};
  while (!words.done) {
    if (readKeyword(words, said) || readNumbers(words, said)) continue;
    const expiry = readExpiry(words, said.symbol !== undefined);
    if (expiry !== undefined) setOnce(said, 'expiry', expiry);
    else if (words.takeAny(...fillers)) continue;
    else if (said.symbol === undefined) said.symbol = words.symbol(examples);
    else {
      throw new NotUnderstoodError(
        `I don't understand "${truncateWord(words.peek())}" in this order, so I haven't done anything.`,
        examples,
      );
    }
  }
  return said;
}

const fillers = 'options|option|contracts|contract|on|of|with|the|please|each|limit|as'.split('|');

function readKeyword(words: WordReader, said: OptionUtterance): boolean {
  if (words.takeAny('covered')) said.isCovered = true;
  else if (words.takeAny('cash-secured', 'cash secured', 'secured')) said.isSecured = true;
  else if (words.takeAny('calls', 'call')) setOnce(said, 'right', 'call');
  else if (words.takeAny('puts', 'put')) setOnce(said, 'right', 'put');
  else if (words.takeAny('my')) said.isMine = true;
  else if (words.takeAny('at the market', 'at market', 'market order', 'market', 'mkt')) said.isMarket = true;
  else {
    const time = takeTimeInForce(words);
    if (time !== undefined) setOnce(said, 'time', time);
    else if (said.qty === undefined && said.symbol === undefined && words.takeAny('a', 'an')) said.qty = '1';
    else return words.takeAny('a', 'an');
  }
  return true;
}

/** Takes the words that introduce a limit price or a strike, and returns which of the two they introduce. */
function takeLead(words: WordReader): 'limit' | 'strike' | undefined {
  const follows = looksNumeric(words.peek(1).replace(/^\$/, '')) && parseMonth(words.peek(2)) === undefined;
  if (follows && !/^\d{1,2}\/\d/.test(words.peek(1)) && words.takeAny('at', '@', 'for', 'limit')) return 'limit';
  if (words.takeAny('at a limit of', 'limit of', 'limit price of', 'limit at', 'no more than', 'no less than')) {
    return 'limit';
  }
  const isStrike = words.takeAny('strike price of', 'strike price', 'strike of', 'strike at', 'strike');
  return isStrike ? 'strike' : undefined;
}

/** Parses a number. The first number without a word that marks it as a price or a strike is the quantity. */
function readNumbers(words: WordReader, said: OptionUtterance): boolean {
  const lead = takeLead(words);
  if (lead !== undefined) {
    setOnce(said, lead, words.price(lead === 'limit' ? 'limit price' : 'strike'));
    return true;
  }
  const short = /^\$?(\d+(?:\.\d+)?)([cp])$/i.exec(words.peek());
  if (short !== null) {
    words.next();
    setOnce(said, 'strike', parseAmount(short[1] ?? ''));
    setOnce(said, 'right', short[2]?.toLowerCase() === 'c' ? 'call' : 'put');
    return true;
  }
  if (/^\d{1,2}\/\d|^20\d\d-/.test(words.peek())) return false;
  if (said.symbol === undefined && said.qty === undefined) {
    const qty = words.quantity();
    if (qty !== undefined) said.qty = qty;
    return qty !== undefined;
  }
  if (!looksNumeric(words.peek().replace(/^\$/, ''))) return false;
  // In "230 18 December", the number after the strike and before the month is the day.
  if (said.strike !== undefined && parseMonth(words.peek(1)) !== undefined) return false;
  setOnce(said, 'strike', words.price('strike'));
  words.takeAny('strike');
  return true;
}

function setOnce<Field extends keyof OptionUtterance>(
  said: OptionUtterance,
  field: Field,
  value: NonNullable<OptionUtterance[Field]>,
): void {
  if (said[field] !== undefined) {
    throw new NotUnderstoodError(`The order has two values for its ${field}.`, 'Give it only once.', 'invalid_order');
  }
  said[field] = value;
}

function toContract({ symbol, right, strike, expiry, limit, isMarket }: OptionUtterance): {
  symbol: string;
  contract?: ContractMention;
} {
  if (symbol === undefined) throw new NotUnderstoodError('An option on what?', examples);
  if (limit !== undefined && isMarket) {
    throw new NotUnderstoodError('Is this a market order or a limit order?', 'Choose one of the two.', 'invalid_order');
  }
  if (symbolAssetClass(symbol) === 'us_option') {
    if (right === undefined && strike === undefined && expiry === undefined) return { symbol };
    throw new NotUnderstoodError(
      `${symbol} already includes the strike and expiry.`,
      'Leave them out.',
      'invalid_order',
    );
  }
  if (isUnresolvedName(symbol) || symbolAssetClass(symbol) !== 'us_equity') {
    throw new NotUnderstoodError(
      `For an option I need the ticker symbol of the stock, and "${truncateWord(symbol)}" isn't one.`,
      examples,
    );
  }
  if (right === undefined) throw new NotUnderstoodError('A call or a put?', examples);
  if (strike === undefined) throw new NotUnderstoodError(`What is the strike of the ${right}?`, examples);
  if (expiry === undefined) throw new NotUnderstoodError(`When does the ${right} expire?`, examples);
  return { symbol, contract: { right, strike, expiry } };
}

function saleIntent(
  { isCovered, isSecured, isMine }: OptionUtterance,
  right: OptionUtterance['right'],
  symbol: string,
): PositionIntent {
  if (isCovered && right === 'put') {
    throw new NotUnderstoodError('A put is secured by cash.', `Say "sell a cash-secured put on ${symbol} …".`);
  }
  if (isSecured && right === 'call') {
    throw new NotUnderstoodError('A call is covered by shares.', `Say "sell a covered call on ${symbol} …".`);
  }
  if (isCovered || isSecured) return 'sell_to_open';
  if (isMine) return 'sell_to_close';
  throw new NotUnderstoodError(
    `Do you mean to sell ${right}s that you hold, or to open a position in them?`,
    `Say "sell to close …", or "sell a ${right === 'call' ? 'covered call' : 'cash-secured put'} on ${symbol} …".`,
  );
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');

/**
 * Parses `Dec 18`, `18 Dec 2026`, `12/18`, `2026-12-18`, or a month.
 * @param afterSymbol whether the symbol was already read; before it, a month may be a ticker
 * @returns `12-18`, `2026-12-18`, `12`, `2026-12`; undefined if no date comes next
 */
function readExpiry(words: WordReader, afterSymbol: boolean): string | undefined {
  const isNamed = words.takeAny(
    'that expires on',
    'that expires in',
    'that expires',
    'expiring on',
    'expiring in',
    'expiring',
    'expires',
    'expiration',
    'expiry',
    'exp',
  );
  const lead = words.peek().toLowerCase();
  const at = ['for', 'in', 'on', 'the'].includes(lead) ? 1 : 0;
  const found = dateAt(words, at, isNamed || afterSymbol);
  if (found === undefined) return undefined;
  for (let taken = 0; taken < at + found.count; taken += 1) words.next();
  return found.expiry;
}

function dateAt(
  words: WordReader,
  at: number,
  monthAlone: boolean,
): { readonly expiry: string; readonly count: number } | undefined {
  const word = words.peek(at);
  const iso = /^20\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?$/.exec(word);
  if (iso !== null) return { expiry: iso[0], count: 1 };
  const slashed = /^(\d{1,2})\/(\d{1,2})(?:\/(20\d\d|\d\d))?$/.exec(word);
  if (slashed !== null) {
    const [, month = '', day = '', year] = slashed;
    const expiry = formatExpiry(Number(month), day, year?.padStart(4, '20'));
    return expiry === undefined ? undefined : { expiry, count: 1 };
  }
  const first = parseMonth(word);
  if (first !== undefined) {
    const day = parseDay(words.peek(at + 1));
    const isDay = day !== undefined && !/^(?:strike|calls?|puts?)$/i.test(words.peek(at + 2));
    if (isDay) return withYear(words, at + 2, first, day, 2);
    return monthAlone ? withYear(words, at + 1, first, undefined, 1) : undefined;
  }
  const month = parseMonth(words.peek(at + 1));
  const day = parseDay(word);
  return month === undefined || day === undefined ? undefined : withYear(words, at + 2, month, day, 2);
}

function withYear(words: WordReader, at: number, month: number, day: string | undefined, count: number) {
  const year = /^20\d\d$/.test(words.peek(at)) ? words.peek(at) : undefined;
  const expiry = formatExpiry(month, day, year);
  return expiry === undefined ? undefined : { expiry, count: year === undefined ? count : count + 1 };
}

function formatExpiry(month: number, day: string | undefined, year: string | undefined): string | undefined {
  if (month < 1 || month > 12 || (day !== undefined && (Number(day) < 1 || Number(day) > 31))) return undefined;
  return [year, String(month).padStart(2, '0'), day?.padStart(2, '0')].filter((part) => part !== undefined).join('-');
}

function parseMonth(word: string): number | undefined {
  const lower = word.toLowerCase();
  const at = MONTHS.findIndex((name) => [name, name.slice(0, 3), name.slice(0, 4)].includes(lower));
  return at < 0 ? undefined : at + 1;
}

function parseDay(word: string): string | undefined {
  return /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)?.[1];
}
