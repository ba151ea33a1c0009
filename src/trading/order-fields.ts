import { formatDollarAmount } from './amounts.ts';
import { formatQuantity, parseOptionSymbol, perUnitWords } from './asset-class.ts';
import { Dec, toPlain } from './decimal.ts';
import { environmentName } from './environment.ts';
import { orderClassWords, type PositionIntent } from './order-classes.ts';
import { orderTypes, orderTypeTable, timeInForceWords } from './order-types.ts';

/*
 * The only table of an order's fields. The schemas in order.ts must have exactly these fields: a field that is missing
 * here would have no canonical form, so that equal orders could have different digests.
 */

export interface OrderField {
  /** `price`: dollars a share, rounded to the tick. `amount`: no trailing zeros. `word`: compared unchanged. */
  readonly form: 'price' | 'amount' | 'word';
  /**
   * Whether the field is sent to the broker. If so, the broker's order must have the same value. `leg`: the field is
   * sent as a leg's price.
   */
  readonly sent: boolean | 'leg';
  /** Formats a price field in broker shorthand, such as `LMT 180.00`. */
  readonly shorthand?: (value: string) => string;
  readonly label: string;
  readonly shown: (value: string, symbol?: string) => string;
}

type FormatValue = OrderField['shown'];
const identity: FormatValue = (value) => value;
const formatPerShare: FormatValue = (value, symbol = '') => `$${value} ${perUnitWords(symbol)}`;
/** Formats dollars to the cent. An amount with more decimals is shown unrounded. */
export const formatDollars: FormatValue = (value) =>
  /^\d+(\.\d{1,2})?$/.test(value) ? formatDollarAmount(value) : `$${value}`;
const isNumber = (value: string) => /^\d+(\.\d+)?$/.test(value);
const percentOfFraction: FormatValue = (value) => (isNumber(value) ? `${toPlain(new Dec(value).times(100))}%` : value);
export const createNameFormat =
  <Value extends string>(words: Readonly<Record<Value, string>>): FormatValue =>
  (value) =>
    Object.hasOwn(words, value) ? words[value as Value] : value;

const toNames = (words: Readonly<Record<string, { readonly name: string }>>) =>
  Object.fromEntries(Object.entries(words).map(([value, { name }]) => [value, name]));

/** Explains an option's symbol: `AAPL261218C00190000 (call on AAPL at $190, until 2026-12-18)`. */
function describeSymbol(symbol: string): string {
  const option = parseOptionSymbol(symbol);
  if (option === undefined) return symbol;
  const { right, underlying, strike, expiry } = option;
  return `${symbol} (${right} on ${underlying} at $${strike}, until ${expiry})`;
}

const wordField = (label: string, shown: FormatValue) => ({ form: 'word', sent: true, label, shown }) as const;
const priceField = <Sent extends OrderField['sent']>(sent: Sent, label: string, letters: string) =>
  ({
    form: 'price',
    sent,
    shorthand: (value: string) => `${letters} ${value}`,
    label,
    shown: formatPerShare,
  }) as const;

export const orderTermFields = {
  side: wordField('Action', createNameFormat({ buy: 'Buy', sell: 'Sell' })),
  symbol: wordField('Symbol', describeSymbol),
  position_intent: wordField(
    'Position',
    createNameFormat({
      buy_to_open: 'Buy to open',
      buy_to_close: 'Buy to close',
      sell_to_open: 'Sell to open',
      sell_to_close: 'Sell to close',
    } satisfies Record<PositionIntent, string>),
  ),
  qty: {
    form: 'amount',
    sent: true,
    label: 'Quantity',
    shown: (value, symbol = '') => (isNumber(value) ? formatQuantity(symbol, value) : value),
  },
  notional: { form: 'amount', sent: true, label: 'Amount', shown: formatDollars },
  type: wordField(
    'Order type',
    createNameFormat(Object.fromEntries(orderTypes.map((type) => [type, orderTypeTable[type].words.name]))),
  ),
  stop_price: priceField(true, 'Stop price', 'STP'),
  limit_price: priceField(true, 'Limit price', 'LMT'),
  trail_price: priceField(true, 'Trail', 'TRAIL'),
  trail_percent: {
    form: 'amount',
    sent: true,
    shorthand: (value) => `TRAIL ${value}PCT`,
    label: 'Trail',
    shown: (value) => `${value}%`,
  },
  order_class: wordField('Exits', createNameFormat(toNames(orderClassWords))),
  take_profit_limit_price: priceField('leg', 'Take profit at', 'TP'),
  stop_loss_stop_price: priceField('leg', 'Stop loss at', 'SL'),
  stop_loss_limit_price: priceField('leg', 'Stop loss limit', 'SLL'),
  time_in_force: wordField('Time in force', createNameFormat(toNames(timeInForceWords))),
  extended_hours: wordField('Extended hours', createNameFormat({ true: 'Yes', false: 'No' })),
  reference_price: { form: 'price', sent: false, label: 'Reference price', shown: formatPerShare },
  max_slippage: { form: 'amount', sent: false, label: 'Maximum slippage', shown: percentOfFraction },
  max_fees: { form: 'amount', sent: false, label: 'Maximum fees', shown: formatDollars },
  coin_fee: { form: 'amount', sent: false, label: 'Fee in coins', shown: percentOfFraction },
} as const satisfies Record<string, OrderField>;

export const orderContextFields = {
  account: { form: 'word', sent: false, label: 'Account', shown: identity },
  environment: {
    form: 'word',
    sent: false,
    label: 'Environment',
    shown: createNameFormat({
      paper: `${environmentName('paper')} (simulated)`,
      live: `${environmentName('live')} (real money)`,
    }),
  },
  client_order_id: { form: 'word', sent: true, label: 'Order ID', shown: identity },
  expires_at: {
    form: 'word',
    sent: false,
    label: 'Approve by',
    shown: (value) => value.replace('T', ' ').replace('Z', ' UTC'),
  },
  mandate: { form: 'word', sent: false, label: 'Mandate', shown: identity },
  slot: { form: 'word', sent: false, label: 'For', shown: identity },
} as const satisfies Record<string, OrderField>;

const table = { ...orderTermFields, ...orderContextFields };

export type OrderFieldName = keyof typeof table;

/** Returns the order field with this name, or undefined if there is none. Ignores properties that objects inherit. */
export function findOrderField(name: string): OrderField | undefined {
  return Object.hasOwn(table, name) ? table[name as OrderFieldName] : undefined;
}

export const orderFieldNames = Object.keys(table) as readonly OrderFieldName[];

type FieldsWhere<Facts> = {
  [Name in OrderFieldName]: (typeof table)[Name] extends Facts ? Name : never;
}[OrderFieldName];

export const priceFields = orderFieldNames.filter(
  (name): name is FieldsWhere<{ form: 'price' }> => table[name].form === 'price',
);

export const sentFields = orderFieldNames.filter(
  (name): name is FieldsWhere<{ sent: true }> => table[name].sent === true,
);

export const legFields = orderFieldNames.filter(
  (name): name is FieldsWhere<{ sent: 'leg' }> => table[name].sent === 'leg',
);
