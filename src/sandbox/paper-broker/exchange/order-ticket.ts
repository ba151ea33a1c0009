import { symbolAssetClass, symbolTicks } from '../../../trading/asset-class.ts';
import { Dec, isOnTick } from '../../../trading/decimal.ts';
import { requiresPrice } from '../../../trading/order-types.ts';
import { findCryptoPair } from '../../instruments/crypto-pairs.ts';
import { badParameterError, notPermittedError, unprocessableError } from '../books/broker-error.ts';
import { assetTerms, checkAssetTerms } from './asset-terms.ts';
import { type OrderTicket, orderBodySchema } from './order-body.ts';
import { checkOrderClass } from './order-classes.ts';

/**
 * Parses the body of POST /v2/orders, ignoring unknown members.
 * @throws {BrokerError} 403 for a multi-leg order, or 422 with 40010001 (missing or malformed) or 42210000
 *   (inconsistent)
 */
export function parseTicket(body: unknown): OrderTicket {
  if (typeof body !== 'object' || body === null) throw badParameterError('request body format is invalid');
  if ('order_class' in body && body.order_class === 'mleg') {
    throw notPermittedError('submit mleg order is disabled');
  }
  const read = orderBodySchema.safeParse(body);
  if (!read.success) {
    const [issue] = read.error.issues;
    const [top = 'request body', member] = issue?.path.map(String) ?? [];
    if (member !== undefined) throw badParameterError(`invalid ${top}.${member}`);
    if (top === 'client_order_id') throw badParameterError('client_order_id must be no more than 128 characters');
    throw badParameterError(top in body ? `invalid ${top}` : `${top} is required`);
  }
  const ticket = read.data;
  const symbol = ticket.symbol.toUpperCase();
  ticket.symbol = findCryptoPair(symbol)?.symbol ?? symbol;
  // An OCO order is its own take profit.
  if (ticket.order_class === 'oco') ticket.limit_price ??= ticket.take_profit?.limit_price ?? null;
  checkAssetTerms(ticket, assetTerms[symbolAssetClass(ticket.symbol)]);
  checkOrderClass(ticket);
  checkSize(ticket);
  checkPrices(ticket);
  checkTicks(ticket);
  checkSession(ticket);
  return ticket;
}

function checkSize({ qty, notional }: OrderTicket): void {
  if (qty !== null && notional !== null) throw badParameterError('only one of qty or notional is accepted');
  if (qty === null && notional === null) throw badParameterError('qty or notional is required');
  if (notional !== null && new Dec(notional).decimalPlaces() > 2) {
    throw unprocessableError('notional value must be limited to 2 decimal places');
  }
}

function checkPrices(ticket: OrderTicket): void {
  const { type, trail_price, trail_percent } = ticket;
  for (const field of ['limit_price', 'stop_price'] as const) {
    const wanted = requiresPrice(type, field);
    const name = field.replace('_', ' ');
    if (wanted && ticket[field] === null) throw unprocessableError(`${type} orders require a ${name}`);
    if (!wanted && ticket[field] !== null) throw unprocessableError(`${type} orders must not have a ${name}`);
  }
  const trails = [trail_price, trail_percent].filter((trail) => trail !== null).length;
  const isTrailing = requiresPrice(type, 'trail');
  if (trails !== (isTrailing ? 1 : 0)) {
    throw unprocessableError(
      isTrailing
        ? `one of trail_price or trail_percent is required for ${type} orders`
        : `${type} orders must not have a trail`,
    );
  }
  if (trail_percent !== null && new Dec(trail_percent).gte(100)) {
    throw unprocessableError('trail_percent must be less than 100');
  }
}

function checkTicks(ticket: OrderTicket): void {
  const prices = {
    limit_price: ticket.limit_price,
    stop_price: ticket.stop_price,
    trail_price: ticket.trail_price,
    'take_profit.limit_price': ticket.take_profit?.limit_price,
    'stop_loss.stop_price': ticket.stop_loss?.stop_price,
    'stop_loss.limit_price': ticket.stop_loss?.limit_price,
  };
  for (const [field, value] of Object.entries(prices)) {
    if (value != null && !isOnTick(value, symbolTicks(ticket.symbol))) {
      throw unprocessableError(
        `invalid ${field} ${value}. sub-penny increment does not fulfill minimum pricing criteria`,
      );
    }
  }
}

function checkSession(ticket: OrderTicket): void {
  const { type, time_in_force } = ticket;
  if (isFractional(ticket) && symbolAssetClass(ticket.symbol) === 'us_equity') {
    if (time_in_force !== 'day') throw unprocessableError('fractional orders must be DAY orders');
    if (!['market', 'limit', 'stop', 'stop_limit'].includes(type)) {
      throw unprocessableError('fractional orders must be market, limit, stop, or stop_limit orders');
    }
  }
  if (ticket.extended_hours && (type !== 'limit' || !['day', 'gtc'].includes(time_in_force))) {
    throw unprocessableError('extended hours order must be DAY or GTC limit orders');
  }
  if (['opg', 'cls', 'ioc', 'fok'].includes(time_in_force) && type !== 'market' && type !== 'limit') {
    throw unprocessableError(`${time_in_force} orders must be market or limit orders`);
  }
}

export function isFractional(ticket: Pick<OrderTicket, 'qty' | 'notional'>): boolean {
  return ticket.qty === null || !new Dec(ticket.qty).isInteger();
}
