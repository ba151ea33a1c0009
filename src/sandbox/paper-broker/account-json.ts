import { cents, Dec, plain } from '../../trading/decimal.ts';
import type { Market } from '../market/market.ts';
import { buyingPower, heldShares } from './buying-power.ts';
import type { Ledger } from './ledger.ts';
import type { OrderBook } from './order-book.ts';
import type { AccountRecord, PositionRecord } from './records.ts';
import { assetId } from './tradable-asset.ts';
import { equity, holdingsAt, ratio } from './valuation.ts';

export interface Books {
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
}

/** The Account schema of Alpaca's Trading API, of a cash account; the pattern-day-trader fields left it in July 2026. */
export function accountJson(account: AccountRecord, { ledger, orders, market }: Books, now: number) {
  const values = ledger.positions(account.id).map(({ symbol, qty }) => marketValue(market, symbol, qty));
  const [long, short] = [values.filter((value) => value.gte(0)), values.filter((value) => value.lt(0))].map(
    (some) => some.reduce((sum, value) => sum.plus(value), new Dec(0)),
  ) as [Dec, Dec];
  const power = cents(buyingPower(account.cash, orders.openOf(account.id)));
  const closing = market.previousClosing(now);
  const [before] = holdingsAt(ledger, account.id, [closing]);
  const worth = cents(long.plus(short).plus(account.cash));
  return {
    id: account.id,
    account_number: account.number,
    status: 'ACTIVE',
    currency: 'USD',
    cash: cents(account.cash),
    portfolio_value: worth,
    equity: worth,
    last_equity: before === undefined ? worth : cents(equity(before, market, closing)),
    balance_asof: new Date(closing).toISOString().slice(0, 10),
    buying_power: power,
    regt_buying_power: power,
    non_marginable_buying_power: power,
    options_buying_power: '0',
    multiplier: '1',
    long_market_value: cents(long),
    short_market_value: short.isZero() ? '0' : cents(short),
    initial_margin: '0',
    maintenance_margin: '0',
    last_maintenance_margin: '0',
    sma: '0',
    accrued_fees: '0',
    pending_transfer_in: '0',
    trading_blocked: false,
    transfers_blocked: false,
    account_blocked: false,
    trade_suspended_by_user: false,
    shorting_enabled: false,
    created_at: new Date(account.created_at).toISOString(),
  };
}

/** The Position schema of Alpaca's Trading API. */
export function positionJson(position: PositionRecord, { ledger, orders, market }: Books, now: number) {
  const { account_id, symbol } = position;
  const qty = new Dec(position.qty);
  const last = market.quote(symbol)?.last ?? '0';
  const lastday = market.previousClose(symbol) ?? last;
  const value = marketValue(market, symbol, position.qty);
  const cost = new Dec(cents(position.cost));
  const average = new Dec(position.cost).div(qty);

  // Shares that were there at the last close count from that price, the rest from what they cost.
  const [before] = holdingsAt(ledger, account_id, [market.previousClosing(now)]);
  const then = before?.shares.get(symbol) ?? new Dec(0);
  const carried = qty.isPositive() ? Dec.max(0, Dec.min(then, qty)) : Dec.min(0, Dec.max(then, qty));
  const dayBasis = carried.times(lastday).plus(qty.minus(carried).times(average));
  const dayGain = value.minus(dayBasis).toDecimalPlaces(2);
  const gain = value.minus(cost);
  return {
    asset_id: assetId(symbol),
    symbol,
    exchange: market.symbol(symbol)?.exchange ?? '',
    asset_class: 'us_equity',
    asset_marginable: false,
    qty: position.qty,
    qty_available: plain(
      qty.isNegative() ? qty : qty.minus(heldShares(orders.openOf(account_id), symbol, last)),
    ),
    avg_entry_price: plain(average.toDecimalPlaces(6)),
    side: qty.isNegative() ? 'short' : 'long',
    market_value: cents(value),
    cost_basis: cents(cost),
    unrealized_pl: cents(gain),
    unrealized_plpc: ratio(gain, cost.abs()),
    unrealized_intraday_pl: cents(dayGain),
    unrealized_intraday_plpc: ratio(dayGain, dayBasis.abs()),
    current_price: last,
    lastday_price: lastday,
    change_today: ratio(new Dec(last).minus(lastday), new Dec(lastday)),
  };
}

function marketValue(market: Market, symbol: string, qty: string): Dec {
  return new Dec(cents(new Dec(qty).times(market.quote(symbol)?.last ?? 0)));
}
