import { cents, Dec, plain } from '../../trading/decimal.ts';
import { environmentWord } from '../../trading/environment.ts';

/** One field of the approved details, as a person reads it. */
export interface OrderField {
  /** The details' own name for it. */
  readonly name: string;
  readonly label: string;
  readonly text: string;
  /** True for what only machines compare; shown all the same, but below. */
  readonly technical: boolean;
}

const orderTypes: Record<string, string> = {
  market: 'Market',
  limit: 'Limit',
  stop: 'Stop',
  stop_limit: 'Stop limit',
  trailing_stop: 'Trailing stop',
};

const timesInForce: Record<string, string> = {
  day: 'Day',
  gtc: 'Good till cancelled',
  opg: 'At the open',
  cls: 'At the close',
  ioc: 'Immediate or cancel',
  fok: 'Fill or kill',
};

const environments: Record<string, string> = {
  paper: `${environmentWord('paper')} (simulated)`,
  live: `${environmentWord('live')} (real money)`,
};

const services: Record<string, string> = { slack: 'Slack', gmail: 'Gmail' };

type Format = (value: string) => string;
const asIs: Format = (value) => value;
/** To the cent; an amount finer than that is shown as it is, not rounded away. */
const dollars: Format = (value) => (/^\d+(\.\d{1,2})?$/.test(value) ? `$${cents(value)}` : `$${value}`);
const perShare: Format = (value) => `$${value} a share`;
const named =
  (names: Record<string, string>): Format =>
  (value) =>
    Object.hasOwn(names, value) ? (names[value] ?? value) : value;
const percentOfFraction: Format = (value) =>
  /^\d+(\.\d+)?$/.test(value) ? `${plain(new Dec(value).times(100))} %` : value;

/** In the order they are read: what happens, at what price, for how long, and who for. */
const known: Record<string, { label: string; format: Format; technical?: true }> = {
  side: { label: 'Action', format: named({ buy: 'Buy', sell: 'Sell' }) },
  symbol: { label: 'Symbol', format: asIs },
  qty: { label: 'Quantity', format: (value) => `${value} ${value === '1' ? 'share' : 'shares'}` },
  notional: { label: 'Amount', format: dollars },
  order_type: { label: 'Order type', format: named(orderTypes) },
  limit_price: { label: 'Limit price', format: perShare },
  stop_price: { label: 'Stop price', format: perShare },
  trail_price: { label: 'Trails by', format: perShare },
  trail_percent: { label: 'Trails by', format: (value) => `${value} %` },
  time_in_force: { label: 'Time in force', format: named(timesInForce) },
  extended_hours: { label: 'Extended hours', format: named({ true: 'Yes', false: 'No' }) },
  reference_price: { label: 'Reference price', format: perShare },
  max_slippage: { label: 'Max slippage', format: percentOfFraction },
  service: { label: 'By', format: named(services) },
  recipient: { label: 'To', format: asIs },
  subject: { label: 'Subject', format: asIs },
  text: { label: 'Text', format: asIs },
  account: { label: 'Account', format: asIs },
  environment: { label: 'Environment', format: named(environments) },
  client_order_id: { label: 'Order id', format: asIs },
  client_message_id: { label: 'Message id', format: asIs },
  client_cancel_id: { label: 'Cancel id', format: asIs },
  client_lift_id: { label: 'Lift id', format: asIs },
  protects: { label: 'Protects a position', format: asIs },
  trail: { label: 'Trails by', format: asIs },
  halted_at: { label: 'Halted at', format: asIs },
  id: { label: "Broker's id", format: asIs },
  status: { label: 'Status', format: asIs },
  filled_qty: { label: 'Filled so far', format: asIs },
  filled_avg_price: { label: 'Filled at', format: perShare },
  submitted_at: { label: 'Submitted at', format: asIs },
  expires_at: { label: 'Valid until', format: (value) => value.replace('T', ' ').replace('Z', ' UTC') },
  type: { label: 'Kind', format: asIs, technical: true },
  actions: { label: 'May be used to', format: asIs, technical: true },
  locations: { label: 'Only at', format: asIs, technical: true },
  identifier: { label: 'Identifier', format: asIs, technical: true },
  proposal: { label: 'Proposal', format: asIs, technical: true },
  digest: { label: 'Digest', format: asIs, technical: true },
};

/**
 * Every field of the details, none left out: one this page has no name for is shown under its own, first among the
 * plain ones, because a person must see what they approve.
 */
export function orderFields(details: Readonly<Record<string, unknown>>): OrderField[] {
  const unknown = Object.keys(details).filter((name) => !Object.hasOwn(known, name));
  const names = [...unknown, ...Object.keys(known).filter((name) => details[name] !== undefined)];
  return names.map((name) => {
    const field = Object.hasOwn(known, name) ? known[name] : undefined;
    const raw = plainText(details[name]);
    return {
      name,
      label: field?.label ?? name,
      text: field?.format(raw) ?? raw,
      technical: field?.technical ?? false,
    };
  });
}

/** What a person calls a field. */
export function fieldLabel(name: string): string {
  return (Object.hasOwn(known, name) ? known[name]?.label : undefined) ?? name;
}

/** Which money the details are about, where they say. */
export function environmentOf({ environment }: Readonly<Record<string, unknown>>): string | undefined {
  return environment === undefined ? undefined : plainText(environment);
}

/** Whether the details are a message's rather than an order's. */
export function isMessage(details: Readonly<Record<string, unknown>>): boolean {
  return details.recipient !== undefined && details.side === undefined;
}

/** The order in one line: `Buy 5 AAPL`, `Sell $500.00 of MSFT`; a message as `Send to #trading`. */
export function orderHeadline(details: Readonly<Record<string, unknown>>): string {
  if (isMessage(details)) return `Send to ${plainText(details.recipient)}`;
  const action = named({ buy: 'Buy', sell: 'Sell' })(plainText(details.side));
  const symbol = plainText(details.symbol);
  return details.qty !== undefined
    ? `${action} ${plainText(details.qty)} ${symbol}`
    : `${action} ${dollars(plainText(details.notional))} of ${symbol}`;
}

/** The terms under the headline: `Limit order at $180.00 · Day`; for a message, by what it is sent. */
export function orderTerms(details: Readonly<Record<string, unknown>>): string {
  if (isMessage(details)) return `By ${named(services)(plainText(details.service))}, as you`;
  const price = (name: string) => (details[name] === undefined ? undefined : `$${plainText(details[name])}`);
  const stop = price('stop_price');
  const limit = price('limit_price');
  const percent = details.trail_percent === undefined ? undefined : `${plainText(details.trail_percent)} %`;
  const trail = price('trail_price') ?? percent;
  const type = named(orderTypes)(plainText(details.order_type));
  const at =
    stop !== undefined && limit !== undefined
      ? `: stop ${stop}, limit ${limit}`
      : trail !== undefined
        ? ` by ${trail}`
        : (stop ?? limit) !== undefined
          ? ` at ${stop ?? limit}`
          : '';
  return `${type} order${at} · ${named(timesInForce)(plainText(details.time_in_force))}`;
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}
