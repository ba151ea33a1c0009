import { phrase } from '../../text/phrase.ts';
import type { Side, TimeInForce } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import type { CancelIntent, Intent, OrderChange, OrderReference, OrderTraits, ReplaceIntent } from './intent.ts';
import type { Item } from './item.ts';
import { badNumber } from './order-frame.ts';
import { traitsOf } from './order-traits.ts';
import { NotUnderstoodError, truncateWord } from './refusal.ts';
import { requireEnd, Taker } from './taker.ts';

/*
 * Cancellations and changes of open orders. The person identifies an order by its ID, its position in the list, or its
 * traits: "my AAPL buy at 180", "all my sell orders", "the oldest order".
 */

const cancelHint = phrase`Try "cancel my AAPL order", "cancel my last order" or "cancel order ID".`;
const changeHint = phrase`Try "change my AAPL order to limit 185", "change my AAPL order to 10 shares" or "change order ID to limit 185".`;

/** Traits that the words name, for one order or for several similar orders. */
interface Description {
  id?: string;
  newest?: true;
  oldest?: true;
  place?: number;
  symbols: string[];
  side?: Side;
  qty?: string;
  price?: string;
  type?: NonNullable<OrderTraits['type']>;
  field?: Field;
  /** Whether all matching orders are meant. */
  isAll: boolean;
  isPlural: boolean;
  isOpen: boolean;
  /** Whether the words say how many orders are open: "the older of my two orders". */
  isCounted?: true;
  /** Whether a word indicates that an order is meant: "order", "buy", "the AAPL one". */
  isNamed: boolean;
  /** Whether "it" or "my" indicates a specific order. */
  isMine: boolean;
}

type Field = 'limit_price' | 'stop_price' | 'qty';

const describeNothing = (): Description => ({
  symbols: [],
  isAll: false,
  isPlural: false,
  isOpen: false,
  isNamed: false,
  isMine: false,
});

/** The parts of a description, each tried at every position. */
const steps: readonly (readonly [template: string, says: Partial<Description>])[] = [
  ['last order_noun|order|order_one|it?', { newest: true }],
  ['oldest order_noun|order|order_one?', { oldest: true }],
  ['first order|order_noun|order_one?', { place: 1 }],
  ['second_place order|order_noun|order_one?', { place: 2 }],
  ['third_place order|order_noun|order_one?', { place: 3 }],
  ['everything open_list? order_noun|order|order_one? open_list?', { isAll: true, isNamed: true }],
  ['every|all|both of? my?', { isAll: true }],
  ['open_list', { isOpen: true }],
  ['buying|buy|order_buy|buy_one', { side: 'buy', isNamed: true }],
  ['selling|sell|order_sell|sell_one', { side: 'sell', isNamed: true }],
  ['order|order_noun|order_one', { isNamed: true }],
];

/** Words for order types. They indicate that an order of this type is meant. */
const types = [
  ['trailing', 'trailing'],
  ['stop_loss|stop|field_stop', 'stop'],
] as const;

/** Reads one description. @param isChange whether the words change an order's terms; if so, "limit" names a field */
function takeDescription(words: Taker, isChange: boolean): Description {
  const said = describeNothing();
  while (words.rest !== undefined) {
    if (isChange && words.is(VALUE)) break;
    if (!takePart(words, said, isChange)) break;
  }
  return said;
}

const VALUE = 'from|to|at a? field_limit|field_stop|#|gtc|day|ioc|fok';

function takePart(words: Taker, said: Description, isChange: boolean): boolean {
  const id = words.takeId() ?? words.take('id')?.items[0]?.text;
  if (id !== undefined) {
    said.id = id;
    return true;
  }
  if (isChange ? takeField(words, said) : takeTerm(words, said)) return true;
  for (const [template, says] of steps) {
    const found = words.take(template);
    if (found === undefined) continue;
    requireNoTicker(found.items);
    Object.assign(said, says);
    said.isPlural ||= isPlural(found.items);
    said.isMine ||= found.items.some(({ tags }) => tags.includes('my'));
    return true;
  }
  const mine = words.take('my|it');
  if (mine !== undefined) {
    said.isMine = true;
    // "that AAPL order" points to an order. In "cancel it", the word itself means the order.
    said.isNamed ||= mine.items.some(({ tags }) => tags.includes('it') && !tags.includes('my'));
    return true;
  }
  if (words.is('@')) {
    if (said.symbols.length > 0) return false;
    said.symbols.push(...words.symbols());
    return true;
  }
  // "the older of my two orders"
  if (said.isAll || words.take('#n open_list? order_noun|order') === undefined)
    return words.take('of|on|for|a|with|comma|is|only') !== undefined;
  said.isCounted = true;
  return true;
}

/** Requires that no unread word may be a ticker: "cancel my ALL order" may mean the symbol. */
function requireNoTicker(items: readonly Item[]): void {
  const unread = items.find(({ ticker }) => ticker !== undefined);
  if (unread === undefined) return;
  throw new NotUnderstoodError(
    phrase`Which order do you mean by "${unread.text}"?`,
    phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
  );
}

const isPlural = (items: readonly Item[]) =>
  items.some(({ lower }) => /(?:orders|ones|things|trades|bids|offers)$/.test(lower));

/** Reads "at 180", "for 5 shares" or "stop" as a trait of the order. */
function takeTerm(words: Taker, said: Description): boolean {
  const price =
    words.take('limit? at|of|for? $ per?') ?? words.take('limit? at # per?') ?? words.take('limit of? # per?');
  if (price !== undefined) {
    if (said.price !== undefined) return false;
    said.price = price.quantities[0]?.value ?? '';
    said.isNamed = true;
    return true;
  }
  const count = words.take('for? #n share');
  if (count !== undefined) {
    if (said.qty !== undefined) return false;
    said.qty = count.quantities[0]?.value ?? '';
    return true;
  }
  const type = types.find(([template]) => words.take(template) !== undefined)?.[1];
  if (type !== undefined) {
    said.type = type;
    said.isNamed = true;
    return true;
  }
  if (words.take('limit|field_limit') === undefined) return false;
  said.type = 'limit';
  said.isNamed = true;
  return true;
}

/** Reads "cancel my AAPL and NVDA orders". Returns undefined if the words cancel nothing. */
export function readCancel(items: readonly Item[]): Intent[] | undefined {
  const words = new Taker(items);
  if (words.take('cancel|remove') === undefined || isInSequence(items)) return undefined;
  const found: Description[] = [];
  do {
    const said = takeDescription(words, false);
    found.push(said);
  } while (words.take('comma? and') !== undefined && words.rest !== undefined);
  if (found.every((said) => isNothing(said))) return undefined;
  requireEnd(words, phrase`cancellation`, cancelHint);
  const last = found.at(-1);
  // "cancel my AAPL order and KO": one word indicates for both that orders are meant.
  const isNamed = found.some((said) => said.isNamed);
  const isListed = found.length > 1 || (last?.symbols.length ?? 0) > 1;
  return found.flatMap((said) =>
    cancelled({ ...said, isNamed: said.isNamed || isNamed }, isListed, words).map(
      (which): CancelIntent => ({ kind: 'cancel', which }),
    ),
  );
}

const isNothing = ({ isMine, isOpen, isPlural: _, ...said }: Description) =>
  JSON.stringify(said) === JSON.stringify({ symbols: [], isAll: false, isNamed: false });

/** Returns the orders that a description refers to. @throws {NotUnderstoodError} if the description is ambiguous */
function cancelled(said: Description, isListed: boolean, words: Taker): CancelIntent['which'][] {
  const { symbols, isAll, isPlural: plural, isOpen, isNamed, isMine } = said;
  const traits = traitsOf(said);
  const exact = exactReference(said);
  if (exact !== undefined) return [exact];
  if (said.isCounted) throw unnamedOrder(words);
  if (symbols.length > 0) {
    if (!isNamed && !isAll) throw unnamedOrder(words);
    const many = isAll || (plural && !isListed);
    return symbols.map((symbol) => ({ symbol, many, ...traits }));
  }
  const hasTraits = Object.keys(traits).length > 0;
  if (isAll || (plural && (isOpen || isMine || hasTraits))) return [{ all: true, ...traits }];
  if (isNamed && !isMine && !hasTraits && !isIt(words)) {
    throw new NotUnderstoodError(
      phrase`The order’s ID is missing.`,
      phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
    );
  }
  return [{ only: true, ...traits }];
}

const isIt = ({ items }: Taker) => items.some(({ tags }) => tags.includes('it'));

/** Returns the error for "cancel my AAPL", which may mean an order or a position. A position can't be canceled. */
function unnamedOrder({ items }: Taker): NotUnderstoodError {
  const text = items.map((item) => item.text).join(' ');
  return new NotUnderstoodError(
    phrase`I don't understand "${truncateWord(text)}".`,
    phrase`Try "cancel my AAPL order".`,
  );
}

/** Returns the reference if the words identify one order. @throws {NotUnderstoodError} if they also name traits */
function exactReference(said: Description): Exclude<OrderReference, { symbol: string } | { only: true }> | undefined {
  const { id, newest, oldest, place, symbols } = said;
  const named = [id, newest, oldest, place].filter((one) => one !== undefined).length;
  if (named === 0) return undefined;
  // "the earlier AAPL order" is found by its symbol. If there are several, the planner asks.
  if (named === 1 && oldest && symbols.length === 1 && !said.isAll) return undefined;
  const isPlain = symbols.length === 0 && Object.keys(traitsOf(said)).length === 0 && !said.isAll;
  if (named === 1 && isPlain) {
    if (id !== undefined) return { id };
    if (newest) return { newest };
    return oldest ? { oldest } : { place: place ?? 1 };
  }
  // "my first AAPL order" may be the first of its orders, or the first of all.
  throw new NotUnderstoodError(
    phrase`Which order do you mean by "${wordOf(said)}"?`,
    phrase`Ask "open orders" for the IDs, then "cancel order ID".`,
  );
}

const wordOf = ({ newest, oldest, place, symbols }: Description) =>
  [
    newest ? 'last' : oldest ? 'oldest' : place === undefined ? '' : `${place}.`,
    ...symbols.map((one) => one.toUpperCase()),
  ]
    .filter((word) => word !== '')
    .join(' ');

/** Returns whether an order is named by when it was placed: "my first order". The list has another sequence. */
const isInSequence = (items: readonly Item[]) =>
  items.some(
    ({ tags }, at) =>
      (tags.includes('first') || tags.includes('second_place') || tags.includes('third_place')) &&
      (items[at - 1]?.lower === 'my' || items.some((one) => one.tags.includes('placed'))),
  );

/** Reads "move the limit of my AAPL order to 185". Returns undefined if the words change nothing. */
export function readChange(items: readonly Item[]): ReplaceIntent | undefined {
  const words = new Taker(items);
  if (isInSequence(items)) return undefined;
  if (words.take('change') !== undefined) return changeIn(words);
  const asked = new Taker(items);
  if (asked.take('alter') === undefined || asked.is('a') || !isAboutOrder(items)) return undefined;
  try {
    return changeIn(asked);
  } catch (error) {
    // "reduce", "make" and "set" can also place orders.
    if (error instanceof NotUnderstoodError) return undefined;
    throw error;
  }
}

/** Returns whether the words are about an existing order: "my order", "the AAPL buy", "my KO limit". */
function isAboutOrder(items: readonly Item[]): boolean {
  const isMine = items.some(({ tags }) =>
    ['my', 'it', 'alter_it', 'field_qty', 'oldest'].some((tag) => tags.includes(tag)),
  );
  const nouns = ['order', 'order_noun', 'buying', 'selling', 'buy', 'sell', 'order_buy', 'order_sell', 'limit'];
  return isMine && items.some(({ tags }) => nouns.some((tag) => tags.includes(tag)));
}

/** Reads the words after the verb. @throws {NotUnderstoodError} */
function changeIn(words: Taker): ReplaceIntent {
  const said = takeDescription(words, true);
  const was = words.take('from # per|share? to')?.quantities[0]?.value;
  // "by 3.50" is a difference, not the new value.
  if (was === undefined && words.is('by #|%') && !words.is('to')) throw unclearChange(words);
  const isTo = was !== undefined || words.take('to|at|until') !== undefined;
  const hasTime = !isTo && words.is('a? gtc|day|ioc|fok');
  const instead = isTo || hasTime ? undefined : insteadOf(words);
  // "raise my bid 2 dollars" names the difference, not the new price.
  const isUnit = ({ quantity, tags }: Item) => quantity?.unit === 'dollars' || tags.includes('share');
  const isDirected = words.items.some(({ tags }) => tags.includes('upward') || tags.includes('downward'));
  const isDifference = isDirected && words.items.some(isUnit);
  if (!isTo && !hasTime && instead === undefined && isDifference) throw unclearChange(words);
  const isNoun = words.items.some(({ tags }) => tags.includes('order') || tags.includes('order_noun'));
  if (!isTo && !hasTime && instead === undefined && !isNoun) throw unclearChange(words);
  words.take('a');
  const change = changeOf(words, said.field);
  const rest = takeRest(words, was ?? instead);
  requireEnd(words, phrase`change`, changeHint);
  const which = changedOrder(said, rest.price, words);
  return { kind: 'replace', which, change, ...defined({ was: rest.was }) };
}

/** Returns the number after "instead of". In "8 shares instead of 5", 8 is the new value even without "to". */
function insteadOf({ items }: Taker): string | undefined {
  const at = items.findIndex(({ tags }) => tags.includes('instead_of'));
  return at < 0 ? undefined : items[at + 1]?.quantity?.value;
}

/** Reads "instead of 5", "keep the price at 180" and "it never fills at 180" after the new value. */
function takeRest(words: Taker, said: string | undefined): { was: string | undefined; price: string | undefined } {
  let was = said;
  let price: string | undefined;
  for (;;) {
    const other = words.take('comma? instead_of|never_fills at? # share|per?');
    const value = other?.quantities[0]?.value;
    if (value !== undefined && was !== undefined && was !== value) throw unclearChange(words);
    was = value ?? was;
    const kept = other ?? words.take('comma? and? unchanged at? # per?');
    if (other === undefined && kept !== undefined) price = kept.quantities[0]?.value;
    if (kept === undefined && words.take('comma? and? unchanged|instead|never_fills|only') === undefined)
      return { was, price };
  }
}

function changedOrder(said: Description, price: string | undefined, words: Taker): OrderReference {
  const exact = exactReference(said);
  if (exact !== undefined) return exact;
  const { symbols, isNamed, isMine, field } = said;
  const [symbol, ...more] = symbols;
  const traits = { ...traitsOf(said), ...defined({ price }) };
  const isOne = more.length === 0 && (symbol === undefined ? isMine || isIt(words) : true);
  if (!isOne || said.isAll || said.isCounted || !(isNamed || field !== undefined)) throw unclearChange(words);
  return symbol === undefined ? { only: true, ...traits } : { symbol, ...traits };
}

function unclearChange({ rest }: Taker): NotUnderstoodError {
  const message =
    rest === undefined
      ? phrase`I don't understand what should change.`
      : phrase`I don't understand "${truncateWord(rest.text)}" in this ${phrase`change`}.`;
  return new NotUnderstoodError(message, changeHint);
}

function takeField(words: Taker, said: Description): boolean {
  const field = fieldOf(words);
  if (field === undefined) return false;
  if (said.field !== undefined && said.field !== field) throw unclearChange(words);
  said.field = field;
  return true;
}

function fieldOf(words: Taker): Field | undefined {
  if (words.take('field_qty') !== undefined) return 'qty';
  if (words.take('field_stop') !== undefined) return 'stop_price';
  return words.take('field_limit|limit') === undefined ? undefined : 'limit_price';
}

const times: readonly TimeInForce[] = ['gtc', 'day', 'ioc', 'fok'];

function changeOf(words: Taker, said: Field | undefined): OrderChange {
  const time = said === undefined ? times.find((one) => words.take(one)) : undefined;
  if (time !== undefined) return { time_in_force: time };
  const named = fieldOf(words);
  if (named !== undefined && said !== undefined && named !== said) throw unclearChange(words);
  words.take('of|at|a');
  const quantity = words.take('#')?.quantities[0];
  if (quantity === undefined) throw words.rest?.quantity?.isBad ? badNumber(words.rest.text) : unclearChange(words);
  const { value, unit } = quantity;
  const field = said ?? named ?? (unit === 'none' && words.take('share') !== undefined ? 'qty' : undefined);
  if (field === 'qty') words.take('share');
  words.take('post|with');
  if (field !== undefined) return { [field]: value } as OrderChange;
  return unit === 'dollars' ? { price: value } : { value };
}
