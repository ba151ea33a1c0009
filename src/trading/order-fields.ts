import { eachWords, optionOf, quantityWords } from './asset-class.ts';
import { cents, Dec, plain } from './decimal.ts';
import { environmentWord } from './environment.ts';
import { orderClassWords, type PositionIntent } from './order-classes.ts';
import { orderTypes, orderTypeTable, timeInForceWords } from './order-types.ts';

/*
 * The one table of an order's fields. The schemas of order.ts may have no other field, and a field without an entry
 * has no canonical form: written in two ways, one order would have two digests.
 */

export interface OrderField {
  /**
   * `price`: dollars a share, on the tick; `amount`: other numbers, without trailing zeros; `word`: compared as it
   * is.
   */
  readonly form: 'price' | 'amount' | 'word';
  /** Whether it goes to the broker, whose order must then have the same; `leg`: as the price of one of its legs. */
  readonly sent: boolean | 'leg';
  /** In a broker's shorthand, before the value, for what says at which price an order trades. */
  readonly shorthand?: (value: string) => string;
  readonly label: string;
  readonly shown: (value: string, symbol?: string) => string;
}

type Shown = OrderField['shown'];
const asIs: Shown = (value) => value;
const perShare: Shown = (value, symbol = '') => `$${value} ${eachWords(symbol)}`;
/** To the cent; an amount finer than that is shown as it is, not rounded away. */
export const shownDollars: Shown = (value) =>
  /^\d+(\.\d{1,2})?$/.test(value) ? `$${cents(value)}` : `$${value}`;
const isNumber = (value: string) => /^\d+(\.\d+)?$/.test(value);
const percentOfFraction: Shown = (value) =>
  isNumber(value) ? `${plain(new Dec(value).times(100))} %` : value;
export const named =
  <Value extends string>(words: Readonly<Record<Value, string>>): Shown =>
  (value) =>
    Object.hasOwn(words, value) ? words[value as Value] : value;

const namesOf = (words: Readonly<Record<string, { readonly name: string }>>) =>
  Object.fromEntries(Object.entries(words).map(([value, { name }]) => [value, name]));

/** An option's symbol with what it says: `AAPL261218C00190000 (call on AAPL at $190, until 2026-12-18)`. */
function symbolWords(symbol: string): string {
  const option = optionOf(symbol);
  if (option === undefined) return symbol;
  const { right, underlying, strike, expiry } = option;
  return `${symbol} (${right} on ${underlying} at $${strike}, until ${expiry})`;
}

export const orderTermFields = {
  side: { form: 'word', sent: true, label: 'Action', shown: named({ buy: 'Buy', sell: 'Sell' }) },
  symbol: { form: 'word', sent: true, label: 'Symbol', shown: symbolWords },
  position_intent: {
    form: 'word',
    sent: true,
    label: 'Position',
    shown: named({
      buy_to_open: 'Buy to open',
      buy_to_close: 'Buy to close',
      sell_to_open: 'Sell to open',
      sell_to_close: 'Sell to close',
    } satisfies Record<PositionIntent, string>),
  },
  qty: {
    form: 'amount',
    sent: true,
    label: 'Quantity',
    shown: (value, symbol = '') => (isNumber(value) ? quantityWords(symbol, value) : value),
  },
  notional: { form: 'amount', sent: true, label: 'Amount', shown: shownDollars },
  type: {
    form: 'word',
    sent: true,
    label: 'Order type',
    shown: named(Object.fromEntries(orderTypes.map((type) => [type, orderTypeTable[type].words.name]))),
  },
  stop_price: {
    form: 'price',
    sent: true,
    shorthand: (value) => `STP ${value}`,
    label: 'Stop price',
    shown: perShare,
  },
  limit_price: {
    form: 'price',
    sent: true,
    shorthand: (value) => `LMT ${value}`,
    label: 'Limit price',
    shown: perShare,
  },
  trail_price: {
    form: 'price',
    sent: true,
    shorthand: (value) => `TRAIL ${value}`,
    label: 'Trails by',
    shown: perShare,
  },
  trail_percent: {
    form: 'amount',
    sent: true,
    shorthand: (value) => `TRAIL ${value}PCT`,
    label: 'Trails by',
    shown: (value) => `${value} %`,
  },
  order_class: { form: 'word', sent: true, label: 'Exits', shown: named(namesOf(orderClassWords)) },
  take_profit_limit_price: {
    form: 'price',
    sent: 'leg',
    shorthand: (value) => `TP ${value}`,
    label: 'Take profit at',
    shown: perShare,
  },
  stop_loss_stop_price: {
    form: 'price',
    sent: 'leg',
    shorthand: (value) => `SL ${value}`,
    label: 'Stop loss at',
    shown: perShare,
  },
  stop_loss_limit_price: {
    form: 'price',
    sent: 'leg',
    shorthand: (value) => `SLL ${value}`,
    label: 'Stop loss not below',
    shown: perShare,
  },
  time_in_force: {
    form: 'word',
    sent: true,
    label: 'Time in force',
    shown: named(namesOf(timeInForceWords)),
  },
  extended_hours: {
    form: 'word',
    sent: true,
    label: 'Extended hours',
    shown: named({ true: 'Yes', false: 'No' }),
  },
  reference_price: { form: 'price', sent: false, label: 'Reference price', shown: perShare },
  max_slippage: { form: 'amount', sent: false, label: 'Max slippage', shown: percentOfFraction },
} as const satisfies Record<string, OrderField>;

export const orderFrameFields = {
  account: { form: 'word', sent: false, label: 'Account', shown: asIs },
  environment: {
    form: 'word',
    sent: false,
    label: 'Environment',
    shown: named({
      paper: `${environmentWord('paper')} (simulated)`,
      live: `${environmentWord('live')} (real money)`,
    }),
  },
  client_order_id: { form: 'word', sent: true, label: 'Order id', shown: asIs },
  expires_at: {
    form: 'word',
    sent: false,
    label: 'Valid until',
    shown: (value) => value.replace('T', ' ').replace('Z', ' UTC'),
  },
  mandate: { form: 'word', sent: false, label: 'Under mandate', shown: asIs },
  slot: { form: 'word', sent: false, label: 'For', shown: asIs },
} as const satisfies Record<string, OrderField>;

const table = { ...orderTermFields, ...orderFrameFields };

export type OrderFieldName = keyof typeof table;

/** The field of this name; undefined for what no order has, `__proto__` among it. */
export function orderField(name: string): OrderField | undefined {
  return Object.hasOwn(table, name) ? table[name as OrderFieldName] : undefined;
}

export const orderFieldNames = Object.keys(table) as readonly OrderFieldName[];

type Where<Facts> = {
  [Name in OrderFieldName]: (typeof table)[Name] extends Facts ? Name : never;
}[OrderFieldName];

export const priceFields = orderFieldNames.filter(
  (name): name is Where<{ form: 'price' }> => table[name].form === 'price',
);

export const sentFields = orderFieldNames.filter(
  (name): name is Where<{ sent: true }> => table[name].sent === true,
);

export const legFields = orderFieldNames.filter(
  (name): name is Where<{ sent: 'leg' }> => table[name].sent === 'leg',
);
