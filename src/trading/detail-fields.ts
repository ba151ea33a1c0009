import { cents, Dec, plain } from './decimal.ts';
import type { Environment, TimeInForce } from './order.ts';
import { orderTypeWords } from './order-type-words.ts';

/** One field of the approved details, as a person reads it. */
export interface DetailField {
  /** The details' own name for it. */
  readonly name: string;
  readonly label: string;
  readonly text: string;
  /** True for what only machines compare; shown all the same, but below. */
  readonly technical: boolean;
}

const orderTypes = Object.fromEntries(Object.entries(orderTypeWords).map(([type, { name }]) => [type, name]));

const timesInForce: Record<TimeInForce, string> = {
  day: 'Day',
  gtc: 'Good till cancelled',
  opg: 'At the open',
  cls: 'At the close',
  ioc: 'Immediate or cancel',
  fok: 'Fill or kill',
};

const environments: Record<Environment, string> = { paper: 'PAPER (simulated)', live: 'LIVE (real money)' };

type Format = (value: string) => string;

/** What a person calls a field, and how its value reads; as it stands where there is no format. */
export type FieldWords = Readonly<
  Record<string, { readonly label: string; readonly format?: Format; readonly technical?: true }>
>;

/** To the cent; an amount finer than that is shown as it is, not rounded away. */
const dollars: Format = (value) => (/^\d+(\.\d{1,2})?$/.test(value) ? `$${cents(value)}` : `$${value}`);
const perShare: Format = (value) => `$${value} a share`;
/** Words for the values that have one; the others as they are. */
export function namedFormat(names: Readonly<Record<string, string>>): Format {
  return (value) => (Object.hasOwn(names, value) ? (names[value] ?? value) : value);
}
const percentOfFraction: Format = (value) =>
  /^\d+(\.\d+)?$/.test(value) ? `${plain(new Dec(value).times(100))} %` : value;

/** In the order they are read: what happens, at what price, for how long, and who for. */
const orderWords: FieldWords = {
  side: { label: 'Action', format: namedFormat({ buy: 'Buy', sell: 'Sell' }) },
  symbol: { label: 'Symbol' },
  qty: { label: 'Quantity', format: (value) => `${value} ${value === '1' ? 'share' : 'shares'}` },
  notional: { label: 'Amount', format: dollars },
  order_type: { label: 'Order type', format: namedFormat(orderTypes) },
  limit_price: { label: 'Limit price', format: perShare },
  stop_price: { label: 'Stop price', format: perShare },
  trail_price: { label: 'Trails by', format: perShare },
  trail_percent: { label: 'Trails by', format: (value) => `${value} %` },
  time_in_force: { label: 'Time in force', format: namedFormat(timesInForce) },
  extended_hours: { label: 'Extended hours', format: namedFormat({ true: 'Yes', false: 'No' }) },
  reference_price: { label: 'Reference price', format: perShare },
  max_slippage: { label: 'Max slippage', format: percentOfFraction },
  account: { label: 'Account' },
  environment: { label: 'Environment', format: namedFormat(environments) },
  client_order_id: { label: 'Order id' },
};

/** What the broker tells of an order, how long the approval holds, and, below, what only machines compare. */
const lastWords: FieldWords = {
  id: { label: "Broker's id" },
  status: { label: 'Status' },
  filled_qty: { label: 'Filled so far' },
  filled_avg_price: { label: 'Filled at', format: perShare },
  submitted_at: { label: 'Submitted at' },
  expires_at: { label: 'Valid until', format: (value) => value.replace('T', ' ').replace('Z', ' UTC') },
  type: { label: 'Kind', technical: true },
  actions: { label: 'May be used to', technical: true },
  locations: { label: 'Only at', technical: true },
  identifier: { label: 'Identifier', technical: true },
  proposal: { label: 'Proposal', technical: true },
  digest: { label: 'Digest', technical: true },
};

/**
 * Every field of the details, none left out: one that nobody has words for is shown under its own name, first among
 * the plain ones, because a person must see what they approve.
 * @param own words for the fields that no order has
 */
export function detailFields(
  details: Readonly<Record<string, unknown>>,
  own: FieldWords = {},
): DetailField[] {
  const known: FieldWords = { ...orderWords, ...own, ...lastWords };
  const unknown = Object.keys(details).filter((name) => !Object.hasOwn(known, name));
  const names = [...unknown, ...Object.keys(known).filter((name) => details[name] !== undefined)];
  return names.map((name) => {
    const words = wordsFor(name, known);
    const raw = plainText(details[name]);
    return {
      name,
      label: words?.label ?? name,
      text: words?.format?.(raw) ?? raw,
      technical: words?.technical ?? false,
    };
  });
}

/** What a person calls a field. */
export function fieldLabel(name: string, own: FieldWords = {}): string {
  return wordsFor(name, { ...orderWords, ...own, ...lastWords })?.label ?? name;
}

/** A name that every object inherits is no field's. */
function wordsFor(name: string, known: FieldWords): FieldWords[string] | undefined {
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

/** Which money the details are about, where they say. */
export function environmentOf({ environment }: Readonly<Record<string, unknown>>): string | undefined {
  return environment === undefined ? undefined : plainText(environment);
}

/** The order in one line: `Buy 5 AAPL`, `Sell $500.00 of MSFT`. */
export function orderHeadline(details: Readonly<Record<string, unknown>>): string {
  const action = namedFormat({ buy: 'Buy', sell: 'Sell' })(plainText(details.side));
  const symbol = plainText(details.symbol);
  return details.qty !== undefined
    ? `${action} ${plainText(details.qty)} ${symbol}`
    : `${action} ${dollars(plainText(details.notional))} of ${symbol}`;
}

/** The terms under the headline: `Limit order at $180.00 · Day`. */
export function orderTerms(details: Readonly<Record<string, unknown>>): string {
  const price = (name: string) => (details[name] === undefined ? undefined : `$${plainText(details[name])}`);
  const stop = price('stop_price');
  const limit = price('limit_price');
  const percent = details.trail_percent === undefined ? undefined : `${plainText(details.trail_percent)} %`;
  const trail = price('trail_price') ?? percent;
  const type = namedFormat(orderTypes)(plainText(details.order_type));
  const at =
    stop !== undefined && limit !== undefined
      ? `: stop ${stop}, limit ${limit}`
      : trail !== undefined
        ? ` by ${trail}`
        : (stop ?? limit) !== undefined
          ? ` at ${stop ?? limit}`
          : '';
  return `${type} order${at} · ${namedFormat(timesInForce)(plainText(details.time_in_force))}`;
}

/** A value of any sort in plain text. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}
