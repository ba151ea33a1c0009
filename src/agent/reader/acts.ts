import { isTradeAgentError } from '../../errors/errors.ts';
import { type Phrase, phrase } from '../../text/phrase.ts';
import { checkRecipient, type MessageService } from '../../trading/message.ts';
import type { Intent, OrderChange, OrderReference } from './intent.ts';
import type { Item } from './items.ts';
import { badNumber } from './order-frame.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { requireEnd, Taker } from './taker.ts';

/* Acts other than orders: cancel, change, send, watch. Each takes every item of its clause. */

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
