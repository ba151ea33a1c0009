import { formatDollarAmount, formatExactPercent, formatShares } from '../../trading/amounts.ts';
import { assetClassWords, contractMultiplier, parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import { mustWaitForOpen } from '../../trading/market-open.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import { putCollateralDollars } from '../../trading/option-cover.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { PositionIntent } from '../../trading/order-classes.ts';
import { findOrderType } from '../../trading/order-types.ts';
import { adverseSide, currentPrice, sideOutsideBand } from '../../trading/price-drift.ts';
import type { Quote } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import {
  type BrokerFacts,
  collectObjections,
  computeSharesFreeToSell,
  type DecisionFacts,
  factUnavailableObjection,
  type MarketFacts,
  type Objection,
  type OptionFacts,
  type OrderFacts,
} from './decision.ts';

/** Returns the objections of broker and market (not of the owner's rules), in the order in which to report them. */
export function findBrokerObjections(order: OrderFacts, facts: DecisionFacts): Objection[] {
  const { broker, market } = facts;
  return collectObjections<Objection>(
    broker === null ? factUnavailableObjection('which symbols the broker trades') : brokerObjectionsOnly(order, broker),
    classObjections(order, facts),
    legsAreHeld(order, facts),
    market === null
      ? factUnavailableObjection('the market’s state')
      : collectObjections(marketIsOpen(order, market), priceHolds(order, market)),
  );
}

function brokerObjectionsOnly(order: OrderFacts, broker: BrokerFacts): Objection[] {
  const { text = '', hint, field } = broker.objection ?? {};
  const fields = field === undefined ? undefined : [field];
  const inParts = order.qty === null || !new Dec(order.qty).isInteger();
  return collectObjections<Objection>(
    broker.objection !== null && {
      reason: 'ORDER_NOT_TAKEN_BY_BROKER',
      text,
      ...defined({ hint }),
      problem: { status: 400, code: 'invalid_order', ...defined({ fields }) },
    },
    feeObjection(broker.fees),
    broker.trading_blocked && {
      reason: 'ACCOUNT_BLOCKED',
      text: 'the broker has blocked trading in this account',
      hint: 'Ask the broker why.',
      problem: { status: 422, code: 'blocked' },
    },
    !broker.tradable && {
      reason: 'SYMBOL_NOT_TRADABLE',
      text: `${order.symbol} can't be traded at this broker`,
      problem: { status: 422, code: 'symbol_not_tradable', fields: ['symbol'] },
    },
    inParts &&
      !broker.fractionable && {
        reason: 'SYMBOL_NOT_FRACTIONABLE',
        text: `${order.symbol} can be traded only in whole shares`,
        hint: 'Use a whole number of shares.',
        problem: {
          status: 422,
          code: 'symbol_not_fractionable',
          fields: [order.qty === null ? 'notional' : 'qty'],
        },
      },
  );
}

/**
 * Objects if the order could cost more in fees than was approved. Also objects if the order sets a maximum for fees but
 * the broker's fees are unknown, because the phone must not show fees that may be wrong.
 */
function feeObjection(fees: BrokerFacts['fees']): Objection | undefined {
  if (fees === undefined) return undefined;
  const { known, max_fees, coin_fee } = fees;
  const reason = 'FEES_EXCEED_APPROVED';
  if (!known && max_fees.approved !== null) {
    return {
      reason,
      text: 'the order sets a maximum for fees, but the broker’s fees are unknown',
      hint: 'Leave out max_fees.',
    };
  }
  const hint = 'Propose the order again, so that its owner sees and approves the fees.';
  const { approved, now } = max_fees;
  if (new Dec(now).gt(approved ?? 0)) {
    const instead = approved === null ? 'no fees were' : `only ${formatDollarAmount(approved)} was`;
    const text = `the fees can be ${formatDollarAmount(now)}, but ${instead} approved`;
    return { reason, text, hint, limit: new Dec(approved ?? 0).toFixed(2), value: new Dec(now).toFixed(2) };
  }
  if (!new Dec(coin_fee.now).gt(coin_fee.approved ?? 0)) return undefined;
  const kept = formatExactPercent(coin_fee.now);
  return { reason, text: `the broker keeps up to ${kept} of the coins, more than was approved`, hint };
}

/** Objects if an OCO's legs would sell short: the legs may sell only shares that are held and in no open sell order. */
function legsAreHeld(order: OrderFacts, { holdings, counted }: DecisionFacts): Objection | undefined {
  if (order.order_class !== 'oco') return undefined;
  if (holdings === null) return factUnavailableObjection('the position');
  const free = computeSharesFreeToSell(holdings, counted);
  if (new Dec(order.shares).lte(free)) return undefined;
  const limit = Dec.max(free, 0).toFixed();
  return {
    reason: 'EXITS_EXCEED_POSITION',
    text: `take profit and stop loss are for ${formatShares(order.shares)} ${order.symbol}, but only ${formatShares(limit)} are held and in no open sell order`,
    hint: 'Propose at most that number, or cancel the order that already sells the rest.',
    limit,
    value: order.shares,
  };
}

function marketIsOpen({ type }: OrderFacts, { is_open, next_open }: MarketFacts): Objection | undefined {
  if (!mustWaitForOpen({ type }, { is_open })) return undefined;
  return {
    reason: 'MARKET_CLOSED',
    text: `the market is closed, and a ${type} order can be sent only while the market is open`,
    hint: `The market opens at ${next_open}. A limit order can wait until then.`,
    problem: { status: 409, code: 'market_closed', members: { next_open } },
  };
}

function priceHolds(order: OrderFacts, market: MarketFacts): Objection | undefined {
  const { symbol, side, reference_price, max_slippage } = order;
  const { bid, ask, last, quoted_at, session } = market;
  const quote = { bid: bid ?? '0', ask: ask ?? '0', last: last ?? '0', at: quoted_at };
  const check = checkPriceMovement(order, quote, session ?? undefined);
  if (check.ok) return undefined;
  if (check.reason === 'no_price') {
    return {
      reason: 'PRICE_UNAVAILABLE',
      text: `there is no price for ${symbol} now`,
      hint: 'Try again when the market is open and the symbol trades.',
      problem: { status: 409, code: 'price_unavailable' },
    };
  }
  const members = { current_price: check.price, reference_price, max_slippage };
  return {
    reason: 'PRICE_MOVED',
    text: `${symbol} is at ${check.price}, more than ${formatExactPercent(max_slippage)} ${adverseSide[side]} the approved ${reference_price}`,
    hint: 'Propose the order again at the current price.',
    problem: { status: 409, code: 'price_moved', members },
  };
}

type PriceCheck =
  | { readonly ok: true; readonly price: string }
  | { readonly ok: false; readonly reason: 'moved'; readonly price: string }
  | { readonly ok: false; readonly reason: 'no_price' };

/**
 * Checks whether the price has moved against the order by more than `max_slippage` of `reference_price`: for a buy,
 * whether the ask rose; for a sell, whether the bid fell. An order that would not trade at this price rests, so a price
 * move does not matter ({@link restsAt}). Objects if there is no price (`currentPrice`), or if the quote is older than
 * the last session.
 * @param lastSession New York date of the latest session that has begun; undefined if unknown
 */
export function checkPriceMovement(
  draft: PricedOrder,
  quote: Pick<Quote, 'bid' | 'ask' | 'last' | 'at'>,
  lastSession: string | undefined,
): PriceCheck {
  const price = currentPrice(draft.side, quote);
  if (price === undefined || isQuoteStale(quote.at, lastSession ?? null)) return { ok: false, reason: 'no_price' };
  const moved = sideOutsideBand(price, { around: draft.reference_price, fraction: draft.max_slippage });
  const isRefused = moved === adverseSide[draft.side] && !restsAt(price, draft);
  return isRefused ? { ok: false, reason: 'moved', price } : { ok: true, price };
}

type PricedOrder = Pick<OrderDraft, 'side' | 'reference_price' | 'max_slippage'> &
  Partial<Pick<OrderFacts, 'type' | 'limit_price' | 'stop_price'>>;

/** Returns whether an order waits at this price: its own limit is out of reach, or its stop is not reached. */
function restsAt(price: string, { side, type = 'market', limit_price, stop_price }: PricedOrder): boolean {
  if (limit_price != null && (side === 'buy' ? new Dec(limit_price).lt(price) : new Dec(limit_price).gt(price))) {
    return true;
  }
  return stop_price != null && findOrderType(type)?.matches?.(side, new Dec(price), stop_price) === false;
}

/** Returns whether a quote is older than the last session. Also true if the session is unknown. */
export function isQuoteStale(quotedAt: string, lastSession: string | null): boolean {
  return lastSession === null || newYorkDate(Date.parse(quotedAt)) < lastSession;
}

/*
 * Crypto and options need the broker's permission. An option may be sold only if the account has the shares or cash
 * that an exercise would take, and they are free. The broker makes the same checks, but those here run before approval
 * is requested, and include this gateway's open orders.
 */

/** Alpaca's options level for each intent: 1 for covered calls and cash-secured puts, 2 also for buying options. */
const levels: Readonly<Record<PositionIntent, number>> = {
  sell_to_open: 1,
  buy_to_open: 2,
  buy_to_close: 0,
  sell_to_close: 0,
};

function classObjections(order: OrderFacts, facts: DecisionFacts): Objection[] {
  const assetClass = symbolAssetClass(order.symbol);
  if (assetClass === 'us_equity') return [];
  const { broker, option } = facts;
  return collectObjections<Objection>(
    broker !== null &&
      broker.class_enabled !== true && {
        reason: 'ASSET_CLASS_NOT_ENABLED',
        text: `the broker does not let this account trade ${assetClassWords[assetClass]}`,
        hint: 'Ask the broker to enable it, or trade something else.',
      },
    assetClass === 'us_option' && optionObjections(order, facts, option ?? undefined),
  );
}

function optionObjections(order: OrderFacts, facts: DecisionFacts, option: OptionFacts | undefined): Objection[] {
  const { holdings } = facts;
  if (option === undefined || holdings === null) return [factUnavailableObjection('the account’s positions')];
  const { intent, level } = option;
  if (intent === null) {
    const text = 'the order does not say whether it opens or closes a position';
    return [{ reason: 'POSITION_INTENT_MISMATCH', text, hint: 'Set position_intent.' }];
  }
  const needed = levels[intent];
  return collectObjections<Objection>(
    !(level >= needed) && {
      reason: 'OPTIONS_LEVEL_TOO_LOW',
      text: `the broker allows this account options level ${level}, but this order needs level ${needed}`,
      hint: 'Ask the broker for a higher options level.',
      limit: String(level),
      value: String(needed),
    },
    byIntent[intent](order, facts, option),
  );
}

type Check = (order: OrderFacts, facts: DecisionFacts, option: OptionFacts) => Objection | undefined;

const byIntent: Readonly<Record<PositionIntent, Check>> = {
  buy_to_open: (order, facts) => opensOnly(order, facts, 'buy_to_close'),
  sell_to_open: (order, facts, option) => {
    const check = parseOptionSymbol(order.symbol)?.right === 'call' ? isCovered : isSecured;
    return opensOnly(order, facts, 'sell_to_close') ?? check(order, facts, option);
  },
  sell_to_close: (order, { holdings, counted }) => {
    const gone = new Dec(counted.open_symbol_sells).plus(holdings?.open_elsewhere.symbol_sells ?? 0);
    return isHeld(order, new Dec(holdings?.qty ?? 0).minus(gone));
  },
  buy_to_close: (order, { holdings, counted }) =>
    isHeld(order, new Dec(holdings?.qty ?? 0).neg().minus(counted.covering?.buys ?? 0)),
};

/** Objects to an opening order that would close an opposite position. @param instead the intent to suggest */
function opensOnly(
  { symbol, side }: OrderFacts,
  { holdings }: DecisionFacts,
  instead: PositionIntent,
): Objection | undefined {
  const held = new Dec(holdings?.qty ?? 0);
  if (side === 'buy' ? !held.isNegative() || held.isZero() : !held.gt(0)) return undefined;
  return {
    reason: 'POSITION_INTENT_MISMATCH',
    text: `the account is ${side === 'buy' ? 'short' : 'long'} ${formatShares(held.abs().toFixed())} ${symbol}, and this order would close them`,
    hint: `Use position_intent ${instead}.`,
  };
}

function isHeld({ symbol, shares: wanted }: OrderFacts, left: Dec): Objection | undefined {
  if (new Dec(wanted).lte(left)) return undefined;
  const most = Dec.max(left, 0).toFixed();
  return {
    reason: 'POSITION_NOT_HELD',
    text: `${formatShares(most)} ${symbol} can be closed, but the order is for ${formatShares(wanted)}`,
    hint: 'Close at most the open quantity.',
    limit: most,
    value: wanted,
  };
}

/** Requires that the account holds enough free shares to deliver if the call is assigned. */
function isCovered(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: DecisionFacts,
  { free_shares }: OptionFacts,
): Objection | undefined {
  if (free_shares === null) return factUnavailableObjection('which shares are free');
  const free = new Dec(free_shares).minus(counted.covering?.shares ?? 0);
  const needed = new Dec(contracts).times(contractMultiplier(symbol));
  if (needed.lte(free)) return undefined;
  const most = Dec.max(free, 0).toFixed();
  const underlying = parseOptionSymbol(symbol)?.underlying ?? symbol;
  return {
    reason: 'CALL_NOT_COVERED',
    text: `the call could require ${formatShares(needed.toFixed())} ${underlying}, but only ${formatShares(most)} are held and free`,
    hint: 'Sell calls only on shares that you hold: 100 for each contract.',
    limit: most,
    value: needed.toFixed(),
  };
}

/** Requires that the account has enough free cash to buy the shares if the put is assigned. */
function isSecured(
  { symbol, shares: contracts }: OrderFacts,
  { counted }: DecisionFacts,
  { free_cash }: OptionFacts,
): Objection | undefined {
  if (free_cash === null) return factUnavailableObjection('which cash is free');
  const free = Dec.max(new Dec(free_cash).minus(counted.covering?.cash ?? 0), 0).toFixed(2, Dec.ROUND_FLOOR);
  const needed = putCollateralDollars(symbol, contracts).toFixed(2, Dec.ROUND_UP);
  if (new Dec(needed).lte(free)) return undefined;
  return {
    reason: 'PUT_NOT_SECURED',
    text: `the put could require ${formatDollarAmount(needed)}, but only ${formatDollarAmount(free)} of cash is free`,
    hint: 'Sell only puts that your cash covers: 100 × the strike for each contract.',
    limit: free,
    value: needed,
  };
}
