import { z } from 'zod';
import { Dec, isOnTick, plain } from '../../trading/decimal.ts';
import { orderTypes, sides, timesInForce } from '../../trading/order.ts';
import { badParameter, unprocessable } from './broker-error.ts';

/** Alpaca takes amounts as strings and as numbers. */
const amount = z
  .union([z.string(), z.number().transform((value) => new Dec(value).toFixed())])
  .pipe(z.string().regex(/^\d{1,12}(\.\d{1,9})?$/))
  .transform((text) => plain(text))
  .refine((text) => new Dec(text).gt(0));
const optionalAmount = amount.nullish().transform((value) => value ?? null);

const bodySchema = z.object({
  symbol: z.string().min(1).max(32),
  side: z.enum(sides),
  type: z.enum(orderTypes),
  time_in_force: z.enum(timesInForce),
  qty: optionalAmount,
  notional: optionalAmount,
  limit_price: optionalAmount,
  stop_price: optionalAmount,
  trail_price: optionalAmount,
  trail_percent: optionalAmount,
  extended_hours: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  client_order_id: z
    .string()
    .max(128)
    .nullish()
    .transform((value) => value || null),
  order_class: z.enum(['', 'simple']).nullish(),
});

/** What may be ordered, as far as it can be told without the account. Amounts are plain decimal strings. */
export type Ticket = Omit<z.output<typeof bodySchema>, 'order_class'>;

/**
 * Reads the body of POST /v2/orders. Unknown members are ignored, as at Alpaca.
 * @throws {BrokerError} 422 with 40010001 (a parameter is missing or malformed) or 42210000 (they don't go together)
 */
export function readTicket(body: unknown): Ticket {
  if (typeof body !== 'object' || body === null) throw badParameter('request body format is invalid');
  const read = bodySchema.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const field = String(issue?.path[0] ?? 'request body');
    if (field === 'order_class') throw unprocessable('only simple orders are simulated');
    if (field === 'client_order_id')
      throw badParameter('client_order_id must be no more than 128 characters');
    throw badParameter(field in body ? `invalid ${field}` : `${field} is required`);
  }
  const { order_class: _, ...ticket } = read.data;
  ticket.symbol = ticket.symbol.toUpperCase();
  checkTogether(ticket);
  return ticket;
}

function checkTogether(ticket: Ticket): void {
  const { qty, notional, type } = ticket;
  if (qty !== null && notional !== null) throw badParameter('only one of qty or notional is accepted');
  if (qty === null && notional === null) throw badParameter('qty or notional is required');
  if (notional !== null && new Dec(notional).decimalPlaces() > 2) {
    throw unprocessable('notional value must be limited to 2 decimal places');
  }

  const needs = (field: 'limit_price' | 'stop_price', wanted: boolean) => {
    if (wanted && ticket[field] === null)
      throw unprocessable(`${type} orders require a ${field.replace('_', ' ')}`);
    if (!wanted && ticket[field] !== null) {
      throw unprocessable(`${type} orders must not have a ${field.replace('_', ' ')}`);
    }
  };
  needs('limit_price', type === 'limit' || type === 'stop_limit');
  needs('stop_price', type === 'stop' || type === 'stop_limit');
  const trails = [ticket.trail_price, ticket.trail_percent].filter((trail) => trail !== null).length;
  if (type === 'trailing_stop' ? trails !== 1 : trails !== 0) {
    throw unprocessable(
      type === 'trailing_stop'
        ? 'one of trail_price or trail_percent is required for trailing_stop orders'
        : `${type} orders must not have a trail`,
    );
  }
  if (ticket.trail_percent !== null && new Dec(ticket.trail_percent).gte(100)) {
    throw unprocessable('trail_percent must be less than 100');
  }
  for (const field of ['limit_price', 'stop_price', 'trail_price'] as const) {
    const value = ticket[field];
    if (value !== null && !isOnTick(value)) {
      throw unprocessable(
        `invalid ${field} ${value}. sub-penny increment does not fulfill minimum pricing criteria`,
      );
    }
  }

  if (isFractional(ticket)) {
    if (ticket.time_in_force !== 'day') throw unprocessable('fractional orders must be DAY orders');
    if (type === 'trailing_stop') {
      throw unprocessable('fractional orders must be market, limit, stop, or stop_limit orders');
    }
  }
  if (ticket.extended_hours && (type !== 'limit' || !['day', 'gtc'].includes(ticket.time_in_force))) {
    throw unprocessable('extended hours order must be DAY or GTC limit orders');
  }
  if (['opg', 'cls'].includes(ticket.time_in_force) && type !== 'market' && type !== 'limit') {
    throw unprocessable(`${ticket.time_in_force} orders must be market or limit orders`);
  }
  if (['ioc', 'fok'].includes(ticket.time_in_force) && type !== 'market' && type !== 'limit') {
    throw unprocessable(`${ticket.time_in_force} orders must be market or limit orders`);
  }
}

export function isFractional(ticket: Pick<Ticket, 'qty' | 'notional'>): boolean {
  return ticket.qty === null || !new Dec(ticket.qty).isInteger();
}
