import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../../../machine/failpoint.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import { isOpenOrder, type OrderRecord, type PositionIntent } from '../../../store/sandbox/records.ts';
import { contractMultiplier, symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toCents, toPlain } from '../../../trading/decimal.ts';
import { newYorkDate, ONE_DAY_MS } from '../../../trading/new-york-time.ts';
import { requiresPrice } from '../../../trading/order-types.ts';
import { defined } from '../../../values/defined.ts';
import { contractExpiresAt, findOptionContract, isContractListed } from '../../instruments/option-contracts.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import type { AccountSettingsStore } from '../books/account-settings.ts';
import { badParameterError, notFoundError, notPermittedError, unprocessableError } from '../books/broker-error.ts';
import { createEntry } from '../books/entries.ts';
import { isFractionable } from '../books/tradable-asset.ts';
import { type AccountState, checkOrderAgainstAccount, heldQuantity, inferIntent } from './account-check.ts';
import { advanceOrder, firstFillQuantity, toCanceledOrder } from './advance.ts';
import { lockedShares, securedCash } from './buying-power.ts';
import { exerciseHeldContracts } from './exercise.ts';
import { accountMargin, marginMultiplier } from './margin.ts';
import { matchOrder } from './matching.ts';
import type { OrderTicket } from './order-body.ts';
import {
  checkExitPrices,
  checkExitsAgainstBase,
  type ExitPrices,
  legTickets,
  opensPosition,
  oppositeSide,
} from './order-classes.ts';
import { isFractional } from './order-ticket.ts';
import { type ReplacementTerms, replacementTicket } from './replacement.ts';
import { type TradeUpdate, watchOrderBook } from './trade-update.ts';

export type Exchange = ReturnType<typeof createExchange>;

interface ExchangeOptions extends AdmissionOptions {
  database: Database.Database;
  tell?: (update: TradeUpdate) => void;
}

export function createExchange(options: ExchangeOptions) {
  const { database, market, now, tell } = options;
  const pendingUpdates: TradeUpdate[] = [];
  const orders = watchOrderBook(options.orders, (update) => pendingUpdates.push(update));

  const inTransaction = <T>(work: () => T): T => {
    const before = pendingUpdates.length;
    try {
      return database.transaction(work).immediate();
    } catch (error) {
      pendingUpdates.length = before;
      throw error;
    } finally {
      // Within an outer transaction, nothing is committed yet, so updates wait until the next call.
      if (!database.inTransaction) for (const update of pendingUpdates.splice(0)) tell?.(update);
    }
  };

  const requireOpen = (accountId: string, orderId: string): OrderRecord => {
    const order = orders.byId(accountId, orderId);
    if (order === undefined) throw notFoundError(`order not found for ${orderId}`);
    if (!isOpenOrder(order)) throw unprocessableError(`order is already in "${order.status}" state`);
    return order;
  };

  const update = (order: OrderRecord): void => orders.update({ ...order, updated_at: now() });

  const store = (order: OrderRecord): OrderRecord => {
    const others = groupChanges(order, orderGroup(order, orders), now());
    // The take profit is canceled before the stop trades, so the other orders are updated first.
    const changes = order.exit === 'stop_loss' ? [...others, order] : [order, ...others];
    for (const change of changes) update(change);
    return { ...order, updated_at: now() };
  };

  const bringUpToNow = (order: OrderRecord): OrderRecord => {
    const next = advanceOrder(order, {
      market,
      at: now(),
      book: (filled, fill) => bookFill(options, filled, fill),
    });
    return next === order ? order : store(next);
  };

  const admission = createAdmission({ ...options, orders });

  return {
    /** Places an order. @throws {BrokerError} if the order is rejected, in which case nothing is stored */
    place: (accountId: string, ticket: OrderTicket): OrderRecord =>
      inTransaction(() => bringUpToNow(admission.admit(accountId, ticket))),
    cancel: (accountId: string, orderId: string): OrderRecord =>
      inTransaction(() => {
        const order = requireOpen(accountId, orderId);
        pendingUpdates.push({ event: 'pending_cancel', order: { ...order, status: 'pending_cancel' } });
        return store(toCanceledOrder(order, now()));
      }),
    cancelAll: (accountId: string, symbol?: string): OrderRecord[] =>
      inTransaction(() => {
        const open = orders.openOf(accountId).filter((order) => symbol === undefined || order.symbol === symbol);
        for (const order of open) update(toCanceledOrder(order, now()));
        return open;
      }),
    replace: (accountId: string, orderId: string, terms: ReplacementTerms): OrderRecord =>
      inTransaction(() => {
        const old = requireOpen(accountId, orderId);
        const ticket = replacementTicket(old, terms);
        pendingUpdates.push({ event: 'pending_replace', order: { ...old, status: 'pending_replace' } });
        const gone = store({ ...old, status: 'replaced', replaced_at: now() });
        return bringUpToNow(admission.succeed(gone, old, ticket));
      }),
    /**
     * Records a multi-leg order as if it had been placed in the broker's own app. The order stays open until it is
     * canceled or expires.
     * @throws {BrokerError} 422 for unknown contracts
     */
    bookMultiLeg: (accountId: string, terms: MultiLegTerms): OrderRecord =>
      inTransaction(() => {
        const [order, ...legs] = multiLegOrders(accountId, terms, market).map((each) => orders.add(each));
        if (order === undefined) throw new Error(`a multi-leg order of ${legs.length} orders`);
        return order;
      }),
    exercise: (accountId: string, symbol: string): void =>
      inTransaction(() => exerciseHeldContracts(options, accountId, symbol, orders.openOf(accountId))),
    settle: (): void => {
      for (const { account_id, id } of orders.open()) {
        inTransaction(() => {
          // Another order of the same group may have ended this order.
          const order = orders.byId(account_id, id);
          if (order !== undefined && isOpenOrder(order)) bringUpToNow(order);
        });
      }
    },
  };
}

/** Alpaca's trading fee for crypto, as a fraction of the amount received ("Crypto fees", first tier, taker). */
const CRYPTO_FEE = '0.0025';

interface BookingOptions {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly settings: Pick<AccountSettingsStore, 'of'>;
  readonly now: () => number;
}

/**
 * Records a fill and, for crypto, its fee. Shares may be bought on margin if the account has margin. Call inside a
 * transaction. Returns false, with nothing changed, if the account can't cover the fill.
 */
function bookFill(
  { ledger, market, settings, now }: BookingOptions,
  order: OrderRecord,
  { qty, price }: { qty: string; price: string },
): boolean {
  const { account_id, id: order_id, symbol, side, position_intent } = order;
  const at = now();
  const cash = ledger.account(account_id)?.cash ?? '0';
  const positions = ledger.positions(account_id);
  const margin = accountMargin(cash, positions, market);
  const assetClass = symbolAssetClass(symbol);
  const credit = {
    short: position_intent === 'sell_to_open',
    // Buying back a short is always possible.
    overdraft:
      assetClass === 'us_equity' &&
      (position_intent === 'buy_to_close' || marginMultiplier(settings.of(account_id), margin) > 1),
  };
  const amount = new Dec(qty).times(price).times(contractMultiplier(symbol));
  const spared =
    side === 'sell'
      ? heldQuantity(symbol, positions)
          .minus(lockedShares([], symbol, positions))
          .gte(qty)
      : new Dec(cash).minus(securedCash(positions)).gte(amount);
  if (!spared && !credit.overdraft && !credit.short && position_intent !== 'buy_to_close') return false;
  const booked = ledger.book({ account_id, order_id, symbol, side, qty, price, at }, credit);
  if (!booked || assetClass !== 'crypto') return booked;
  const fee = { account_id, type: 'CFEE', date: newYorkDate(at), at };
  if (side === 'buy') {
    const coins = new Dec(qty).times(CRYPTO_FEE).toDecimalPlaces(9, Dec.ROUND_UP);
    // The fee itself has no cost, so the remaining coins keep the full cost.
    ledger.enter(createEntry({ ...fee, symbol, qty: toPlain(coins.neg()), cost: '0' }));
  } else {
    const dollars = new Dec(toCents(new Dec(qty).times(price))).times(CRYPTO_FEE);
    ledger.enter(createEntry({ ...fee, amount: dollars.toDecimalPlaces(2, Dec.ROUND_UP).neg().toFixed(2) }));
  }
  return true;
}

interface MultiLegTerms {
  readonly qty: string;
  readonly limit_price: string;
  readonly legs: readonly {
    readonly symbol: string;
    readonly ratio_qty: string;
    readonly position_intent: PositionIntent;
  }[];
}

/**
 * Returns a multi-leg order followed by its legs. As with Alpaca, the order has no symbol, side or quantity.
 * @throws {BrokerError} 422 for an unknown or expired contract
 */
function multiLegOrders(
  accountId: string,
  { qty, limit_price, legs }: MultiLegTerms,
  market: Market,
): Omit<OrderRecord, 'seq'>[] {
  const at = market.now();
  const order: Omit<OrderRecord, 'seq'> = {
    ...newOrderDefaults(accountId, at),
    client_order_id: randomUUID(),
    symbol: '',
    side: 'buy',
    type: 'limit',
    time_in_force: 'day',
    qty: null,
    notional: null,
    limit_price,
    stop_price: null,
    trail_price: null,
    trail_percent: null,
    extended_hours: 0,
    status: 'new',
    expires_at: market.currentOrNextSession(at).close,
    order_class: 'mleg',
    position_intent: 'buy_to_open',
  };
  const legOrders = legs.map(({ symbol, ratio_qty, position_intent }) => {
    const contract = findOptionContract(market, symbol);
    if (contract === undefined || at >= contractExpiresAt(market, contract)) {
      throw unprocessableError(`asset not found for ${symbol}`);
    }
    return {
      ...order,
      id: randomUUID(),
      client_order_id: randomUUID(),
      parent_id: order.id,
      symbol,
      ratio_qty,
      position_intent,
      side: position_intent.startsWith('buy') ? ('buy' as const) : ('sell' as const),
      qty: toPlain(new Dec(qty).times(ratio_qty)),
      limit_price: null,
    };
  });
  return [order, ...legOrders];
}

interface AdmissionOptions {
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  now: () => number;
  partialFills: boolean;
  settings: Pick<AccountSettingsStore, 'of'>;
}

/** Creates functions that accept orders. Call each inside a transaction, so that a rejection rolls back its writes. */
function createAdmission(options: AdmissionOptions) {
  const { ledger, orders, market, now, partialFills, settings } = options;

  const meansOf = (accountId: string): AccountState => {
    const account = ledger.account(accountId);
    if (account === undefined) throw notFoundError('account not found');
    const positions = ledger.positions(accountId);
    const open = orders.openOf(accountId);
    return { cash: account.cash, positions, open, settings: settings.of(accountId), market };
  };

  const arrived = (
    accountId: string,
    ticket: OrderTicket,
    position_intent: PositionIntent,
    place?: OrderGroupPlace,
  ) => {
    checkTradable(ticket, market, now());
    const quote = market.quote(ticket.symbol);
    if (quote === undefined) throw unprocessableError(`asset "${ticket.symbol}" not found`);
    const client_order_id = ticket.client_order_id ?? randomUUID();
    if (orders.byClientOrderId(accountId, client_order_id) !== undefined) {
      throw badParameterError('client_order_id must be unique');
    }
    const arrival = { accountId, quote, market, at: now(), partialFills, position_intent };
    const order = newOrder({ ...ticket, client_order_id }, { ...arrival, ...defined({ place }) });
    return { quote, order: { ...order, seq: 0 } };
  };

  return {
    /** Accepts an order and records its legs. @throws {BrokerError} */
    admit(accountId: string, ticket: OrderTicket): OrderRecord {
      const means = meansOf(accountId);
      const held = heldQuantity(ticket.symbol, means.positions);
      const intent = inferIntent(ticket.side, held);
      const specified = ticket.position_intent ?? intent;
      if (specified !== intent) {
        throw unprocessableError(`position intent mismatch, inferred: ${intent}, specified: ${specified}`);
      }
      const { quote, order } = arrived(accountId, ticket, intent);
      const legs = legTickets(ticket).map(({ exit, ticket: leg }) => {
        const place: OrderGroupPlace = {
          parent_id: order.id,
          exit,
          dormant: opensPosition(ticket.order_class) ? 1 : 0,
        };
        return arrived(accountId, leg, `${leg.side}_to_close`, place).order;
      });
      checkGroupPrices([order, ...legs], quote);
      checkPurpose(order, toPlain(held));
      checkOrderAgainstAccount(order, means);
      failpoint('broker.accepted');
      const added = orders.add(order);
      for (const leg of legs) orders.add(leg);
      failpoint('broker.written');
      return added;
    },
    /**
     * Records a replacement and updates its group.
     * @param gone the replaced order, which must already be closed, so that its reservation does not count against the
     * replacement
     * @throws {BrokerError}
     */
    succeed(gone: OrderRecord, before: OrderRecord, ticket: OrderTicket): OrderRecord {
      const others = orderGroup(gone, orders).filter(({ id }) => id !== gone.id);
      const { quote, order } = arrived(gone.account_id, ticket, gone.position_intent);
      const { order_class, parent_id, exit, dormant } = gone;
      const status = before.status === 'held' ? 'held' : order.status;
      const successor = { ...order, order_class, parent_id, exit, dormant, status, replaces: gone.id };
      const heads = parent_id === null;
      checkGroupPrices(heads ? [successor, ...others] : [...others, successor], quote);
      // A held order is not in the market and reserves nothing.
      if (status !== 'held') checkOrderAgainstAccount(successor, meansOf(gone.account_id));
      failpoint('broker.accepted');
      const added = orders.add(successor);
      for (const leg of heads ? others : []) {
        orders.update({
          ...leg,
          parent_id: added.id,
          qty: exitQuantity(leg, gone, added),
          updated_at: added.created_at,
        });
      }
      orders.update({ ...gone, replaced_by: added.id });
      failpoint('broker.written');
      return added;
    },
  };
}

function exitQuantity(leg: OrderRecord, gone: OrderRecord, successor: OrderRecord): string {
  const rest = new Dec(gone.qty ?? 0).minus(gone.filled_qty);
  return toPlain(new Dec(leg.qty ?? 0).minus(rest).plus(successor.qty ?? 0));
}

/** Checks that the asset can be traded. @throws {BrokerError} 422, or 403 if the asset can't be traded in fractions */
function checkTradable(ticket: OrderTicket, market: Market, at: number): void {
  const { symbol, type } = ticket;
  if (symbolAssetClass(symbol) === 'us_option') {
    const contract = findOptionContract(market, symbol);
    if (contract === undefined) throw unprocessableError(`contract "${symbol}" not found`);
    if (at >= contractExpiresAt(market, contract)) throw unprocessableError(`contract "${symbol}" is expired`);
    if (!isContractListed(market, contract)) throw unprocessableError(`contract "${symbol}" is not active`);
    if (type === 'market' && !market.isOpen(at)) {
      throw unprocessableError('options market orders are only allowed during market hours');
    }
    return;
  }
  const asset = market.symbol(symbol);
  if (asset === undefined) throw unprocessableError(`asset "${symbol}" not found`);
  if (symbolAssetClass(symbol) === 'us_equity' && isFractional(ticket) && !isFractionable(asset)) {
    throw notPermittedError(`asset "${symbol}" is not fractionable`);
  }
}

function orderGroup(order: OrderRecord, orders: OrderBook): OrderRecord[] {
  if (order.order_class === '') return [order];
  const parent = order.parent_id === null ? order : orders.byId(order.account_id, order.parent_id);
  if (parent === undefined) throw notFoundError(`order not found for ${order.parent_id}`);
  return [parent, ...orders.legsOf(parent.id)];
}

/**
 * Applies the effects of a changed order to its group (Alpaca, "Placing orders"). Exits wait until the entry has filled
 * completely. Each exit shrinks as the other fills. The take profit is canceled before a triggered stop trades. If an
 * order ends unfilled, the rest of its group ends too.
 * @returns the orders that change
 */
function groupChanges(changed: OrderRecord, group: readonly OrderRecord[], at: number): OrderRecord[] {
  const others = group.filter((order) => order.id !== changed.id && isOpenOrder(order));
  if (changed.status === 'replaced') return [];
  if (changed.exit === null) {
    if (changed.status === 'filled') return others.map((leg) => activateExit(leg, others));
    return isOpenOrder(changed) ? [] : others.map((order) => toCanceledOrder(order, at));
  }
  if (!isOpenOrder(changed) || changed.triggered === 1) return others.map((order) => toCanceledOrder(order, at));
  return changed.status === 'partially_filled'
    ? others.map((order) => ({ ...order, qty: toPlain(new Dec(changed.qty ?? 0).minus(changed.filled_qty)) }))
    : [];
}

/** Activates a held exit. A stop next to a take profit stays held: only one of the two can reserve the shares. */
function activateExit(leg: OrderRecord, legs: readonly OrderRecord[]): OrderRecord {
  const status = leg.exit === 'stop_loss' && legs.length > 1 ? 'held' : 'new';
  return { ...leg, status, dormant: 0 };
}

function checkGroupPrices(group: readonly OrderRecord[], quote: MarketQuote): void {
  const [parent] = group;
  if (parent === undefined || parent.order_class === '') return;
  const opens = opensPosition(parent.order_class);
  const exit = (name: OrderRecord['exit']) => group.find((order) => order.exit === name);
  const prices: ExitPrices = {
    take_profit: exit('take_profit')?.limit_price ?? null,
    stop_loss: exit('stop_loss')?.stop_price ?? null,
    stop_loss_limit: exit('stop_loss')?.limit_price ?? null,
  };
  checkExitPrices(opens ? oppositeSide(parent.side) : parent.side, prices);
  if (opens && isOpenOrder(parent)) {
    checkExitsAgainstBase(parent.side, prices, parent.limit_price ?? quote.last);
  }
}

/** Checks that an entry opens a position and that an exit closes one. @throws {BrokerError} 422 */
function checkPurpose(order: Pick<OrderRecord, 'order_class' | 'side'>, held: string): void {
  if (order.order_class === '') return;
  const signed = new Dec(held);
  const closes = order.side === 'sell' ? signed.gt(0) : signed.lt(0);
  if (opensPosition(order.order_class) && closes) {
    throw unprocessableError(`${order.order_class} orders must be entry orders`);
  }
  if (!opensPosition(order.order_class) && !closes) {
    throw unprocessableError(`${order.order_class} orders must be exit orders`);
  }
}

/** Lifetime of good-till-canceled orders, after which Alpaca cancels them. */
const GTC_LIFETIME_MS = 90 * ONE_DAY_MS;

type OrderGroupPlace = Pick<OrderRecord, 'parent_id' | 'exit' | 'dormant'>;

/** Alpaca values a short sale at the ask times this factor, or at the sale's limit price if that is higher. */
const SHORT_RESERVE = '1.03';

interface NewOrderContext {
  accountId: string;
  quote: MarketQuote;
  market: Market;
  at: number;
  partialFills: boolean;
  position_intent: PositionIntent;
  place?: OrderGroupPlace;
}

function newOrderDefaults(accountId: string, at: number) {
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
 * Creates the unfilled order for a ticket, with its lifetime and reservation.
 * @throws {BrokerError} if the ticket is for an auction that no longer accepts orders
 */
function newOrder(
  { take_profit, stop_loss, ...ticket }: OrderTicket & { client_order_id: string },
  { accountId, quote, market, at, partialFills, position_intent, place }: NewOrderContext,
): Omit<OrderRecord, 'seq'> {
  const auction_at = orderAuction(ticket.time_in_force, market, at);
  const order: Omit<OrderRecord, 'seq'> = {
    ...ticket,
    ...newOrderDefaults(accountId, at),
    extended_hours: ticket.extended_hours ? 1 : 0,
    status: place === undefined ? 'accepted' : 'held',
    first_part: partialFills ? firstFillQuantity(ticket, market.seed) : null,
    auction_at,
    expires_at: orderExpiry(ticket, market, at),
    exit: ticket.order_class === 'oco' ? 'take_profit' : null,
    position_intent,
    ...place,
  };
  if (requiresPrice(order.type, 'trail')) {
    const { hwm, stop_price } = matchOrder({ ...order, seq: 0 }, quote);
    order.hwm = hwm;
    order.stop_price = stop_price;
  }
  if (order.side === 'buy') {
    order.reserve_price = order.limit_price ?? toPlain(Dec.max(order.stop_price ?? 0, quote.ask));
  } else if (position_intent === 'sell_to_open') {
    const above = new Dec(quote.ask).times(SHORT_RESERVE).toDecimalPlaces(4);
    order.reserve_price = toPlain(Dec.max(order.limit_price ?? 0, above));
  }
  return order;
}

function orderAuction(time_in_force: OrderTicket['time_in_force'], market: Market, at: number): number | null {
  if (time_in_force !== 'opg' && time_in_force !== 'cls') return null;
  if (market.hours === 'exchange') checkAuctionWindow(time_in_force, market, at);
  return time_in_force === 'opg' ? market.nextOpen(at) : market.nextClose(at);
}

function checkAuctionWindow(time_in_force: 'opg' | 'cls', market: Market, at: number): void {
  // Alpaca accepts opg until 9:28 and cls until 15:50 New York time, and both from 19:00 for the next session.
  const session = market.currentOrNextSession(at);
  const cutoff = time_in_force === 'opg' ? session.open - 2 * 60_000 : session.close - 10 * 60_000;
  const today = market.sessions(newYorkDate(at), newYorkDate(at))[0];
  const evening = today !== undefined && at >= today.close && at < today.extendedClose - 3_600_000;
  if (at >= cutoff || evening) {
    throw unprocessableError(`${time_in_force} orders are not accepted at this time of day`);
  }
}

function orderExpiry(
  ticket: Pick<OrderTicket, 'symbol' | 'time_in_force' | 'extended_hours'>,
  market: Market,
  at: number,
): number | null {
  const contract = findOptionContract(market, ticket.symbol);
  const last = contract === undefined ? Number.POSITIVE_INFINITY : contractExpiresAt(market, contract);
  if (ticket.time_in_force === 'gtc') return Math.min(at + GTC_LIFETIME_MS, last);
  if (ticket.time_in_force !== 'day') return null;
  const session = market.currentOrNextSession(at);
  if (!ticket.extended_hours) return session.close;
  // After the close but within extended hours, today's session is used.
  const [today] = market.sessions(newYorkDate(at), newYorkDate(at));
  return today !== undefined && at < today.extendedClose ? today.extendedClose : session.extendedClose;
}
