import { isTradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { OpenOrderEntry, OrderJournal } from '../../store/order-journal.ts';
import type { Activity } from '../../trading/activity.ts';
import { formatDollarAmount } from '../../trading/amounts.ts';
import { contractMultiplier, formatQuantity, parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import { maxFees } from '../../trading/broker-fees.ts';
import { countedSize } from '../../trading/counted-order.ts';
import { netDepositsSinceClose } from '../../trading/day-flow.ts';
import { Dec } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { oldestCurrentPriceDate, symbolMarketClock } from '../../trading/market-open.ts';
import { addDays, newYorkDate, newYorkInstant, ONE_DAY_MS } from '../../trading/new-york-time.ts';
import { isCallOn, isPut, putCollateralDollars } from '../../trading/option-cover.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { fillableLegs, hasEndedEntry } from '../../trading/order-legs.ts';
import { checkBrokerTerms } from '../../trading/order-terms.ts';
import { currentPrice } from '../../trading/price-drift.ts';
import type { Account, MarketClock, Order, OrderLeg, Position, Quote } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import { defined } from '../../values/defined.ts';
import type { OpenAccount } from '../broker/accounts.ts';
import type { Asset, Broker } from '../broker/broker.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import type { BrokerFacts, HoldingFacts, MarketFacts, OptionFacts, OrderFacts, UncountedFacts } from './decision.ts';
import type { Rules } from './rules.ts';

/** Number of calendar days to look back for a session. Since 2001, the exchange has never been closed for this long. */
const MAX_DAYS_BACK = 10;

/**
 * Returns the New York date of the latest session that has begun: today if the market is open, otherwise from the
 * broker's calendar.
 * @throws {HttpProblem} the broker's error if a read fails
 */
export async function findLastSession(
  market: MarketClock,
  broker: Pick<Broker, 'calendar'>,
): Promise<string | undefined> {
  const now = Date.parse(market.timestamp);
  const today = newYorkDate(now);
  if (market.is_open) return today;
  const days = await broker.calendar({ start: addDays(today, -MAX_DAYS_BACK), end: today });
  return days
    .filter(({ date, open }) => newYorkInstant(date, open) <= now)
    .map(({ date }) => date)
    .sort()
    .at(-1);
}

const MAX_OPEN_ORDERS = 500;
/** Maximum number of orders that one decision looks up at the broker. The next decision looks up the rest. */
const MAX_LOOKUPS = 20;

/** Reads the open orders. Call this before reading positions (`readBrokerSnapshots`). @throws {HttpProblem} */
export const readOpenOrders = (broker: Pick<OpenAccount, 'orders'>): Promise<readonly Order[]> =>
  broker.orders({ status: 'open', limit: MAX_OPEN_ORDERS, symbols: [] });

interface WorldContext {
  readonly journal: Pick<OrderJournal, 'open' | 'recordReport'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** The broker's data about an account and one symbol. Symbols that are read together share the account's data. */
export interface BrokerSnapshot {
  readonly account: Account;
  readonly traits: BrokerTraits;
  readonly positions: readonly Position[];
  readonly dayFlow?: string | null;
  readonly asset: Asset;
  readonly market: MarketClock;
  readonly quote: Quote;
  /** A price from this New York date or later counts as current (`oldestCurrentPriceDate`); undefined if unknown. */
  readonly session: string | undefined;
  /** Open orders that the journal does not count: orders not sent by this gateway, and legs of filled entry orders. */
  readonly elsewhere: readonly Order[];
}

/**
 * Reads the broker's data about the account and the symbols. Records in the journal which orders are no longer open.
 *
 * Positions are read after the open orders: an order that fills between the two reads is then in both. In the reverse
 * order, it could be missing from both. The journal is read last, so it contains every order of this gateway that the
 * broker reported.
 * @param rules determine whether deposits and withdrawals since the last close are needed
 * @param early open orders that are already being read
 * @throws {HttpProblem} 422 `unknown_symbol`, or the broker's error if a read fails
 */
export async function readBrokerSnapshots(
  broker: OpenAccount,
  symbols: readonly string[],
  rules: Rules,
  context: WorldContext,
  early?: Promise<readonly Order[]>,
): Promise<ReadonlyMap<string, BrokerSnapshot>> {
  // Starts independent reads concurrently, because one read after the other would only make the price older.
  const opening = early ?? readOpenOrders(broker);
  const clock = broker.clock();
  const reading = broker.account();
  const [account, flows, assets, market, quotes, open, positions, session] = await Promise.all([
    reading,
    // Reads the flows each time, because a missed withdrawal or deposit would falsify the day's loss.
    reading.then((account) => (asksDayLoss(rules, account.account) ? readCashFlows(broker, account) : null)),
    Promise.all(symbols.map((symbol) => broker.asset(symbol))),
    clock,
    broker.quotes(symbols),
    opening,
    opening.then(() => broker.positions()),
    clock.then((market) => findLastSession(market, broker)),
  ]);
  const own = await context.journal.open(account.account, MAX_OPEN_ORDERS);
  // Leaves out filled entry orders, which a broker may list because of their open legs.
  const stillOpen = new Set(open.flatMap((order) => (hasEndedEntry(order) ? [] : [order.id])));
  // An order without the broker's id may not be at the broker. The order keeps its reservation, and is looked up only
  // for its own proposal.
  const gone = own.filter(({ orderId }) => orderId !== null && !stillOpen.has(orderId));
  await Promise.all(gone.slice(0, MAX_LOOKUPS).map((entry) => updateJournal(entry, broker, context)));
  // Matches orders by either id, because not every broker returns a client_order_id.
  const ours = new Set(own.flatMap(({ clientOrderId, orderId }) => [clientOrderId, orderId ?? clientOrderId]));
  const elsewhere = open.flatMap((order): readonly Order[] => {
    if (!ours.has(order.client_order_id) && !ours.has(order.id)) return [order];
    return hasEndedEntry(order) ? fillableLegs(order) : [];
  });
  const now = Date.parse(market.timestamp);
  const dayFlow = flows === null ? {} : { dayFlow: computeNetDepositsToday(flows, account, { positions, now }) };
  const common = { account, traits: broker.traits, positions, elsewhere, ...dayFlow };
  return new Map(
    symbols.map((symbol, at) => {
      const asset = assets[at];
      const quote = quotes.find((found) => found.symbol === symbol);
      if (asset === undefined || quote === undefined) throw unknownSymbolProblem(symbol);
      return [
        symbol,
        {
          ...common,
          asset,
          quote,
          market: symbolMarketClock(symbol, market),
          session: oldestCurrentPriceDate(symbol, market, session),
        },
      ];
    }),
  );
}

export function requireSymbolSnapshot(worlds: ReadonlyMap<string, BrokerSnapshot>, symbol: string): BrokerSnapshot {
  const world = worlds.get(symbol);
  if (world === undefined) throw unknownSymbolProblem(symbol);
  return world;
}

/** Records the outcome of one of the gateway's orders in the journal. */
async function updateJournal(entry: OpenOrderEntry, broker: OpenAccount, context: WorldContext): Promise<void> {
  const { journal, clock } = context;
  const order = entry.orderId === null ? undefined : await broker.order(entry.orderId);
  if (order !== undefined) await journal.recordReport(entry, order, clock.now());
}

export function unknownSymbolProblem(symbol: string): HttpProblem {
  return new HttpProblem(422, 'unknown_symbol', `the broker does not know the symbol ${symbol}`, {
    hint: 'Check the ticker symbol.',
    fields: ['symbol'],
  });
}

export function toUncountedFacts(
  { draft, replaces }: { readonly draft: OrderDraft; readonly replaces?: string | undefined },
  world: BrokerSnapshot,
  { now }: { readonly now: number },
): UncountedFacts {
  const option = optionFacts(draft, replaces, world);
  return {
    at: new Date(now).toISOString(),
    account: draft.account,
    environment: draft.environment,
    order: toOrderFacts(draft),
    market: marketFacts(world),
    broker: brokerFacts(draft, world),
    holdings: holdingFacts(draft, replaces, world),
    ...defined({ option }),
    more: {},
  };
}

export function toOrderFacts(draft: OrderDraft): OrderFacts {
  const { symbol, side, type, time_in_force, extended_hours, reference_price, max_slippage } = draft;
  const { notional, qty } = countedSize(draft);
  return {
    symbol,
    side,
    type,
    time_in_force,
    extended_hours,
    reference_price,
    max_slippage,
    notional,
    qty: draft.qty ?? null,
    limit_price: draft.limit_price ?? null,
    stop_price: draft.stop_price ?? null,
    ...exitFacts(draft),
    shares: qty,
  };
}

function exitFacts(draft: OrderDraft): Pick<OrderFacts, 'order_class' | 'stop_loss'> {
  const { order_class, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = boundedOrder(draft);
  return {
    ...defined({ order_class }),
    ...(stop === undefined || limit === undefined ? {} : { stop_loss: { stop_price: stop, limit_price: limit } }),
  };
}

function marketFacts({ market, quote, session }: BrokerSnapshot): MarketFacts {
  // Brokers report a price of zero for a side without a quote.
  const given = (price: string) => (new Dec(price).gt(0) ? price : null);
  return {
    at: new Date(market.timestamp).toISOString(),
    is_open: market.is_open,
    next_open: market.next_open,
    session: session ?? null,
    bid: given(quote.bid),
    ask: given(quote.ask),
    last: given(quote.last),
    quoted_at: quote.at,
  };
}

function brokerFacts(draft: OrderDraft, { account, asset, traits }: BrokerSnapshot): BrokerFacts {
  return {
    trading_blocked: account.trading_blocked,
    tradable: asset.tradable,
    fractionable: asset.fractionable,
    class_enabled: classEnabled(draft.symbol, account),
    fees: feeFacts(draft, traits),
    objection: brokerObjection(draft, traits) ?? minimumObjection(draft, traits, asset),
  };
}

/** Returns the current maximum fees and the approved ones. Zero and unknown fees need no approval. */
function feeFacts(draft: OrderDraft, { fees }: BrokerTraits): NonNullable<BrokerFacts['fees']> {
  const now = maxFees(draft, fees);
  return {
    known: now.max_fees !== undefined,
    max_fees: { approved: draft.max_fees ?? null, now: now.max_fees ?? '0' },
    coin_fee: { approved: draft.coin_fee ?? null, now: now.coin_fee ?? '0' },
  };
}

function classEnabled(symbol: string, { crypto_active = false, options_level = 0 }: Account): boolean {
  const enabled = { us_equity: true, crypto: crypto_active, us_option: options_level > 0 };
  return enabled[symbolAssetClass(symbol)];
}

/** Returns the broker's objection to the order that would actually be sent (`boundedOrder`); null if it has none. */
function brokerObjection(draft: OrderDraft, traits: BrokerTraits): BrokerFacts['objection'] {
  const { reference_price: _, ...sent } = boundedOrder(draft);
  const { notional } = draft;
  try {
    // An order in dollars is sent in shares, but only to a broker that trades the fractions of an amount.
    if (notional !== undefined) checkBrokerTerms({ ...sent, qty: undefined, notional }, traits.orders);
    checkBrokerTerms(sent, traits.orders);
    return null;
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { field } = error.details;
    return {
      text: error.message,
      ...defined({ hint: error.hint }),
      ...(typeof field === 'string' ? { field } : {}),
    };
  }
}

/** Returns why a purchase is too small for the broker; null if it is not. Sales may be of any size, to close positions. */
function minimumObjection(draft: OrderDraft, { orders }: BrokerTraits, asset: Asset): BrokerFacts['objection'] {
  const { symbol, side, reference_price, limit_price = reference_price, qty = '0' } = boundedOrder(draft);
  const { minimumDollars: least = '0' } = orders[symbolAssetClass(symbol)] ?? {};
  const { min_order_size: smallest = '0' } = asset;
  const field = draft.notional === undefined ? 'qty' : 'notional';
  if (side === 'sell' || (new Dec(qty).isInteger() && new Dec(qty).gte(smallest) && draft.notional === undefined)) {
    return null;
  }
  // The broker may value the order at its limit or at the current price.
  const dollars = new Dec(qty).times(Dec.min(limit_price, reference_price));
  if (dollars.lt(least)) {
    const value = formatDollarAmount(dollars.toFixed(2, Dec.ROUND_DOWN));
    const text = `this broker accepts purchases from ${formatDollarAmount(least)}, but this one is for ${value} at the current price`;
    return { text, hint: 'Propose a slightly larger order.', field };
  }
  if (new Dec(qty).gte(smallest)) return null;
  const text = `this broker accepts orders from ${formatQuantity(symbol, smallest)}, but this one is for ${formatQuantity(symbol, qty)}`;
  return { text, hint: 'Propose a larger order.', field };
}

function holdingFacts(
  { symbol, side }: OrderDraft,
  replaces: string | undefined,
  { account, positions, dayFlow, quote, elsewhere }: BrokerSnapshot,
): HoldingFacts {
  const held = positions.find((position) => position.symbol === symbol);
  const sign = held?.side === 'short' ? -1 : 1;
  const others = elsewhere.filter(({ id }) => id !== replaces);
  const inSymbol = others.flatMap(fillableLegs).filter((order) => order.symbol === symbol);
  // Counts an order whose side is unknown, because it may be a purchase.
  const costs = inSymbol.flatMap((order) => (order.side === 'sell' ? [] : [orderCost(order, quote)]));
  const sells = inSymbol.flatMap((order) =>
    order.side === 'buy' ? [] : [orderShares(order, quote) ?? new Dec(held?.qty ?? 0).abs()],
  );
  return {
    equity: account.equity,
    last_equity: account.last_equity,
    ...defined({ day_flow: dayFlow }),
    qty: new Dec(held?.qty ?? 0).abs().times(sign).toFixed(),
    value: new Dec(held?.market_value ?? 0).abs().times(sign).toFixed(2),
    open_elsewhere: {
      orders: others.length,
      symbol_notional: costs.includes(undefined)
        ? null
        : Dec.sum(0, ...costs.map((cost) => cost ?? 0)).toFixed(2, Dec.ROUND_UP),
      symbol_sells: Dec.sum(0, ...sells).toFixed(),
      opposes: inSymbol.some((order) => order.side !== side),
    },
  };
}

function orderCost(order: OrderLeg, quote: Quote): Dec | undefined {
  if (order.notional !== null) return new Dec(order.notional);
  const price = order.limit_price ?? order.stop_price ?? currentPrice('buy', quote);
  if (price === undefined || order.qty === null) return undefined;
  return new Dec(order.qty).minus(order.filled_qty).times(price).times(contractMultiplier(order.symbol));
}

/** Returns the number of unfilled shares; undefined if unknown. */
function orderShares(order: OrderLeg, quote: Quote): Dec | undefined {
  if (order.qty !== null) return new Dec(order.qty).minus(order.filled_qty);
  const price = currentPrice('sell', quote);
  return price === undefined || order.notional === null ? undefined : new Dec(order.notional).div(price);
}

function asksDayLoss({ limitsOf, cedar }: Pick<Rules, 'limitsOf' | 'cedar'>, account: string): boolean {
  return limitsOf(account)?.max_day_loss !== undefined || cedar.asksDayLoss === true;
}

/**
 * Maximum delay until a deposit or withdrawal posts, in milliseconds. Some brokers filter activities by the date of the
 * transfer, and others by the posting date.
 */
const MAX_POSTING_DELAY_MS = 7 * ONE_DAY_MS;
/**
 * Maximum number of pages to read, of 100 activities each, not counting fills. No person has so many in a week.
 */
const MAX_FLOW_PAGES = 10;

/** Reads recent cash flows; undefined if they are unknown. @throws {HttpProblem} the broker's error */
export async function readCashFlows(
  broker: Pick<OpenAccount, 'activities' | 'traits'>,
  { last_equity_on: closedOn }: Account,
): Promise<readonly Activity[] | undefined> {
  const { dayFlows } = broker.traits;
  if (dayFlows === 'excluded') return [];
  if (dayFlows === 'unknown' || closedOn === undefined) return undefined;
  const after = new Date(newYorkInstant(closedOn, '00:00') - MAX_POSTING_DELAY_MS);
  const found: Activity[] = [];
  let page: string | undefined;
  for (let pages = 0; pages < MAX_FLOW_PAGES; pages++) {
    const answer = await broker.activities({ after, page, withoutFills: true });
    found.push(...answer.activities);
    if (answer.next_page === null) return found;
    page = answer.next_page;
  }
  return undefined;
}

/** Returns net deposits in dollars; null if unknown. Transferred shares count at the price of their position. */
export function computeNetDepositsToday(
  activities: readonly Activity[] | undefined,
  { last_equity_on: closedOn }: Account,
  { positions, now }: { readonly positions: readonly Position[]; readonly now: number },
): string | null {
  if (activities?.length === 0) return '0';
  if (activities === undefined || closedOn === undefined) return null;
  const prices = new Map(positions.map(({ symbol, current_price }) => [symbol, current_price]));
  return (
    netDepositsSinceClose(activities, { closedOn, now, priceOn: (symbol) => prices.get(symbol) })?.toFixed() ?? null
  );
}

/** Returns the facts about an option; undefined if the order is not for an option. */
function optionFacts(
  { symbol, position_intent }: OrderDraft,
  replaces: string | undefined,
  { account, positions, elsewhere }: Pick<BrokerSnapshot, 'account' | 'positions' | 'elsewhere'>,
): OptionFacts | undefined {
  const option = parseOptionSymbol(symbol);
  if (option === undefined) return undefined;
  const others = elsewhere.filter(({ id }) => id !== replaces);
  // Unknown if an order has several legs, because the legs may take shares or cash in ways that are not computed here.
  const known = others.every(({ legs = [] }) => legs.length === 0);
  return {
    intent: position_intent ?? null,
    level: account.options_level ?? 0,
    free_shares: known ? freeShares(option.underlying, positions, others) : null,
    free_cash: known ? freeCash(account.cash, positions, others) : null,
  };
}

/** Returns the shares held, minus shares that cover sold calls and shares in open sell orders. */
function freeShares(underlying: string, positions: readonly Position[], others: readonly Order[]): string {
  const held = positions.filter(({ symbol, side }) => symbol === underlying && side === 'long');
  const called = positions.filter(({ symbol, side }) => isCallOn(symbol, underlying) && side === 'short');
  const onSale = others.filter(
    ({ symbol, side }) => side !== 'buy' && (symbol === underlying || isCallOn(symbol, underlying)),
  );
  return Dec.sum(0, ...held.map(({ qty }) => qty))
    .minus(Dec.sum(0, ...called.map(({ symbol, qty }) => new Dec(qty).abs().times(contractMultiplier(symbol)))))
    .minus(Dec.sum(0, ...onSale.map((order) => left(order).times(contractMultiplier(order.symbol)))))
    .toFixed();
}

/** Returns the cash minus what sold puts need and what open purchases cost; null if a purchase has no upper bound. */
function freeCash(cash: string, positions: readonly Position[], others: readonly Order[]): string | null {
  const puts = positions.filter(({ symbol, side }) => isPut(symbol) && side === 'short');
  const secured = puts.map(({ symbol, qty }) => putCollateralDollars(symbol, new Dec(qty).abs()));
  const open = others.flatMap((order): (Dec | undefined)[] => {
    if (order.side === 'sell') return isPut(order.symbol) ? [putCollateralDollars(order.symbol, left(order))] : [];
    if (order.notional !== null) return [new Dec(order.notional)];
    const price = order.limit_price ?? order.stop_price;
    return [price === null ? undefined : left(order).times(price).times(contractMultiplier(order.symbol))];
  });
  if (open.includes(undefined)) return null;
  return Dec.sum(0, ...secured, ...open.map((cost) => cost ?? 0))
    .neg()
    .plus(cash)
    .toFixed(2, Dec.ROUND_FLOOR);
}

const left = ({ qty, filled_qty }: Order): Dec => new Dec(qty ?? 0).minus(filled_qty);
