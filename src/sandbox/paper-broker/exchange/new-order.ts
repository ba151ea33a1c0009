import { randomUUID } from 'node:crypto';
import type { OrderRecord, PositionIntent } from '../../../store/sandbox/records.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { DAY, newYorkDate } from '../../../trading/new-york-time.ts';
import { hasPrice } from '../../../trading/order-types.ts';
import { contractOf, expiresAt } from '../../instruments/option-contracts.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import { unprocessable } from '../books/broker-error.ts';
import { firstPart } from './advance.ts';
import { judge } from './matching.ts';
import type { Ticket } from './order-body.ts';

/** Alpaca cancels good-till-canceled orders after 90 days. */
const GTC_LIFE = 90 * DAY;

export type Place = Pick<OrderRecord, 'parent_id' | 'exit' | 'dormant'>;

/** Alpaca values a short sale at its limit, or 3 % above the ask if that is more. */
const SHORT_RESERVE = '1.03';

export interface Arrival {
  accountId: string;
  quote: MarketQuote;
  market: Market;
  at: number;
  partialFills: boolean;
  position_intent: PositionIntent;
  place?: Place;
}

export function begun(accountId: string, at: number) {
  return {
    id: randomUUID(),
    account_id: accountId,
    created_at: at,
    updated_at: at,
    filled_qty: '0',
    filled_value: '0',
    hwm: null,
    triggered: 0,
    reserve_price: null,
    first_part: null,
    pause_until: null,
    auction_at: null,
    filled_at: null,
    expired_at: null,
    canceled_at: null,
    failed_at: null,
    replaced_at: null,
    replaced_by: null,
    replaces: null,
    parent_id: null,
    exit: null,
    dormant: 0,
    ratio_qty: null,
  } as const;
}

/**
 * The order a ticket becomes: unfilled, with lifetime and reservation. @throws {BrokerError} if its auction is
 * closed
 */
export function newOrder(
  { take_profit, stop_loss, ...ticket }: Ticket & { client_order_id: string },
  { accountId, quote, market, at, partialFills, position_intent, place }: Arrival,
): Omit<OrderRecord, 'seq'> {
  const auction_at = auctionOf(ticket.time_in_force, market, at);
  const order: Omit<OrderRecord, 'seq'> = {
    ...ticket,
    ...begun(accountId, at),
    extended_hours: ticket.extended_hours ? 1 : 0,
    status: place === undefined ? 'accepted' : 'held',
    first_part: partialFills ? firstPart(ticket, market.seed) : null,
    auction_at,
    expires_at: expiryOf(ticket, market, at),
    exit: ticket.order_class === 'oco' ? 'take_profit' : null,
    position_intent,
    ...place,
  };
  if (hasPrice(order.type, 'trail')) {
    const { hwm, stop_price } = judge({ ...order, seq: 0 }, quote);
    order.hwm = hwm;
    order.stop_price = stop_price;
  }
  if (order.side === 'buy') {
    order.reserve_price = order.limit_price ?? plain(Dec.max(order.stop_price ?? 0, quote.ask));
  } else if (position_intent === 'sell_to_open') {
    const above = new Dec(quote.ask).times(SHORT_RESERVE).toDecimalPlaces(4);
    order.reserve_price = plain(Dec.max(order.limit_price ?? 0, above));
  }
  return order;
}

function auctionOf(time_in_force: Ticket['time_in_force'], market: Market, at: number): number | null {
  if (time_in_force !== 'opg' && time_in_force !== 'cls') return null;
  if (market.hours === 'exchange') checkAuctionWindow(time_in_force, market, at);
  return time_in_force === 'opg' ? market.nextOpen(at) : market.nextClose(at);
}

function checkAuctionWindow(time_in_force: 'opg' | 'cls', market: Market, at: number): void {
  // Alpaca: opg until 9:28, cls until 15:50 New York time; both again from 19:00 for the next session.
  const session = market.currentOrNextSession(at);
  const cutoff = time_in_force === 'opg' ? session.open - 2 * 60_000 : session.close - 10 * 60_000;
  const today = market.sessions(newYorkDate(at), newYorkDate(at))[0];
  const evening = today !== undefined && at >= today.close && at < today.extendedClose - 3_600_000;
  if (at >= cutoff || evening) {
    throw unprocessable(`${time_in_force} orders are not accepted at this time of day`);
  }
}

function expiryOf(
  ticket: Pick<Ticket, 'symbol' | 'time_in_force' | 'extended_hours'>,
  market: Market,
  at: number,
): number | null {
  const contract = contractOf(market, ticket.symbol);
  const last = contract === undefined ? Number.POSITIVE_INFINITY : expiresAt(market, contract);
  if (ticket.time_in_force === 'gtc') return Math.min(at + GTC_LIFE, last);
  if (ticket.time_in_force !== 'day') return null;
  const session = market.currentOrNextSession(at);
  if (!ticket.extended_hours) return session.close;
  // After the close but within extended hours: today's session.
  const [today] = market.sessions(newYorkDate(at), newYorkDate(at));
  return today !== undefined && at < today.extendedClose ? today.extendedClose : session.extendedClose;
}
