import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, isDecimalString, ZERO } from '../../../trading/decimal.ts';
import { type ListedContract, listedContractSchema } from '../../../trading/listed-contract.ts';
import {
  type Account,
  type Asset,
  accountSchema,
  assetSchema,
  clockSchema,
  type MarketClock,
  type Order,
  orderSchema,
  type Position,
  positionSchema,
} from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import type { PortfolioHistory } from '../broker.ts';
import { toPrintableBrokerValue as word } from '../json-amounts.ts';
import { cashFlowTypes } from './activity-types.ts';

/* Converts the SDK's models to our views. Throws if data is missing, because a gap must not look like a $0 account. */

/** Formats an amount with at most 12 decimals, because brokers send ratios with more decimals. */
export function toAmountText(text: string | null | undefined): string | undefined {
  return text == null || text === '' ? undefined : new Dec(text).toDecimalPlaces(12).toFixed();
}

/** Keeps a plain number as the broker wrote it (`"100000.00"`), so that amounts of money keep trailing zeros. */
function money(text: string | null | undefined): string | undefined {
  return text != null && /^-?(0|[1-9]\d*)(\.\d{1,12})?$/.test(text) ? text : toAmountText(text);
}

const moneyOrNull = (text: string | null | undefined) => money(text) ?? null;

/** Restores the slash that Alpaca omits in crypto positions. Tries four-letter quote currencies first (`BTCUSDT`). */
function heldSymbol({ symbol, assetClass }: Pick<trading.Position, 'symbol' | 'assetClass'>): string {
  if (assetClass !== 'crypto') return symbol;
  const pairs = [4, 3].map((letters) => `${symbol.slice(0, -letters)}/${symbol.slice(-letters)}`);
  return pairs.find((pair) => symbolAssetClass(pair) === 'crypto') ?? symbol;
}

/** Formats a time. Accepts strings, because the SDK returns strings in lists of bars although its types say Date. */
export function toIsoTime(date: Date | string | null | undefined): string | null {
  return date === null || date === undefined ? null : new Date(date).toISOString();
}

export function toAsset(asset: trading.Assets): Asset {
  return assetSchema.parse({
    symbol: asset.symbol,
    name: asset.name,
    exchange: asset.exchange ?? '',
    tradable: asset.tradable === true && asset.status === 'active',
    fractionable: asset.fractionable === true,
    shortable: asset.shortable === true,
    // Left out if it is unreadable, because one coin must not make the whole list unreadable.
    min_order_size: isDecimalString(asset.minOrderSize ?? '') ? asset.minOrderSize : undefined,
  });
}

export function toContractAsset(contract: trading.OptionContract): Asset {
  return assetSchema.parse({
    symbol: contract.symbol,
    name: contract.name,
    exchange: '',
    tradable: contract.tradable === true && contract.status === 'active',
    fractionable: false,
    shortable: false,
  });
}

export function toListedContract(contract: trading.OptionContract): ListedContract {
  return listedContractSchema.parse({
    symbol: contract.symbol,
    underlying: contract.underlyingSymbol,
    expiry: contract.expirationDate.toISOString().slice(0, 10),
    right: contract.type,
    strike: toAmountText(contract.strikePrice),
    style: contract.style,
    multiplier: toAmountText(contract.multiplier),
    tradable: contract.tradable === true && contract.status === 'active',
    open_interest: toAmountText(contract.openInterest) ?? null,
    close_price: toAmountText(contract.closePrice) ?? null,
  });
}

export function toAccount(
  account: trading.Account,
  broker: { environment: 'paper' | 'live'; simulated: boolean },
): Account {
  return accountSchema.parse({
    account: account.accountNumber,
    environment: broker.environment,
    status: account.status,
    currency: account.currency ?? 'USD',
    cash: money(account.cash),
    equity: money(account.equity),
    last_equity: money(account.lastEquity),
    ...defined({ last_equity_on: account.balanceAsof }),
    buying_power: money(account.buyingPower),
    long_market_value: money(account.longMarketValue),
    // Each of these four conditions blocks orders. If `tradingBlocked` is missing, trading counts as blocked.
    trading_blocked:
      account.status !== 'ACTIVE' ||
      account.tradingBlocked !== false ||
      account.accountBlocked === true ||
      account.tradeSuspendedByUser === true,
    ...defined({ options_level: account.optionsTradingLevel }),
    ...(account.optionsBuyingPower === undefined ? {} : { options_buying_power: money(account.optionsBuyingPower) }),
    ...(account.cryptoStatus === undefined ? {} : { crypto_active: account.cryptoStatus === 'ACTIVE' }),
    simulated: broker.simulated,
  });
}

export function toPosition(position: trading.Position): Position {
  return positionSchema.parse({
    symbol: heldSymbol(position),
    side: position.side,
    qty: toAmountText(position.qty),
    qty_available: toAmountText(position.qtyAvailable ?? position.qty),
    avg_entry_price: money(position.avgEntryPrice),
    current_price: money(position.currentPrice),
    lastday_price: money(position.lastdayPrice),
    market_value: money(position.marketValue),
    cost_basis: money(position.costBasis),
    unrealized_pl: money(position.unrealizedPl),
    unrealized_plpc: toAmountText(position.unrealizedPlpc),
    change_today: toAmountText(position.changeToday),
  });
}

/** Converts an order. Keeps values that we don't recognize. An order without a symbol gets the symbols of its legs. */
export function toOrder(order: trading.Order): Order {
  const legs = order.legs ?? [];
  const symbol = order.symbol ?? '';
  return orderSchema.parse({
    ...orderPart(order),
    symbol: symbol === '' ? legs.map((leg) => leg.symbol).join(' + ') : symbol,
    ...(legs.length === 0 ? {} : { legs: legs.map(orderPart) }),
  });
}

function orderPart(order: trading.Order | trading.OrderLeg): Record<string, unknown> {
  const { orderClass = '', assetClass, positionIntent } = order;
  return {
    id: order.id,
    client_order_id: order.clientOrderId,
    symbol: order.symbol,
    side: word(order.side ?? ''),
    type: word(order.type),
    time_in_force: word(order.timeInForce),
    qty: toAmountText(order.qty) ?? null,
    notional: moneyOrNull(order.notional),
    limit_price: moneyOrNull(order.limitPrice),
    stop_price: moneyOrNull(order.stopPrice),
    trail_price: moneyOrNull(order.trailPrice),
    trail_percent: toAmountText(order.trailPercent) ?? null,
    extended_hours: order.extendedHours ?? false,
    status: word(order.status),
    filled_qty: toAmountText(order.filledQty ?? '0'),
    filled_avg_price: moneyOrNull(order.filledAvgPrice),
    submitted_at: toIsoTime(order.submittedAt ?? order.createdAt),
    filled_at: toIsoTime(order.filledAt),
    ...(['', 'simple'].includes(orderClass) ? {} : { order_class: word(orderClass) }),
    ...defined({ asset_class: word(assetClass) }),
    // Alpaca also sends the position intent for shares, but there the side implies the intent.
    ...(assetClass === 'us_option' ? defined({ position_intent: word(positionIntent) }) : {}),
  };
}

export function toMarketClock(clock: trading.LegacyClock): MarketClock {
  return clockSchema.parse({
    timestamp: toIsoTime(clock.timestamp),
    is_open: clock.isOpen,
    next_open: toIsoTime(clock.nextOpen),
    next_close: toIsoTime(clock.nextClose),
  });
}

/** Converts a history. Leaves out times without equity, and adds their cash flow to the next point. */
export function toPortfolioHistory(history: trading.PortfolioHistory): PortfolioHistory {
  const cents = (value: number) => new Dec(String(value)).toFixed(2);
  const flows = flowsByWindow(history);
  const points: PortfolioHistory['points'][number][] = [];
  let flow = ZERO;
  for (const [index, seconds] of history.timestamp.entries()) {
    flow = flow.plus(flows?.[index] ?? ZERO);
    const equity: number | null | undefined = history.equity[index];
    if (equity == null) continue;
    points.push({
      at: new Date(seconds * 1000).toISOString(),
      equity: cents(equity),
      profit_loss: cents(history.profitLoss[index] ?? 0),
      profit_loss_pct: new Dec(String(history.profitLossPct[index] ?? 0)).toDecimalPlaces(12).toFixed(),
      ...(flows === undefined ? {} : { flow: flow.toFixed(2) }),
    });
    flow = ZERO;
  }
  return { timeframe: history.timeframe, base_value: cents(history.baseValue ?? 0), points };
}

/** Returns, for each time, the total cash flow since the previous time; undefined if the broker reports no flows. */
function flowsByWindow({ cashflow, timestamp }: trading.PortfolioHistory): Dec[] | undefined {
  if (cashflow == null) return undefined;
  const rows = Object.entries(cashflow).filter(([type]) => cashFlowTypes.includes(type));
  return timestamp.map((_, index) =>
    rows.reduce((sum, [, row]) => sum.plus(String((row as (number | null)[])[index] ?? 0)), ZERO),
  );
}
