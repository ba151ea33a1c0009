import { Dec, toPlain } from '../../trading/decimal.ts';
import type { Side } from '../../trading/order.ts';
import { defined } from '../../values/defined.ts';
import { withoutComments } from './comments.ts';
import type { CancelIntent, Intent, OrderChange, OrderDifference, OrderReference, OrderTraits } from './intent.ts';
import type { Item } from './item.ts';
import { isAsset, matchAt, symbolOf, type TemplateMatch } from './match.ts';
import { traitsOf } from './order-traits.ts';
import { isListedName } from './symbols-by-name.ts';

/*
 * Cancellations and changes of open orders in free word order: "never mind the Coke sell, pull it", "the second order I
 * placed should be for 20 shares instead of 10". Every word has to fill a role, and the words have to describe an order
 * that exists, so that a request for a new order is never read in this way.
 */

type Field = 'limit_price' | 'stop_price' | 'qty';

interface Value {
  /** If undefined, the number may be a price or a number of shares. */
  field?: Field | 'price' | undefined;
  readonly value: string;
  readonly was?: string | undefined;
}

/** The roles that the words fill. */
interface Wish {
  acts: Set<'cancel' | 'weak_cancel' | 'remove' | 'change'>;
  symbols: string[];
  sides: Set<Side>;
  /** Whether a word says that an order is meant, instead of a position or a trade. */
  isNamed: boolean;
  /** Whether the word is "order", which no trade has. */
  isNoun: boolean;
  /** Whether a word says that the order was placed: "the first order I placed". */
  isPlaced: boolean;
  place?: number;
  isNewest: boolean;
  isOldest: boolean;
  isOpen: boolean;
  isAll: boolean;
  count?: string;
  type?: 'stop' | 'limit' | 'trailing';
  /** Whether a symbol names the order to keep: "leave the KO one, cancel the other". */
  keeps: boolean;
  isOther: boolean;
  /** The field that the next value belongs to. */
  field?: Field | undefined;
  values: Value[];
  by?: OrderDifference;
  times?: 'double' | 'half';
  /** Traits, or new values if no other words name them: "at 180", "for 5 shares". */
  loose: (Value & { readonly isAfterValue: boolean; readonly isBare: boolean })[];
  qty?: string;
  kept?: string;
  time?: 'gtc' | 'day';
}

type Role = readonly [template: string, fill: (wish: Wish, found: TemplateMatch) => boolean | undefined];

const set = (values: Partial<Wish>) => (wish: Wish) => {
  Object.assign(wish, values);
  return true;
};
const act = (name: 'cancel' | 'weak_cancel' | 'remove' | 'change') => (wish: Wish) => {
  wish.acts.add(name);
  return true;
};
const side = (name: Side) => (wish: Wish) => {
  wish.sides.add(name);
  wish.isNamed = true;
  return true;
};
const field = (name: Field) => (wish: Wish) => {
  const isFree = wish.field === undefined || wish.field === name;
  // A position has a number of shares, but only an order has a limit.
  wish.isNamed ||= name !== 'qty';
  wish.field = name;
  return isFree;
};

const numberOf = ({ quantities }: TemplateMatch, at = 0) => quantities[at]?.value ?? '';
const isDollars = ({ quantities }: TemplateMatch) => quantities[0]?.unit === 'dollars';

/** Returns the field of a number: its unit or the words before it name the field. */
function fieldOf(wish: Wish, found: TemplateMatch): Value['field'] {
  const isPrice = isDollars(found) || found.has('per') || found.has('cent') || found.has('at');
  const own = found.has('share') ? 'qty' : isPrice ? 'price' : undefined;
  const named = wish.field;
  const isNamed = own === undefined || named === own || (own === 'price' && named !== 'qty' && named !== undefined);
  if (!isNamed) return own;
  wish.field = undefined;
  return named;
}

const newValue = (wish: Wish, found: TemplateMatch) => {
  wish.values.push({ field: fieldOf(wish, found), value: numberOf(found) });
  return true;
};
const changedValue =
  (isNewFirst: boolean) =>
  (wish: Wish, found: TemplateMatch): boolean => {
    const [first, second] = [numberOf(found), numberOf(found, 1)];
    const [value, was] = isNewFirst ? [first, second] : [second, first];
    wish.values.push({ field: fieldOf(wish, found), value, was });
    return true;
  };
const looseValue = (wish: Wish, found: TemplateMatch) => {
  const isBare = found.items[0]?.quantity !== undefined;
  wish.loose.push({
    field: fieldOf(wish, found),
    value: numberOf(found),
    isAfterValue: wish.values.length > 0,
    isBare,
  });
  return true;
};
const difference = (wish: Wish, found: TemplateMatch): boolean => {
  const [quantity] = found.quantities;
  if (quantity === undefined || wish.by !== undefined) return false;
  const amount = found.has('cent') ? toPlain(new Dec(quantity.value).div(100)) : quantity.value;
  const isPercent = quantity.unit === 'percent';
  const field =
    fieldOf(wish, found) ?? (isPercent || found.has('higher') || amount.includes('.') ? 'price' : undefined);
  if (field !== undefined) wish.by = { field, amount, unit: isPercent ? 'percent' : 'value', side: 'above' };
  return field !== undefined;
};

const oneDollar = (wish: Wish): boolean => {
  const isFirst = wish.by === undefined;
  wish.by = { field: 'price', amount: '1', unit: 'value', side: 'above' };
  return isFirst;
};

const roles: readonly Role[] = [
  ['cancel it|pronoun? both|all?', (wish, found) => act('cancel')(wish) && countBoth(wish, found)],
  ['get? drop_order it|pronoun?', act('cancel')],
  ['get cancel|remove it|pronoun?', act('cancel')],
  ['it? is? drop_order_weak', act('weak_cancel')],
  ['remove it|pronoun? both|all?', (wish, found) => act('remove')(wish) && countBoth(wish, found)],
  ['change|alter|alter_it|trim|grow it|pronoun?', act('change')],
  ['leave|close', act('remove')],
  ['wish_be', act('change')],
  ['@ order_one?', (wish, found) => symbolRole(wish, found)],
  ['buying|buy|order_buy|buy_one', side('buy')],
  ['selling|sell|order_sell|sell_one', side('sell')],
  ['my? order|order_noun', set({ isNamed: true, isNoun: true })],
  ['my? order_one', set({ isNamed: true })],
  ['other order|order_noun|order_one?', set({ isOther: true })],
  ['keep', set({ keeps: true })],
  ['untouched|never_fills', () => true],
  ['not day', () => true],
  ['open_list over|in? current_price?', set({ isOpen: true })],
  ['relative|it is? not? still? not? still? is? open_list still? over|in? current_price?', set({ isOpen: true })],
  ['relative|it is? not still? closed_list still?', set({ isOpen: true })],
  ['placed', set({ isPlaced: true })],
  ['what placed', set({ isPlaced: true, isNamed: true })],
  ['last', set({ isNewest: true })],
  ['oldest', set({ isOldest: true })],
  ['my? first', (wish, found) => inSequence(wish, found, 1)],
  ['my? second_place', (wish, found) => inSequence(wish, found, 2)],
  ['every|all', set({ isAll: true })],
  [
    'everything relative? is? still? open_list? over|in? current_price?',
    set({ isAll: true, isNamed: true, isOpen: true }),
  ],
  ['both', set({ isAll: true, count: '2' })],
  ['have_open? my? #n open_list? order|order_noun open_list?', (wish, found) => counted(wish, found)],
  ['my #n end?', (wish, found) => counted(wish, found)],
  ['trailing', set({ type: 'trailing' })],
  ['field_qty', field('qty')],
  ['field_stop|stop', field('stop_price')],
  ['field_limit|limit', field('limit_price')],
  [
    'unchanged on|of?',
    (wish) => {
      wish.isNamed = true;
      return true;
    },
  ],
  ['unchanged at # per?', (wish, found) => keptPrice(wish, found)],
  ['keep my? field_limit at # per?', (wish, found) => keptPrice(wish, found)],
  ['still at # per?', (wish, found) => keptPrice(wish, found)],
  ['from # per|share? to|until # per|share?', changedValue(false)],
  ['for? # per|share? instead_of|than at? # per|share?', changedValue(true)],
  ['at|to # per|share? instead_of|than at? # per|share?', changedValue(true)],
  ['by #|% per|share|cent?', difference],
  ['for|a? #|% per|share|cent? upward|downward', difference],
  ['upward|downward by #|% per|share|cent?', difference],
  ['%', difference],
  ['by? one_dollar upward|downward?', oneDollar],
  ['double', (wish) => act('change')(wish) && set({ times: 'double' })(wish)],
  ['both? my? field_limit|field_qty and my? field_qty|field_limit', () => true],
  ['by half', set({ times: 'half' })],
  ['halve', (wish) => act('change')(wish) && set({ times: 'half' })(wish)],
  ['comma? and? not # per|share?', (wish, found) => oldValue(wish, found)],
  ['add #n share? to', (wish, found) => act('change')(wish) && addedShares(wish, found)],
  ['at # per|share?', looseValue],
  ['to|until # per|share?', newValue],
  ['of|for # per|share?', looseValue],
  ['# per|share?', looseValue],
  [
    'for|my? #n my? @ share?',
    (wish, found) => {
      wish.qty = numberOf(found);
      return symbolRole(wish, found);
    },
  ],
  ['gtc', set({ time: 'gtc' })],
];

/** Reads the old value in "should be 76, not 75". */
function oldValue(wish: Wish, found: TemplateMatch): boolean {
  const list = wish.loose.length > 0 ? wish.loose : wish.values;
  const last = list.at(-1);
  if (last === undefined || last.was !== undefined) return false;
  list[list.length - 1] = { ...last, was: numberOf(found) } as (typeof wish.loose)[number];
  return true;
}

function addedShares(wish: Wish, found: TemplateMatch): boolean {
  const isFirst = wish.by === undefined;
  wish.by = { field: 'qty', amount: numberOf(found), unit: 'value', side: 'above' };
  return isFirst;
}

/** Reads "my first order" and "the first order I placed", unlike "the first order", which may be the first of a list. */
function inSequence(wish: Wish, { items }: TemplateMatch, place: number): boolean {
  const isFree = wish.place === undefined || wish.place === place;
  wish.place = place;
  wish.isPlaced ||= items[0]?.lower === 'my';
  return isFree;
}

function countBoth(wish: Wish, found: TemplateMatch): boolean {
  if (found.has('both')) set({ isAll: true, count: '2' })(wish);
  return true;
}

function counted(wish: Wish, found: TemplateMatch): boolean {
  if (wish.count !== undefined && wish.count !== numberOf(found)) return false;
  wish.count = numberOf(found);
  wish.isNamed = true;
  return true;
}

function keptPrice(wish: Wish, found: TemplateMatch): boolean {
  wish.kept = numberOf(found);
  wish.isNamed = true;
  return true;
}

function symbolRole(wish: Wish, found: TemplateMatch): boolean {
  const item = found.items.find(isAsset);
  if (item === undefined || !(item.ticker !== undefined || item.isKnownName || isListedName(symbolOf(item))))
    return false;
  const symbol = symbolOf(item);
  if (!wish.symbols.some((one) => one.toUpperCase() === symbol.toUpperCase())) wish.symbols.push(symbol);
  if (found.has('order_one')) wish.isNamed = true;
  return wish.symbols.length === 1;
}

/** Meanings of words that fill no role and change nothing here. */
const IDLE = [
  'harmless',
  'question',
  'still',
  'alone',
  'relative',
  'only',
  'my',
  'it',
  'a',
  'comma',
  'end',
  'colon',
  'and',
  'of',
  'on',
  'for',
  'i',
  'is',
  'day_of',
  'pronoun',
];
const isIdle = (item: Item) =>
  !isAsset(item) &&
  item.quantity === undefined &&
  (item.lower === 'but' || item.tags.some((tag) => IDLE.includes(tag)));

/** Returns whether a verb of trading begins a request of its own: "and sell 10 KO", unlike "the KO sell". */
function isNewTrade(items: readonly Item[], at: number): boolean {
  const item = items[at] as Item;
  const isTrade = item.tags.some((tag) => tag === 'buy' || tag === 'sell') && !item.tags.includes('remove');
  if (isAsset(item) || !isTrade) return false;
  const before = items.slice(0, at).findLast((one) => !(one.tags.includes('harmless') && !one.tags.includes('placed')));
  return (
    before === undefined ||
    ['comma', 'end', 'and', 'then', 'i'].some((tag) => before.tags.includes(tag) && !before.tags.includes('my'))
  );
}

/** Returns whether words change an order, although they could also place one: "make the KO sell order 15 shares". */
export function setsOpenOrder(items: readonly Item[]): boolean {
  const at = items.findIndex(({ tags }) => ['order_noun', 'order_buy', 'order_sell'].some((tag) => tags.includes(tag)));
  const lead = items.findIndex(({ tags }) => !tags.includes('harmless'));
  const starts = (...tags: readonly string[]) => items[lead]?.tags.some((tag) => tags.includes(tag)) === true;
  const isDefinite = (item: Item | undefined) => item?.tags.includes('my') === true;
  // "get me out of the KO order" is about the order, not about the position.
  if (starts('leave', 'close')) return at > 0 && (isDefinite(items[at - 1]) || isAsset(items[at - 1] as Item));
  if (starts('add')) return isDefinite(items.slice(0, at).findLast((item) => !isAsset(item)));
  return starts('alter', 'trim') && at > lead && isDefinite(items[lead + 1]);
}

/** Reads a cancellation or a change of an open order. Returns undefined if a word fills no role. */
export function readOpenOrderWish(all: readonly Item[]): Intent[] | undefined {
  const said = withoutComments(all);
  const kept = keptPart(said);
  const items = kept === undefined ? said : said.filter((item) => !kept.items.includes(item));
  const wish = placesOrder(items) ? undefined : fillWish(items);
  if (wish === undefined || isSameOrder(wish, kept?.wish)) return undefined;
  const isChange =
    wish.values.length > 0 || wish.by !== undefined || wish.times !== undefined || wish.time !== undefined;
  if (!isChange && ['cancel', 'weak_cancel', 'remove'].some((name) => wish.acts.has(name as 'cancel')))
    return cancelOf(wish);
  return wish.acts.has('cancel') || wish.acts.has('weak_cancel') ? undefined : changeOf(wish, items);
}

/** Returns whether the words place an order instead of changing one: "put a buy order", unlike "put the buy order". */
function placesOrder(items: readonly Item[]): boolean {
  const lead = items.findIndex(({ tags }) => !tags.includes('harmless') || tags.includes('placed'));
  const places = items[lead]?.tags.some((tag) => ['place', 'get', 'invest'].includes(tag)) === true;
  const next = items[lead + 1];
  const isDefinite = next?.tags.includes('my') === true && next.lower !== 'me' && next.lower !== 'us';
  return places && !isDefinite && next?.tags.some((tag) => tag === 'drop_order' || tag === 'remove') !== true;
}

/** Finds the part that names an order to keep: "cancel the sell and leave the buy". */
function keptPart(items: readonly Item[]): { readonly items: readonly Item[]; readonly wish: Wish } | undefined {
  const isBreak = ({ tags, lower }: Item) =>
    lower === 'but' || ['comma', 'end', 'and'].some((tag) => tags.includes(tag));
  const at = items.findIndex(({ tags }) => tags.includes('keep') && !tags.includes('unchanged'));
  if (at < 0 || items.some(({ tags }) => tags.includes('other'))) return undefined;
  const length = items.slice(at).findIndex((item, index) => index > 0 && isBreak(item));
  const part = items.slice(at, length < 0 ? items.length : at + length);
  const wish = fillWish(part);
  const isPlain = wish !== undefined && wish.acts.size === 0 && wish.values.length + wish.loose.length === 0;
  return isPlain && wish.field === undefined && wish.symbols.length + wish.sides.size > 0
    ? { items: part, wish }
    : undefined;
}

/** Returns whether the order to keep may be the one to cancel or to change. */
function isSameOrder(wish: Wish, kept: Wish | undefined): boolean {
  if (kept === undefined) return false;
  const differ = (one: Iterable<string>, other: Iterable<string>) => {
    const [a] = one;
    const [b] = other;
    return a !== undefined && b !== undefined && a.toUpperCase() !== b.toUpperCase();
  };
  return !differ(wish.symbols, kept.symbols) && !differ(wish.sides, kept.sides);
}

function fillWish(items: readonly Item[]): Wish | undefined {
  const wish: Wish = {
    acts: new Set(),
    symbols: [],
    sides: new Set(),
    isNamed: false,
    isNoun: false,
    isPlaced: false,
    isNewest: false,
    isOldest: false,
    isOpen: false,
    isAll: false,
    keeps: false,
    isOther: false,
    values: [],
    loose: [],
  };
  for (let at = 0; at < items.length; ) {
    const item = items[at] as Item;
    // "cancel my ALL order" may mean the symbol.
    const isUnclear = item.ticker !== undefined && item.tags.length > 0;
    if (item.aside || item.quantity?.isBad || isUnclear || isNewTrade(items, at)) return undefined;
    const best = longestRole(items, at);
    if (best === undefined && !isIdle(item)) return undefined;
    if (best !== undefined && best.fill(wish, best.found) !== true) return undefined;
    at = best?.found.end ?? at + 1;
  }
  return wish;
}

function longestRole(items: readonly Item[], at: number) {
  let best: { readonly found: TemplateMatch; readonly fill: Role[1] } | undefined;
  for (const [template, fill] of roles) {
    const found = matchAt(template, items, at);
    if (found === undefined || found.end === at || (best !== undefined && found.end <= best.found.end)) continue;
    if (!found.items.some(({ aside }) => aside)) best = { found, fill };
  }
  return best;
}

/** Returns the reference to the order that the words identify. @param loose the numbers that are traits of the order */
function identify(wish: Wish, loose: readonly Value[]): OrderReference | undefined {
  const traits = statedTraits(wish, loose);
  const sequence = placeInSequence(wish);
  if (traits === undefined || sequence === 'unclear') return undefined;
  const [symbol] = wish.symbols;
  if (sequence !== undefined) return { placed: sequence, ...defined({ symbol }), ...traits };
  const isPlain = symbol === undefined && Object.keys(traits).length === 0;
  if (wish.place !== undefined) return isPlain ? { place: wish.place } : undefined;
  if (!wish.isNamed || isPlain) return undefined;
  return symbol === undefined ? { only: true, ...traits } : { symbol, ...traits };
}

function statedTraits(wish: Wish, loose: readonly Value[]): OrderTraits | undefined {
  const price = wish.kept ?? loose.find(({ field: of }) => of !== undefined && of !== 'qty')?.value;
  const qty = wish.qty ?? loose.find(({ field: of }) => of === 'qty')?.value;
  const [side, other] = wish.sides;
  const isClear = other === undefined && loose.every(({ field: of }) => of !== undefined) && loose.length < 3;
  return isClear ? traitsOf(defined({ side, price, qty, type: wish.type })) : undefined;
}

/** Returns the position in the sequence in which the orders were placed, if the words name one. */
function placeInSequence({ place, isPlaced, isOldest, isNewest }: Wish): number | 'unclear' | undefined {
  const first = isOldest ? 1 : isPlaced ? place : undefined;
  if (!isNewest) return first;
  return first === undefined ? -1 : 'unclear';
}

function cancelOf(wish: Wish): CancelIntent[] | undefined {
  const isSure = wish.acts.has('cancel') || wish.acts.has('remove') || (wish.symbols.length > 0 && wish.isNamed);
  const which = isSure && wish.field === undefined ? canceledOrders(wish) : undefined;
  return which === undefined ? undefined : [{ kind: 'cancel', which }];
}

function canceledOrders(wish: Wish): CancelIntent['which'] | undefined {
  if (wish.isOther) {
    const kept = wish.keeps ? identify({ ...wish, isNamed: true }, wish.loose) : undefined;
    return kept === undefined ? undefined : { otherThan: kept };
  }
  if (wish.keeps) return undefined;
  if (wish.isAll || wish.count !== undefined) return allOrders(wish);
  const which = identify(wish, wish.loose);
  return which !== undefined && 'symbol' in which && !('placed' in which) ? { ...which, many: false } : which;
}

function allOrders({ symbols, sides, loose, place, isNamed, isOpen, count }: Wish): CancelIntent['which'] | undefined {
  const [side, other] = sides;
  const isPlain = symbols.length === 0 && loose.length === 0 && place === undefined && other === undefined;
  return isPlain && (isNamed || isOpen) ? { all: true, ...defined({ side, count }) } : undefined;
}

function changeOf(wish: Wish, items: readonly Item[]): Intent[] | undefined {
  const hasValue =
    wish.values.length > 0 || wish.by !== undefined || wish.times !== undefined || wish.time !== undefined;
  // Without an act, only a colon says that values follow. "The KO order at 75" describes the order.
  const isList = wish.symbols.length === 1 && wish.isNoun && items.some(({ tags }) => tags.includes('colon'));
  const isStated = wish.acts.size > 0 || isList;
  if (wish.isAll || wish.keeps || wish.isOther || !isStated || !(wish.isNamed || wish.place !== undefined))
    return undefined;
  if (!hasValue && hasDirection(items)) return raised(wish, items);
  const traits = hasValue ? wish.loose.filter(({ isAfterValue }) => !isAfterValue) : [];
  const values = [...wish.values, ...wish.loose.filter((one) => !traits.includes(one))];
  const which = identify(wish, traits);
  const change = changeTo(wish, values, items);
  if (which === undefined || change === undefined) return undefined;
  const [was, ...more] = values.flatMap((one) => one.was ?? []);
  return more.length > 0 ? undefined : [{ kind: 'replace', which, change, ...defined({ was }) }];
}

const hasDirection = (items: readonly Item[]) =>
  items.some(({ tags }) => tags.includes('upward') || tags.includes('downward'));

/** Reads "raise my bid 2 dollars" as a difference. The new price would follow "to" or "at". */
function raised(wish: Wish, items: readonly Item[]): Intent[] | undefined {
  const [amount, ...more] = wish.loose;
  if (amount === undefined || more.length > 0 || !amount.isBare || amount.field === undefined) return undefined;
  const by = { field: amount.field, amount: amount.value, unit: 'value', side: 'above' } as const;
  return changeOf({ ...wish, loose: [], by }, items);
}

/** Returns the new values. Returns undefined if there are none, or a value does not say what it changes. */
function changeTo(wish: Wish, values: readonly Value[], items: readonly Item[]): OrderChange | undefined {
  const change: Record<string, string> = {};
  for (const { field: of = 'value', value } of values) {
    if (Object.hasOwn(change, of)) return undefined;
    change[of] = value;
  }
  const isPriced = 'price' in change && ('limit_price' in change || 'stop_price' in change);
  if (isPriced || ('value' in change && Object.keys(change).length > 2)) return undefined;
  const by = differenceOf(wish, items);
  if (by === 'unclear') return undefined;
  // "knock fifty cents off the limit" names the field after the number.
  const late = by?.field === 'price' && wish.field !== undefined && wish.field !== 'qty' ? wish.field : undefined;
  if (late !== undefined) wish.field = undefined;
  const all: OrderChange = {
    ...change,
    ...defined({ by: by && { ...by, ...defined({ field: late }) }, time_in_force: wish.time }),
  };
  return Object.keys(all).length > 0 && wish.field === undefined ? all : undefined;
}

/** Returns the difference with the direction that the words name: "two dollars higher". */
function differenceOf(wish: Wish, items: readonly Item[]): OrderDifference | 'unclear' | undefined {
  if (wish.times !== undefined) {
    const isQty = wish.field === undefined || wish.field === 'qty';
    wish.field = undefined;
    const change =
      wish.times === 'double'
        ? ({ amount: '100', side: 'above' } as const)
        : ({ amount: '50', side: 'below' } as const);
    return isQty && wish.by === undefined ? { field: 'qty', unit: 'percent', ...change } : 'unclear';
  }
  if (wish.by === undefined) return undefined;
  const isUp = items.some(({ tags }) => tags.includes('upward') || tags.includes('add'));
  const isDown = items.some(({ tags }) => tags.includes('downward'));
  return isUp === isDown ? 'unclear' : { ...wish.by, side: isUp ? 'above' : 'below' };
}
