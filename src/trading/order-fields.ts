import { cents, Dec, plain } from './decimal.ts';
import { environmentWord } from './environment.ts';
import { orderTypeWords } from './order-types.ts';
import { timeInForceWords } from './time-in-force-words.ts';

/*
 * The one table of an order's fields: how each is written where it is compared, whether it goes to the broker, and how a
 * person reads it. The schemas of order.ts may have no field that is not in it, and what is not in it has no canonical
 * form: written in two ways, the same order would have two digests.
 */

export interface OrderField {
  /**
   * `price` is dollars a share, written to the tick, which it must lie on; `amount` any other number, written without
   * trailing zeros; `word` is compared as it is.
   */
  readonly form: 'price' | 'amount' | 'word';
  /** Whether it goes to the broker, whose order must then have the same. */
  readonly sent: boolean;
  /** In a broker's shorthand, before the value, for what says at which price an order trades. */
  readonly shorthand?: (value: string) => string;
  /** What a person calls it. */
  readonly label: string;
  /** Its value as a person reads it; what it doesn't know stays as it is. */
  readonly shown: (value: string) => string;
}

type Shown = OrderField['shown'];
const asIs: Shown = (value) => value;
const perShare: Shown = (value) => `$${value} a share`;
/** To the cent; an amount finer than that is shown as it is, not rounded away. */
export const shownDollars: Shown = (value) =>
  /^\d+(\.\d{1,2})?$/.test(value) ? `$${cents(value)}` : `$${value}`;
const percentOfFraction: Shown = (value) =>
  /^\d+(\.\d+)?$/.test(value) ? `${plain(new Dec(value).times(100))} %` : value;
/** Words for the values that have one, all of `Value` where that is given; any other as it is. */
export const named =
  <Value extends string>(words: Readonly<Record<Value, string>>): Shown =>
  (value) =>
    Object.hasOwn(words, value) ? words[value as Value] : value;

const namesOf = (words: Readonly<Record<string, { readonly name: string }>>) =>
  Object.fromEntries(Object.entries(words).map(([value, { name }]) => [value, name]));

/** What is to happen, in the order it is read: what, at which price, for how long. */
export const orderTermFields = {
  side: { form: 'word', sent: true, label: 'Action', shown: named({ buy: 'Buy', sell: 'Sell' }) },
  symbol: { form: 'word', sent: true, label: 'Symbol', shown: asIs },
  qty: {
    form: 'amount',
    sent: true,
    label: 'Quantity',
    shown: (value) => `${value} ${value === '1' ? 'share' : 'shares'}`,
  },
  notional: { form: 'amount', sent: true, label: 'Amount', shown: shownDollars },
  type: {
    form: 'word',
    sent: true,
    label: 'Order type',
    shown: named(namesOf(orderTypeWords)),
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

/** For whom, by which name, and until when. */
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

/** Every field that an order may have. */
export type OrderFieldName = keyof typeof table;

/** The field of this name; undefined for what no order has, `__proto__` among it. */
export function orderField(name: string): OrderField | undefined {
  return Object.hasOwn(table, name) ? table[name as OrderFieldName] : undefined;
}

export const orderFieldNames = Object.keys(table) as readonly OrderFieldName[];

type Where<Facts> = {
  [Name in OrderFieldName]: (typeof table)[Name] extends Facts ? Name : never;
}[OrderFieldName];

/** The fields that lie on a tick. */
export const priceFields = orderFieldNames.filter(
  (name): name is Where<{ form: 'price' }> => table[name].form === 'price',
);

/** The fields that the broker's order has too. */
export const sentFields = orderFieldNames.filter((name): name is Where<{ sent: true }> => table[name].sent);
