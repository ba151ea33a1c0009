import { isTradeAgentError } from '../../errors/errors.ts';
import { type Phrase, phrase } from '../../text/phrase.ts';
import type { CheckTime } from '../../tools/alerts.ts';
import type { Alert } from '../../trading/alert.ts';
import { Dec, toPlain, ZERO } from '../../trading/decimal.ts';
import { MAX_BATCH_ORDERS } from '../../trading/kinds/batch.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import type { Intent, OrderChange, OrderReference, RebalanceIntent } from './intent.ts';
import type { Item } from './items.ts';
import { isAsset, matchAt, symbolOf } from './match.ts';
import { badNumber } from './order-frame.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { isBreakBelow, withoutParticles } from './slots.ts';

/* Acts other than orders: cancel, change, rebalance, alert, send, watch. Each takes every item of its clause. */

/** Takes items one after another; items that carry no meaning between slots are passed over. */
class Taker {
  #at = 0;
  readonly items: readonly Item[];

  constructor(items: readonly Item[]) {
    const kept = withoutParticles(items);
    // "cancel my AAPL order, please" ends with the order.
    const last = kept.findLastIndex(
      (item) => isAsset(item) || !item.tags.some((tag) => tag === 'harmless' || tag === 'comma'),
    );
    this.items = kept.slice(0, last + 1);
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

  /** Takes the ID after "order", whole or as lists show it. */
  takeId(): string | undefined {
    this.#skip();
    const found = matchAt('order my? *', this.items, this.#at);
    const id = found?.items.at(-1)?.text ?? '';
    if (found === undefined || !/^(?=.*\d)[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/.test(id)) return undefined;
    this.#at = found.end;
    return id;
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

function requireEnd(taker: Taker, what: Phrase, hint: Phrase): void {
  const { rest } = taker;
  if (rest === undefined) return;
  if (rest.quantity?.isBad) throw badNumber(rest.text);
  throw new NotUnderstoodError(phrase`I don't understand "${truncateWord(rest.text)}" in this ${what}.`, hint);
}

const cancelHint = phrase`Try "cancel my AAPL order", "cancel my last order" or "cancel order ID".`;

type Reference = Exclude<OrderReference, { readonly symbol: string } | { readonly only: true }>;

/** References to one order that name no symbol. */
const references: readonly (readonly [string, (items: readonly Item[]) => Reference])[] = [
  ['id', (items) => ({ id: items.at(-1)?.text ?? '' })],
  ['last order_noun|order|it?', () => ({ newest: true })],
  ['first order?', () => ({ place: 1 })],
  ['second_place order?', () => ({ place: 2 })],
  ['third_place order?', () => ({ place: 3 })],
];

function takeReference(words: Taker): Reference | undefined {
  const id = words.takeId();
  if (id !== undefined) return { id };
  for (const [template, toReference] of references) {
    const found = words.take(template);
    if (found !== undefined) return toReference(found.items);
  }
  return undefined;
}

/** Reads "cancel my AAPL and NVDA orders". Returns undefined if nothing is cancelled. */
export function readCancel(items: readonly Item[]): Intent[] | undefined {
  const words = new Taker(items);
  if (words.take('cancel|remove') === undefined) return undefined;
  const all = words.take('all|every of? my? my?|every?') !== undefined;
  words.take('all? of? my? my? all?');
  const isOpen = words.take('open_list') !== undefined;
  const which =
    takeReference(words) ?? (words.take('everything order_noun?') === undefined ? undefined : { all: true as const });
  const found = which === undefined ? cancelledOrders(words, all, isOpen) : [which];
  if (found === undefined) return undefined;
  requireEnd(words, phrase`cancellation`, cancelHint);
  return found.map((one) => ({ kind: 'cancel', which: one }));
}

type Cancelled = (Intent & { kind: 'cancel' })['which'];

function cancelledOrders(words: Taker, every: boolean, isOpen: boolean): Cancelled[] | undefined {
  const symbols = words.symbols();
  const plural = words.rest?.lower.includes('orders') ?? false;
  const isOrder = words.take('open_list? order|order_noun') !== undefined;
  const all = words.take('all') !== undefined || every;
  if (symbols.length === 0) return unnamedOrders(words, { all, isOpen, plural, isOrder });
  const also = isOrder && words.take('comma|and? and?') !== undefined ? words.symbols() : [];
  words.take('order|order_noun');
  if (!isOrder) {
    const said = words.items.map(({ text }) => text).join(' ');
    throw new NotUnderstoodError(
      phrase`I don't understand "${truncateWord(said)}".`,
      phrase`Try "cancel my AAPL order".`,
    );
  }
  const many = all || (plural && symbols.length === 1);
  return [...symbols, ...also].map((symbol) => ({ symbol, many }));
}

interface Said {
  readonly all: boolean;
  readonly isOpen: boolean;
  readonly plural: boolean;
  readonly isOrder: boolean;
}

/** Returns the orders that "my order", "all orders" or "my order for AAPL" mean. */
function unnamedOrders(words: Taker, { all, isOpen, plural, isOrder }: Said): Cancelled[] | undefined {
  if (all && (isOrder || words.rest === undefined)) return [{ all: true }];
  if (!isOrder && words.take('it') === undefined) return undefined;
  const isMine = words.items.some(({ tags }) => tags.includes('my'));
  if (plural && (isOpen || isMine)) return [{ all: true }];
  if (isOrder && !isMine && !words.is('of|for')) {
    throw new NotUnderstoodError(
      phrase`The order’s ID is missing.`,
      phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
    );
  }
  const later = words.take('of|for? my? @');
  const unread = words.items.find(({ ticker }) => ticker !== undefined);
  if (later === undefined && unread !== undefined)
    throw new NotUnderstoodError(
      phrase`Which order do you mean by "${unread.text}"?`,
      phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
    );
  return [later === undefined ? { only: true } : { symbol: later.symbols[0] ?? '', many: plural || all }];
}

const changeHint = phrase`Try "change my AAPL order to limit 185", "change my AAPL order to 10 shares" or "change order ID to limit 185".`;
type Field = 'limit_price' | 'stop_price' | 'qty';

/** Reads "move the limit of my AAPL order to 185". Returns undefined if nothing is changed. */
export function readChange(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  if (words.take('change') === undefined) return undefined;
  const { field, which, isNamed } = readChanged(words);
  const isMine = items.some(({ tags }) => tags.includes('my') || tags.includes('it'));
  const isClear = which === undefined ? isMine && isNamed : !('symbol' in which) || isNamed;
  if (!isClear || words.take('to|at') === undefined) throw unclearChange(words);
  words.take('a');
  const change = changeOf(words, field);
  requireEnd(words, phrase`change`, changeHint);
  return { kind: 'replace', which: which ?? { only: true }, change };
}

function unclearChange({ rest }: Taker): NotUnderstoodError {
  const message =
    rest === undefined
      ? phrase`I don't understand what should change.`
      : phrase`I don't understand "${truncateWord(rest.text)}" in this ${phrase`change`}.`;
  return new NotUnderstoodError(message, changeHint);
}

interface Changed {
  field?: Field;
  which?: OrderReference;
  /** Whether a word says that an order is meant. */
  isNamed: boolean;
}

/** Reads which order changes, and which of its fields. */
function readChanged(words: Taker): Changed {
  const changed: Changed = { isNamed: false };
  while (words.rest !== undefined && !words.is('to|at a? field_limit|field_stop|#|gtc|day|ioc|fok')) {
    if (!takeField(words, changed) && words.take('my|of|on|a|for') === undefined && !takeOrder(words, changed))
      throw unclearChange(words);
  }
  return changed;
}

function takeField(words: Taker, changed: Changed): boolean {
  const field = fieldOf(words);
  if (field === undefined) return false;
  if (changed.field !== undefined && changed.field !== field) throw unclearChange(words);
  changed.field = field;
  changed.isNamed = true;
  return true;
}

function takeOrder(words: Taker, changed: Changed): boolean {
  const which = takeReference(words);
  if (which !== undefined) changed.which = which;
  else if (words.take('order|order_noun|it') !== undefined) changed.isNamed = true;
  else if (changed.which === undefined && words.is('@')) changed.which = { symbol: words.symbols()[0] ?? '' };
  else return false;
  return true;
}

function fieldOf(words: Taker): Field | undefined {
  if (words.take('field_qty') !== undefined) return 'qty';
  if (words.take('field_stop') !== undefined) return 'stop_price';
  return words.take('field_limit|limit') === undefined ? undefined : 'limit_price';
}

function changeOf(words: Taker, said: Field | undefined): OrderChange {
  const time = said === undefined ? (['gtc', 'day', 'ioc', 'fok'] as const).find((one) => words.take(one)) : undefined;
  if (time !== undefined) return { time_in_force: time };
  const named = fieldOf(words);
  if (named !== undefined && said !== undefined && named !== said) throw unclearChange(words);
  words.take('of|at|a');
  const quantity = words.take('#')?.quantities[0];
  if (quantity === undefined) throw words.rest?.quantity?.isBad ? badNumber(words.rest.text) : unclearChange(words);
  const { value, unit } = quantity;
  const field = said ?? named ?? (unit === 'none' && words.take('share') !== undefined ? 'qty' : undefined);
  if (field === 'qty') words.take('share');
  if (field !== undefined) return { [field]: value } as OrderChange;
  return unit === 'dollars' ? { price: value } : { value };
}

const rebalanceExample = phrase`Try "rebalance to 60% VTI 40% BND".`;

/** Reads "rebalance to 60% VTI 40% BND". @throws {NotUnderstoodError} if the targets are incomplete */
export function readRebalance(items: readonly Item[]): RebalanceIntent | undefined {
  const words = new Taker(items);
  if (words.take('rebalance') === undefined) return undefined;
  words.take('my? portfolio? back?');
  words.take('to|of');
  if (!items.some(({ quantity }) => quantity?.unit === 'percent')) {
    throw new NotUnderstoodError(
      phrase`How much of each symbol?`,
      phrase`Give each symbol its percentage of the account, 100% in total: "rebalance to 60% VTI 40% BND", "rebalance to 60% VTI 30% BND 10% cash". To rebalance to the targets in a rules file, use "trade-agent check --suggest" (docs/guide/CHECKS.md).`,
    );
  }
  const targets: RebalanceIntent['targets'][number][] = [];
  while (words.rest !== undefined) if (words.take('comma|and and?') === undefined) targets.push(readTarget(words));
  return requireTargets(targets);
}

function readTarget(words: Taker): RebalanceIntent['targets'][number] {
  const { rest } = words;
  const found = words.take('% of? @|cash') ?? words.take('@|cash of? %');
  const item = found?.items.find((one) => isAsset(one) || one.tags.includes('cash'));
  const [percent] = found?.quantities ?? [];
  if (item === undefined || percent === undefined) {
    throw new NotUnderstoodError(
      phrase`I expected a percentage and a ticker symbol but found "${truncateWord(rest?.text ?? '')}".`,
      rebalanceExample,
    );
  }
  const weight = toPlain(new Dec(percent.value).div(100));
  if (item.lower === 'cash' && item.text !== 'CASH') return { symbol: 'cash', weight };
  // "CASH" in capitals is rejected, because it could mean the ticker or the account’s cash.
  if (item.ticker !== undefined && item.ticker !== 'CASH') return { symbol: symbolOf(item), weight };
  throw new NotUnderstoodError(
    phrase`I expected a ticker symbol in capitals but found "${truncateWord(item.text)}".`,
    rebalanceExample,
  );
}

function requireTargets(targets: RebalanceIntent['targets']): RebalanceIntent {
  const names = targets.map(({ symbol }) => symbol);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new NotUnderstoodError(phrase`${twice} has two percentages.`, phrase`Name each symbol once.`);
  if (names.every((name) => name === 'cash'))
    throw new NotUnderstoodError(phrase`A ticker symbol is missing.`, rebalanceExample);
  if (targets.length > MAX_BATCH_ORDERS) {
    throw new NotUnderstoodError(phrase`That is more than ${MAX_BATCH_ORDERS} symbols.`, phrase`Name fewer at once.`);
  }
  const whole = targets.reduce((sum, { weight }) => sum.plus(weight), ZERO).mul(100);
  if (!whole.eq(100)) {
    throw new NotUnderstoodError(
      phrase`These percentages add up to ${toPlain(whole)}%, not 100%.`,
      phrase`Include everything, even cash, as in "rebalance to 60% VTI 30% BND 10% cash".`,
    );
  }
  return { kind: 'rebalance', targets };
}

/** Puts an act that stands at the end, as in German, Japanese and Korean, at the beginning. */
export function actFirst(items: readonly Item[], act: string): readonly Item[] {
  const at = items.findLastIndex(({ tags }) => !tags.includes('harmless') && !tags.includes('question'));
  const item = items[at];
  const isLast = at > 0 && item?.tags.includes(act) === true && isAsset(item) === false;
  return isLast && item !== undefined ? [item, ...items.slice(0, at), ...items.slice(at + 1)] : items;
}

const alertHint = phrase`Try "tell me when AAPL falls below 180".`;

/** Reads "tell me when AAPL falls below 180". Returns undefined for other requests. */
export function readAlert(items: readonly Item[]): Intent | undefined {
  const words = new Taker(actFirst(items, 'alert'));
  if (words.take('alert') === undefined) return undefined;
  words.take('comma');
  words.take('if|for|about');
  const symbol = words.take('the_price? of? my? @ share? the_price?')?.symbols[0];
  const condition = symbol === undefined ? undefined : readCondition(words);
  return symbol === undefined || condition === undefined
    ? undefined
    : { kind: 'alert', alert: { symbol, ...condition } };
}

function readCondition(words: Taker): Omit<Alert, 'symbol'> | undefined {
  const percent = words.take('falls|rises by_more|above? % a_day? a_day?');
  if (percent !== undefined) {
    requireEnd(words, phrase`alert`, alertHint);
    return { [percent.has('falls') ? 'falls_by' : 'rises_by']: `${percent.quantities[0]?.value}%` };
  }
  const broken = takeBreak(words);
  if (broken !== undefined) return broken;
  const crossed = words.take('falls|rises|moves? back? to? below|above #');
  if (crossed !== undefined) {
    const side = crossed.has('below') ? 'below' : 'above';
    if (crossed.has(side === 'below' ? 'rises' : 'falls'))
      throw new NotUnderstoodError(phrase`That condition contradicts itself.`, alertHint);
    requireSingle(words);
    return { [side]: crossed.quantities[0]?.value ?? '' };
  }
  if (words.take('falls|rises|moves? back? to|at? #') === undefined) return undefined;
  throw new NotUnderstoodError(phrase`Do you mean rising above that price, or falling below it?`, alertHint);
}

/** Takes a condition whose verb says the direction, or comes after the price. */
function takeBreak(words: Taker): Omit<Alert, 'symbol'> | undefined {
  const found =
    words.take('breaks_below|breaks_above # if_after?') ??
    words.take('falls|rises to? # below|above|post_most|post_least if_after?') ??
    words.take('# if_below|if_above') ??
    words.take('below|above # falls|rises|moves') ??
    words.take('# below|above|post_most|post_least if_moves');
  if (found === undefined) return undefined;
  requireSingle(words);
  return { [isBreakBelow(found) ? 'below' : 'above']: found.quantities[0]?.value ?? '' };
}

function requireSingle(words: Taker): void {
  if (words.is('and|comma and? @'))
    throw new NotUnderstoodError(
      phrase`An alert can watch only one symbol, not "${words.items.at(-1)?.text}" too.`,
      alertHint,
    );
  requireEnd(words, phrase`alert`, alertHint);
}

export function readStopAlert(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('stop_alerts about? my? @ anymore?') ??
    words.take('remove|cancel|stop all? of? my? my? @ alerts') ??
    words.take('remove|cancel|stop all? of? my? my? alerts about|onto|of|for my? @');
  const symbol = found?.symbols[0];
  if (symbol === undefined) return undefined;
  requireSingle(words);
  return { kind: 'stop_alert', symbol };
}

/** Reads "check my alerts every 15 minutes". */
export function readAlertSchedule(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('check on? my? alerts') ??
    words.take('place|add|make|a a? schedule for|to|that|check|my? check? my? alerts');
  if (found === undefined) return undefined;
  const minutes = words.take('every? #n minutes')?.quantities[0]?.value;
  const every =
    minutes === undefined ? checkTimes.find(([, template]) => words.take(template))?.[0] : checkMinutes[minutes];
  if (every !== undefined && words.rest === undefined) return { kind: 'look', every };
  throw new NotUnderstoodError(
    phrase`I can check every 15 minutes, every half hour, every hour, at the open or before the close.`,
    phrase`For other times, use "trade-agent schedule add".`,
  );
}

const checkMinutes: Readonly<Record<string, CheckTime>> = { 15: '15m', 30: '30m', 60: '1h' };
const checkTimes: readonly (readonly [CheckTime, string])[] = [
  ['15m', 'every quarter_hour'],
  ['30m', 'every half_hour'],
  ['1h', 'every? hour'],
  ['open', 'every? daily? morning'],
  ['close', 'every? daily? evening'],
];

/** Reads "send my portfolio to slack #trading", "email my portfolio to bob@example.com". */
export function readSend(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('send|slack|mail');
  const what = verb === undefined ? undefined : words.take('a? my? portfolio of? my? portfolio? portfolio?');
  if (verb === undefined || what === undefined) return undefined;
  const byMail = words.take('mail') !== undefined || verb.has('mail');
  words.take('onto|to|of|my my? slack? my?');
  words.take('slack');
  const [target] = words.take('*')?.items ?? [];
  if (target === undefined) return undefined;
  words.take('onto|of slack');
  words.take('mail');
  const recipient = target.text;
  const service = byMail || (recipient.includes('@') && !verb.has('slack')) ? 'gmail' : 'slack';
  if (!target.tags.some((tag) => tag === 'email' || tag === 'channel'))
    throw recipientError(recipient, phrase`it is not a channel or an email address`, undefined);
  requireEnd(words, phrase`message`, phrase`Name one channel or one email address.`);
  requireRecipient(service, recipient);
  return { kind: 'send', service, recipient };
}

function requireRecipient(service: MessageService, recipient: string): void {
  try {
    checkRecipient(service, recipient);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    throw recipientError(recipient, phrase`${error.message}`, error.hint);
  }
}

const recipientError = (recipient: string, why: Phrase, hint: string | undefined) =>
  new NotUnderstoodError(
    phrase`"${truncateWord(recipient)}": ${why}.`,
    hint === undefined ? phrase`Name one channel or one email address.` : phrase`${hint}`,
    'invalid_order',
  );

/** Reads "add MSFT to my watchlist". */
export function readWatch(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const verb = words.take('add|invest') ?? words.take('remove');
  if (verb === undefined || !items.some(({ tags }) => tags.includes('watchlist'))) return undefined;
  const symbols = words.symbols();
  if (symbols.length === 0 || words.take('onto|off|to|of my? my? watchlist') === undefined) return undefined;
  requireEnd(words, phrase`request`, phrase`Try "add MSFT to my watchlist".`);
  return { kind: 'watch', change: verb.has('remove') ? 'remove' : 'add', symbols };
}
