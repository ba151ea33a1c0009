import { isTradeAgentError } from '../../errors/errors.ts';
import type { CheckTime } from '../../tools/alerts.ts';
import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { checkRecipient } from '../../trading/message.ts';
import type { Intent, OrderChange, OrderReference, RebalanceIntent } from './intent.ts';
import type { Item } from './items.ts';
import { isAsset, matchAt, symbolOf } from './match.ts';
import { badNumber } from './order-frame.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { readMentions } from './slots.ts';

/* Acts other than orders: cancel, change, rebalance, alert, send, watch. Each takes every item of its clause. */

/** Takes items one after another; items that carry no meaning between slots are passed over. */
class Taker {
  #at = 0;
  readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    this.items = items;
  }

  /** Takes a template, and returns what it covers. */
  take(template: string) {
    this.#skip();
    const found = matchAt(template, this.items, this.#at);
    if (found === undefined || found.end === this.#at) return undefined;
    this.#at = found.end;
    return found;
  }

  is(template: string): boolean {
    this.#skip();
    return matchAt(template, this.items, this.#at) !== undefined;
  }

  /** Takes symbols that are joined by commas and "and". */
  symbols(): string[] {
    const found: string[] = [];
    for (;;) {
      const next = this.take(
        found.length === 0 ? 'share? of? my? my? @ share|position?' : 'comma|and? and? my? my? @ share|position?',
      );
      const isJoined = found.length === 0 || (next?.items.length ?? 0) > 0;
      if (next === undefined || !isJoined) return found;
      found.push(...next.symbols);
    }
  }

  get rest(): Item | undefined {
    this.#skip();
    return this.items[this.#at];
  }

  #skip(): void {
    while (
      this.items[this.#at]?.tags.some((tag) => ['harmless', 'end', 'question'].includes(tag)) &&
      !isAsset(this.items[this.#at] as Item)
    )
      this.#at += 1;
  }
}

function requireEnd(taker: Taker, what: string, hint: string): void {
  const { rest } = taker;
  if (rest === undefined) return;
  if (rest.quantity?.isBad) throw badNumber(rest.text);
  throw new NotUnderstoodError(`I don't understand "${truncateWord(rest.text)}" in this ${what}.`, hint);
}

const cancelHint = 'Try "cancel my AAPL order", "cancel my last order" or "cancel order ID".';

/** Reads "cancel my AAPL and NVDA orders". Returns undefined if nothing is cancelled. */
export function readCancel(items: readonly Item[]): Intent[] | undefined {
  const words = new Taker(items);
  if (words.take('cancel|remove') === undefined) return undefined;
  const all = words.take('all|every of? my? my?|every?') !== undefined;
  words.take('all? of? my? my? all?');
  const open = words.take('openlist') !== undefined;
  const done = (which: (Intent & { kind: 'cancel' })['which'][]): Intent[] => {
    requireEnd(words, 'cancellation', cancelHint);
    return which.map((one) => ({ kind: 'cancel', which: one }));
  };
  const id = words.take('order? my? id');
  if (id !== undefined) return done([{ id: id.items.at(-1)?.text ?? '' }]);
  if (words.take('last order_noun|order|it?') !== undefined) return done([{ newest: true }]);
  const place = words.take('first|secondth|thirdth order?');
  if (place !== undefined) return done([{ place: placeOf(place.items[0] as Item) }]);
  const everything = words.take('everything order_noun?');
  if (everything !== undefined) return done([{ all: true }]);
  const symbols = words.symbols();
  const plural = words.rest?.lower.includes('orders') ?? false;
  const order = words.take('openlist? order|order_noun');
  const isAll = all || words.take('all') !== undefined;
  if (symbols.length === 0) {
    if (isAll && (order !== undefined || words.rest === undefined)) return done([{ all: true }]);
    if (order === undefined && words.take('it') === undefined) return undefined;
    if (plural && (open || items.some(({ tags }) => tags.includes('my')))) return done([{ all: true }]);
    if (order !== undefined && !items.some(({ tags }) => tags.includes('my')) && !words.is('of')) {
      throw new NotUnderstoodError(
        'The order’s ID is missing.',
        'Ask "open orders" for the IDs, then "cancel order ID".',
      );
    }
    const later = words.take('of? my? @') ?? words.take('for @');
    return done([later === undefined ? { only: true } : { symbol: later.symbols[0] ?? '', many: plural || all }]);
  }
  const also = order === undefined ? [] : words.take('comma|and? and?') === undefined ? [] : words.symbols();
  words.take('order|order_noun');
  if (order === undefined) {
    const said = items.map(({ text }) => text).join(' ');
    throw new NotUnderstoodError(`I don't understand "${truncateWord(said)}".`, 'Try "cancel my AAPL order".');
  }
  const many = all || (plural && symbols.length === 1);
  return done([...symbols, ...also].map((symbol) => ({ symbol, many })));
}

const placeOf = ({ tags }: Item): number => (tags.includes('first') ? 1 : tags.includes('secondth') ? 2 : 3);

const changeHint =
  'Try "change my AAPL order to limit 185", "change my AAPL order to 10 shares" or "change order ID to limit 185".';
type Field = 'limit_price' | 'stop_price' | 'qty';

/** Reads "move the limit of my AAPL order to 185". Returns undefined if nothing is changed. */
export function readChange(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  if (words.take('change') === undefined) return undefined;
  let field: Field | undefined;
  let which: OrderReference | undefined;
  let named = false;
  const unclear = () => {
    const what = words.rest === undefined ? 'what should change' : `"${truncateWord(words.rest.text)}" in this change`;
    return new NotUnderstoodError(`I don't understand ${what}.`, changeHint);
  };
  while (words.rest !== undefined && !words.is('to|at a? field_limit|field_stop|#|gtc|day|ioc|fok')) {
    const said = fieldOf(words);
    if (said !== undefined) {
      if (field !== undefined && field !== said) throw unclear();
      field = said;
      named = true;
    } else if (words.take('my|of|on|a|for') !== undefined) continue;
    else if (words.is('order? id')) which = { id: words.take('order? id')?.items.at(-1)?.text ?? '' };
    else if (words.take('last order|order_noun|it?') !== undefined) which = { newest: true };
    else if (words.is('first|secondth|thirdth'))
      which = { place: placeOf(words.take('first|secondth|thirdth order?')?.items[0] as Item) };
    else if (words.take('order|order_noun|it') !== undefined) named = true;
    else if (which === undefined && words.is('@')) which = { symbol: words.symbols()[0] ?? '' };
    else throw unclear();
  }
  const isMine = items.some(({ tags }) => tags.includes('my')) || items.some(({ tags }) => tags.includes('it'));
  if (which === undefined && !(isMine && named)) throw unclear();
  if (which !== undefined && 'symbol' in which && !named) throw unclear();
  if (words.take('to|at') === undefined) throw unclear();
  words.take('a');
  const change = changeOf(words, field, unclear);
  requireEnd(words, 'change', changeHint);
  return { kind: 'replace', which: which ?? { only: true }, change };
}

function fieldOf(words: Taker): Field | undefined {
  if (words.is('field_qty')) {
    words.take('field_qty');
    return 'qty';
  }
  if (words.is('field_stop') && words.take('field_stop') !== undefined) return 'stop_price';
  return words.take('field_limit|limit') === undefined ? undefined : 'limit_price';
}

function changeOf(words: Taker, field: Field | undefined, unclear: () => Error): OrderChange {
  if (field === undefined) {
    for (const time of ['gtc', 'day', 'ioc', 'fok'] as const) {
      if (words.take(time) !== undefined) return { time_in_force: time };
    }
  }
  const named = fieldOf(words);
  if (named !== undefined && field !== undefined && named !== field) throw unclear();
  words.take('of|at|a');
  const number = words.take('#');
  const quantity = number?.quantities[0];
  if (quantity === undefined) {
    if (words.rest?.quantity?.isBad) throw badNumber(words.rest.text);
    throw unclear();
  }
  const { value, unit } = quantity;
  const which = field ?? named;
  if (which === 'limit_price') return { limit_price: value };
  if (which === 'stop_price') return { stop_price: value };
  if (unit === 'dollars') return { price: value };
  return words.take('share') !== undefined || which === 'qty' ? { qty: value } : { value };
}

const rebalanceExample = 'Try "rebalance to 60% VTI 40% BND".';

/** Reads "rebalance to 60% VTI 40% BND". @throws {NotUnderstoodError} if the targets are incomplete */
export function readRebalance(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(items);
  if (words.take('rebalance') === undefined) return undefined;
  words.take('my? portfolio? back?');
  words.take('to|of');
  if (!items.some(({ quantity }) => quantity?.unit === 'percent')) {
    throw new NotUnderstoodError(
      'How much of each symbol?',
      'Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).',
    );
  }
  const targets: { symbol: string; weight: string }[] = [];
  while (words.rest !== undefined) {
    if (words.take('comma|and and?') !== undefined) continue;
    const found = words.take('% of? @|cash') ?? words.take('@|cash of? %');
    const item = found?.items.find((one) => isAsset(one) || one.tags.includes('cash'));
    const [percent] = found?.quantities ?? [];
    if (item === undefined || percent === undefined) {
      throw new NotUnderstoodError(
        `I expected a percentage and a ticker symbol but found "${truncateWord(words.rest.text)}".`,
        rebalanceExample,
      );
    }
    const symbol = item.lower === 'cash' && item.text !== 'CASH' ? 'cash' : symbolOf(item);
    if (symbol !== 'cash' && (item.ticker === undefined || symbol === 'CASH')) {
      throw new NotUnderstoodError(
        `I expected a ticker symbol in capitals but found "${truncateWord(item.text)}".`,
        rebalanceExample,
      );
    }
    targets.push({ symbol, weight: toPlain(new Dec(percent.value).div(100)) });
  }
  return requireTargets(targets);
}

function requireTargets(targets: RebalanceIntent['targets']): RebalanceIntent {
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new NotUnderstoodError(`${twice} has two percentages.`, 'Name each symbol once.');
  if (names.every((name) => name === 'cash'))
    throw new NotUnderstoodError('A ticker symbol is missing.', rebalanceExample);
  if (targets.length > MAX_BATCH_ORDERS) {
    throw new NotUnderstoodError(`That is more than ${MAX_BATCH_ORDERS} symbols.`, 'Name fewer at once.');
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.eq(100)) {
    throw new NotUnderstoodError(
      `These percentages add up to ${toPlain(whole)}%, not 100%.`,
      'Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".',
    );
  }
  return { kind: 'rebalance', targets };
}

const alertHint = 'Try "tell me when AAPL falls below 180".';

/** Reads "tell me when AAPL falls below 180". Returns undefined if nobody asks to be told. */
export function readAlert(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  if (words.take('alert') === undefined) return undefined;
  words.take('if|for|about');
  const named = words.take('theprice? of? my? @ share? theprice?');
  const symbol = named?.symbols[0];
  if (symbol === undefined) return undefined;
  const percent = words.take('falls|rises|moves bymore|above? % aday? aday?');
  if (percent !== undefined) {
    const field =
      percent.has('falls') || percent.items.some(({ lower }) => lower === 'is down') ? 'falls_by' : 'rises_by';
    const isClear = percent.has('falls') || percent.has('rises');
    if (!isClear) return undefined;
    requireEnd(words, 'alert', alertHint);
    return { kind: 'alert', alert: { symbol, [field]: `${percent.quantities[0]?.value}%` } };
  }
  const crossed = words.take('falls|rises|moves? back? to? below|above #');
  if (crossed !== undefined) {
    const isBelow = crossed.has('below');
    if (crossed.has(isBelow ? 'rises' : 'falls')) {
      throw new NotUnderstoodError('That condition contradicts itself.', alertHint);
    }
    requireSingle(words);
    return { kind: 'alert', alert: { symbol, [isBelow ? 'below' : 'above']: crossed.quantities[0]?.value ?? '' } };
  }
  if (words.take('falls|rises|moves? back? to|at? #') !== undefined) {
    throw new NotUnderstoodError('Do you mean rising above that price, or falling below it?', alertHint);
  }
  return undefined;
}

function requireSingle(words: Taker): void {
  if (words.is('and|comma and? @'))
    throw new NotUnderstoodError(
      `An alert can watch only one symbol, not "${words.items.at(-1)?.text}" too.`,
      alertHint,
    );
  requireEnd(words, 'alert', alertHint);
}

export function readStopAlert(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('stopalert about? my? @ anymore?') ??
    words.take('remove|cancel|stop all? of? my? my? @ allerts') ??
    words.take('remove|cancel|stop all? of? my? my? allerts about|onto|of|for my? @');
  const symbol = found?.symbols[0];
  if (symbol === undefined) return undefined;
  requireSingle(words);
  return { kind: 'stop_alert', symbol };
}

/** Reads "check my alerts every 15 minutes". */
export function readAlertSchedule(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('check on? my? allerts') ??
    words.take('place|add|make|a a? schedule for|to|that|check|my? check? my? allerts');
  if (found === undefined) return undefined;
  const number = words.take('every? #n minutes')?.quantities[0]?.value;
  const every: CheckTime | undefined =
    number === '15' || words.take('every quarterhour') !== undefined
      ? '15m'
      : number === '30' || words.take('every halfhour') !== undefined
        ? '30m'
        : number === '60' || words.take('every? hour') !== undefined
          ? '1h'
          : words.take('every? daily? morning') !== undefined
            ? 'open'
            : words.take('every? daily? evening') !== undefined
              ? 'close'
              : undefined;
  if (every !== undefined && words.rest === undefined) return { kind: 'look', every };
  throw new NotUnderstoodError(
    'I can check every 15 minutes, every half hour, every hour, at the open or before the close.',
    'For other times, use "trade-agent schedule add".',
  );
}

/** Reads "send my portfolio to slack #trading", "email my portfolio to bob@example.com". */
export function readSend(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('send|slack|mail');
  if (verb === undefined) return undefined;
  const isMail = verb.has('mail');
  if (words.take('a? my? portfolio of? my? portfolio? portfolio?') === undefined) return undefined;
  const byMail = words.take('mail') !== undefined;
  words.take('onto|to|of|my my? slack? my?');
  words.take('slack');
  const [target] = words.take('*')?.items ?? [];
  if (target === undefined) return undefined;
  const recipient = target.text;
  words.take('onto|of slack');
  words.take('mail');
  const service = isMail || byMail || (recipient.includes('@') && !verb.has('slack')) ? 'gmail' : 'slack';
  const isPlain = target.tags.every((tag) => ['email', 'channel'].includes(tag));
  if (!isPlain) throw recipientError(recipient, 'it is not a channel or an email address', undefined);
  requireEnd(words, 'message', 'Name one channel or one email address.');
  try {
    checkRecipient(service, recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw recipientError(recipient, error.message, error.hint);
  }
  return { kind: 'send', service, recipient };
}

const recipientError = (recipient: string, why: string, hint: string | undefined) =>
  new NotUnderstoodError(
    `"${truncateWord(recipient)}": ${why}.`,
    hint ?? 'Name one channel or one email address.',
    'invalid_order',
  );

/** Reads "add MSFT to my watchlist". */
export function readWatch(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('add|invest') ?? words.take('remove');
  if (verb === undefined || !items.some(({ tags }) => tags.includes('watchlist'))) return undefined;
  const symbols = words.symbols();
  if (symbols.length === 0 || words.take('onto|off|to|of my? my? watchlist') === undefined) return undefined;
  requireEnd(words, 'request', 'Try "add MSFT to my watchlist".');
  return { kind: 'watch', change: verb.has('remove') ? 'remove' : 'add', symbols };
}

export const hasOrderWords = (items: readonly Item[]) => readMentions(items).some(({ kind }) => kind === 'act');
