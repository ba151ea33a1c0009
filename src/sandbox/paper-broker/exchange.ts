import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../../machine/failpoint.ts';
import { Dec, plain } from '../../trading/decimal.ts';
import type { Market, MarketQuote } from '../market/market.ts';
import { newYorkDate } from '../market/new-york-time.ts';
import { hashText, uniform } from '../market/price-path.ts';
import { badParameter, notFound, notPermitted, unprocessable } from './broker-error.ts';
import { buyingPower, heldShares, openQty } from './buying-power.ts';
import type { Ledger } from './ledger.ts';
import { couldTradeWith, judge } from './matching.ts';
import type { OrderBook } from './order-book.ts';
import { isFractional, readTicket, type Ticket } from './order-ticket.ts';
import { isOpenOrder, type OrderRecord } from './records.ts';
import { isFractionable } from './tradable-asset.ts';

const DAY = 86_400_000;
/** Alpaca cancels good-till-canceled orders after 90 days. */
const GTC_LIFE = 90 * DAY;
/** One order in ten fills in two parts, as at Alpaca's paper trading; the second part follows within so many ms. */
const PARTIAL_SHARE = 0.1;
const PARTIAL_PAUSE = { least: 500, most: 2000 };

/** Where orders are accepted, matched against the market and booked. Each step is one transaction. */
export interface Exchange {
  /** @throws {BrokerError} where the order is refused; nothing is stored then */
  place(accountId: string, ticket: Ticket): OrderRecord;
  /** @throws {BrokerError} 404 unknown, 422 no longer open */
  cancel(accountId: string, orderId: string): OrderRecord;
  /** @returns the orders that were open */
  cancelAll(accountId: string): OrderRecord[];
  /** Replaces an open order by one with other terms. @throws {BrokerError} as place and cancel do */
  replace(accountId: string, orderId: string, terms: ReplacementTerms): OrderRecord;
  /** Brings every open order up to now: expiries, auctions, triggers, fills. */
  settle(): void;
}

/** The terms PATCH /v2/orders/{id} may change; absent ones stay. */
export interface ReplacementTerms {
  qty?: string;
  time_in_force?: Ticket['time_in_force'];
  limit_price?: string;
  stop_price?: string;
  /** trail_price or trail_percent, whichever the order has. */
  trail?: string;
  client_order_id?: string;
}

export interface ExchangeOptions {
  database: Database.Database;
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  now: () => number;
  partialFills: boolean;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { database, ledger, orders, market, now } = options;

  const inTransaction = <T>(work: () => T): T => database.transaction(work).immediate();

  const requireOpen = (accountId: string, orderId: string): OrderRecord => {
    const order = orders.byId(accountId, orderId);
    if (order === undefined) throw notFound(`order not found for ${orderId}`);
    if (!isOpenOrder(order)) throw unprocessable(`order is already in "${order.status}" state`);
    return order;
  };

  const store = (order: OrderRecord): OrderRecord => {
    const changed = { ...order, updated_at: now() };
    orders.update(changed);
    return changed;
  };

  /** Trades as much as may trade now at a price, or ends the order where the account can't carry it. */
  const fill = (order: OrderRecord, price: string): OrderRecord => {
    const at = now();
    const remaining =
      order.qty === null
        ? new Dec(order.notional ?? 0).div(price).toDecimalPlaces(9, Dec.ROUND_DOWN)
        : new Dec(order.qty).minus(order.filled_qty);
    const inParts = order.first_part !== null && new Dec(order.filled_qty).isZero();
    const qty = inParts ? new Dec(order.first_part ?? 0) : remaining;
    const { account_id, id: order_id, symbol, side } = order;
    const booked =
      qty.gt(0) && ledger.book({ account_id, order_id, symbol, side, qty: plain(qty), price, at });
    if (!booked) {
      return store(
        new Dec(order.filled_qty).isZero()
          ? { ...order, status: 'rejected', failed_at: at }
          : { ...order, status: 'canceled', canceled_at: at },
      );
    }
    const partly = {
      ...order,
      filled_qty: plain(new Dec(order.filled_qty).plus(qty)),
      filled_value: plain(new Dec(order.filled_value).plus(qty.times(price))),
    };
    if (!inParts) return store({ ...partly, status: 'filled', filled_at: at, pause_until: null });
    const pause =
      PARTIAL_PAUSE.least + Math.floor(chance(order, 2) * (PARTIAL_PAUSE.most - PARTIAL_PAUSE.least));
    return store({ ...partly, status: 'partially_filled', pause_until: at + pause });
  };

  /** A number in [0, 1) that is the same for an order on every run. */
  const chance = (order: Pick<OrderRecord, 'client_order_id'>, salt: number): number =>
    uniform(hashText(market.seed), hashText(order.client_order_id), salt);

  const tradesNow = (order: OrderRecord): boolean =>
    market.isOpen(now()) || (order.extended_hours === 1 && market.isExtendedOpen(now()));

  const quoteOf = (symbol: string, at?: number): MarketQuote => {
    const quote = market.quote(symbol, at);
    if (quote === undefined) throw unprocessable(`asset "${symbol}" not found`);
    return quote;
  };

  /** Brings one order up to now. */
  const advance = (order: OrderRecord): OrderRecord => {
    const at = now();
    if (order.auction_at !== null) {
      if (at < order.auction_at) return order;
      const { fillPrice } = judge(order, quoteOf(order.symbol, order.auction_at));
      return fillPrice === undefined
        ? store({ ...order, status: 'canceled', canceled_at: at })
        : fill(order, fillPrice);
    }
    if (order.expires_at !== null && at >= order.expires_at) {
      return store({ ...order, status: 'expired', expired_at: order.expires_at });
    }
    const immediate = order.time_in_force === 'ioc' || order.time_in_force === 'fok';
    if (!tradesNow(order)) {
      return immediate ? store({ ...order, status: 'canceled', canceled_at: at }) : order;
    }
    if (order.pause_until !== null && at < order.pause_until) return order;

    const { fillPrice, ...followed } = judge(order, quoteOf(order.symbol));
    const status = order.status === 'accepted' ? 'new' : order.status;
    const next: OrderRecord = { ...order, ...followed, status };
    if (fillPrice !== undefined) return fill(next, fillPrice);
    if (immediate) return store({ ...next, status: 'canceled', canceled_at: at });
    const same =
      next.hwm === order.hwm &&
      next.stop_price === order.stop_price &&
      next.triggered === order.triggered &&
      next.status === order.status;
    return same ? order : store(next);
  };

  const checkAccount = (accountId: string, order: OrderRecord, quote: MarketQuote): void => {
    const account = ledger.account(accountId);
    if (account === undefined) throw notFound('account not found');
    const open = orders.openOf(accountId);
    const opposite = open.find(
      (resting) => resting.symbol === order.symbol && couldTradeWith(resting, order),
    );
    if (opposite !== undefined) {
      throw notPermitted('potential wash trade detected. use complex orders', {
        existing_order_id: opposite.id,
        reject_reason: `opposite side ${opposite.type === 'limit' ? 'limit' : 'market/stop'} order exists`,
      });
    }
    if (order.side === 'buy') {
      const cost = new Dec(order.notional ?? new Dec(order.qty ?? 0).times(order.reserve_price ?? 0));
      const power = buyingPower(account.cash, open);
      if (cost.lt(1)) throw notPermitted('cost basis must be >= minimal amount of order 1');
      if (cost.gt(power)) {
        throw notPermitted('insufficient buying power', {
          buying_power: plain(power),
          cost_basis: plain(cost.toDecimalPlaces(2)),
        });
      }
      return;
    }
    const existing = new Dec(ledger.position(accountId, order.symbol)?.qty ?? 0);
    if (existing.isZero()) throw notPermitted('account is not allowed to short');
    const held = heldShares(open, order.symbol, quote.last);
    const available = existing.minus(held);
    const requested = openQty(order, quote.bid);
    if (requested.gt(available)) {
      throw notPermitted(
        `insufficient qty available for order (requested: ${plain(requested)}, available: ${plain(available)})`,
        {
          symbol: order.symbol,
          existing_qty: plain(existing),
          held_for_orders: plain(held),
          available: plain(available),
        },
      );
    }
  };

  const placeNow = (accountId: string, ticket: Ticket, replaces: string | null): OrderRecord => {
    const asset = market.symbol(ticket.symbol);
    if (asset === undefined) throw unprocessable(`asset "${ticket.symbol}" not found`);
    if (isFractional(ticket) && !isFractionable(asset)) {
      throw notPermitted(`asset "${ticket.symbol}" is not fractionable`);
    }
    const client_order_id = ticket.client_order_id ?? randomUUID();
    if (orders.byClientOrderId(accountId, client_order_id) !== undefined) {
      throw badParameter('client_order_id must be unique');
    }
    const quote = quoteOf(ticket.symbol);
    const order = newOrder(accountId, { ...ticket, client_order_id }, quote);
    checkAccount(accountId, { ...order, seq: 0 }, quote);
    failpoint('broker.accepted');
    const added = orders.add({ ...order, replaces });
    failpoint('broker.written');
    return advance(added);
  };

  const newOrder = (
    accountId: string,
    ticket: Ticket & { client_order_id: string },
    quote: MarketQuote,
  ): Omit<OrderRecord, 'seq'> => {
    const at = now();
    const { time_in_force } = ticket;
    const session = market.currentOrNextSession(at);
    const auction = time_in_force === 'opg' || time_in_force === 'cls';
    if (auction && market.hours === 'exchange') checkAuctionWindow(time_in_force, at);
    const order: Omit<OrderRecord, 'seq'> = {
      ...ticket,
      id: randomUUID(),
      account_id: accountId,
      extended_hours: ticket.extended_hours ? 1 : 0,
      status: 'accepted',
      filled_qty: '0',
      filled_value: '0',
      hwm: null,
      triggered: 0,
      reserve_price: null,
      first_part: null,
      pause_until: null,
      auction_at: auction ? (time_in_force === 'opg' ? market.nextOpen(at) : market.nextClose(at)) : null,
      created_at: at,
      updated_at: at,
      expires_at:
        time_in_force === 'gtc'
          ? at + GTC_LIFE
          : time_in_force === 'day'
            ? ticket.extended_hours
              ? session.extendedClose
              : session.close
            : null,
      filled_at: null,
      expired_at: null,
      canceled_at: null,
      failed_at: null,
      replaced_at: null,
      replaced_by: null,
      replaces: null,
    };
    if (order.type === 'trailing_stop') {
      const { hwm, stop_price } = judge({ ...order, seq: 0 }, quote);
      order.hwm = hwm;
      order.stop_price = stop_price;
    }
    if (order.side === 'buy') {
      order.reserve_price = order.limit_price ?? plain(Dec.max(order.stop_price ?? 0, quote.ask));
    }
    const whole = order.qty === null ? new Dec(0) : new Dec(order.qty);
    const splits =
      options.partialFills &&
      !auction &&
      time_in_force !== 'ioc' &&
      time_in_force !== 'fok' &&
      whole.isInteger() &&
      whole.gte(2) &&
      chance(order, 0) < PARTIAL_SHARE;
    if (splits) {
      order.first_part = plain(Dec.max(1, whole.minus(1).times(chance(order, 1)).floor()));
    }
    return order;
  };

  const checkAuctionWindow = (time_in_force: 'opg' | 'cls', at: number): void => {
    // Alpaca: opg until 9:28, cls until 15:50 New York time; both again from 19:00 on, for the next session.
    const session = market.currentOrNextSession(at);
    const cutoff = time_in_force === 'opg' ? session.open - 2 * 60_000 : session.close - 10 * 60_000;
    const today = market.sessions(newYorkDate(at), newYorkDate(at))[0];
    const evening = today !== undefined && at >= today.close && at < today.extendedClose - 3_600_000;
    if (at >= cutoff || evening) {
      throw unprocessable(`${time_in_force} orders are not accepted at this time of day`);
    }
  };

  return {
    place: (accountId, ticket) => inTransaction(() => placeNow(accountId, ticket, null)),
    cancel: (accountId, orderId) =>
      inTransaction(() =>
        store({ ...requireOpen(accountId, orderId), status: 'canceled', canceled_at: now() }),
      ),
    cancelAll: (accountId) =>
      inTransaction(() =>
        orders.openOf(accountId).map((order) => store({ ...order, status: 'canceled', canceled_at: now() })),
      ),
    replace: (accountId, orderId, terms) =>
      inTransaction(() => {
        const old = requireOpen(accountId, orderId);
        // Alpaca: neither by amount, nor before it has reached the market, nor fractions for another quantity.
        if (old.notional !== null) throw unprocessable('notional orders cannot be replaced');
        if (old.status === 'accepted') throw unprocessable('cannot replace order in accepted status');
        if (terms.qty !== undefined && isFractional(old)) {
          throw unprocessable('qty of fractional orders cannot be replaced');
        }
        // Out of the way first: its own reservation must not stand against its successor. A refusal rolls all back.
        const gone = store({ ...old, status: 'replaced', replaced_at: now() });
        const placed = placeNow(accountId, replacementTicket(gone, terms), gone.id);
        store({ ...gone, replaced_by: placed.id });
        return placed;
      }),
    settle: () => {
      for (const order of orders.open()) inTransaction(() => advance(order));
    },
  };
}

function replacementTicket(old: OrderRecord, terms: ReplacementTerms): Ticket {
  if (old.type !== 'trailing_stop' && terms.trail !== undefined) {
    throw unprocessable(`${old.type} orders must not have a trail`);
  }
  const left = plain(new Dec(terms.qty ?? old.qty ?? 0).minus(old.filled_qty));
  if (new Dec(left).lte(0)) throw unprocessable('qty must be greater than filled_qty');
  const ticket: Record<string, unknown> = {
    symbol: old.symbol,
    side: old.side,
    type: old.type,
    time_in_force: terms.time_in_force ?? old.time_in_force,
    qty: left,
    limit_price: terms.limit_price ?? old.limit_price,
    stop_price: old.type === 'trailing_stop' ? null : (terms.stop_price ?? old.stop_price),
    trail_price: old.trail_price === null ? null : (terms.trail ?? old.trail_price),
    trail_percent: old.trail_percent === null ? null : (terms.trail ?? old.trail_percent),
    extended_hours: old.extended_hours === 1,
    client_order_id: terms.client_order_id,
  };
  return readTicket(ticket);
}
