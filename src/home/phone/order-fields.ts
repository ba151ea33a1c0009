import {
  named,
  orderFrameFields,
  orderTermFields,
  shownDollars,
  type OrderField as TableField,
} from '../../trading/order-fields.ts';

/** One field of the approved details, as a person reads it. */
export interface OrderField {
  /** The details' own name for it. */
  readonly name: string;
  readonly label: string;
  readonly text: string;
  /** True for what only machines compare; shown all the same, but below. */
  readonly technical: boolean;
}

const services: Record<string, string> = { slack: 'Slack', gmail: 'Gmail' };

type Format = (value: string) => string;
const asIs: Format = (value) => value;
const perShare = orderTermFields.reference_price.shown;

type Field = { readonly label: string; readonly format: Format; readonly technical?: true };

/** Of an order, by the details' names: there `type` is RFC 9396's, and the order's own is `order_type`. */
function ofOrder(table: Readonly<Record<string, TableField>>): Record<string, Field> {
  return Object.fromEntries(
    Object.entries(table).map(([name, { label, shown }]) => [
      name === 'type' ? 'order_type' : name,
      { label, format: shown },
    ]),
  );
}

/** In the order they are read: what happens, at what price, for how long, and who for. */
const known: Record<string, Field> = {
  ...ofOrder(orderTermFields),
  service: { label: 'By', format: named(services) },
  recipient: { label: 'To', format: asIs },
  subject: { label: 'Subject', format: asIs },
  text: { label: 'Text', format: asIs },
  ...ofOrder(orderFrameFields),
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
  const action = orderTermFields.side.shown(plainText(details.side));
  const symbol = plainText(details.symbol);
  return details.qty !== undefined
    ? `${action} ${plainText(details.qty)} ${symbol}`
    : `${action} ${shownDollars(plainText(details.notional))} of ${symbol}`;
}

/** The terms under the headline: `Limit order at $180.00 · Day`; for a message, by what it is sent. */
export function orderTerms(details: Readonly<Record<string, unknown>>): string {
  if (isMessage(details)) return `By ${named(services)(plainText(details.service))}, as you`;
  const price = (name: string) => (details[name] === undefined ? undefined : `$${plainText(details[name])}`);
  const stop = price('stop_price');
  const limit = price('limit_price');
  const percent = details.trail_percent === undefined ? undefined : `${plainText(details.trail_percent)} %`;
  const trail = price('trail_price') ?? percent;
  const type = orderTermFields.type.shown(plainText(details.order_type));
  const at =
    stop !== undefined && limit !== undefined
      ? `: stop ${stop}, limit ${limit}`
      : trail !== undefined
        ? ` by ${trail}`
        : (stop ?? limit) !== undefined
          ? ` at ${stop ?? limit}`
          : '';
  return `${type} order${at} · ${orderTermFields.time_in_force.shown(plainText(details.time_in_force))}`;
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}
