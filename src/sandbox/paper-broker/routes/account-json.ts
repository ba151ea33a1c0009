import type { HistoryGaps } from '../../../store/sandbox/broker-tables.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { AccountRecord, PositionRecord } from '../../../store/sandbox/records.ts';
import { assetClassOf, unitsOf } from '../../../trading/asset-class.ts';
import { cents, Dec, plain } from '../../../trading/decimal.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { joined } from '../../instruments/crypto-pairs.ts';
import type { Market } from '../../market/market.ts';
import type { AccountSettingsStore } from '../books/account-settings.ts';
import { assetId } from '../books/tradable-asset.ts';
import { equity, holdingsAt, ratio } from '../books/valuation.ts';
import { unleveraged } from '../exchange/account-check.ts';
import { heldShares, marginBuyingPower } from '../exchange/buying-power.ts';
import { marginOf, marketValue, mayShort, multiplierOf } from '../exchange/margin.ts';

export interface Books {
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  historyGaps: HistoryGaps;
  settings: AccountSettingsStore;
}

/** Options to level 3 are approved for everyone; owners may set less. */
const OPTIONS_APPROVED = 3;

export function accountJson(account: AccountRecord, books: Books, now: number) {
  const { ledger, orders, market } = books;
  const settings = books.settings.of(account.id);
  const positions = ledger.positions(account.id);
  const open = orders.openOf(account.id);
  const margin = marginOf(account.cash, positions, market);
  const multiplier = multiplierOf(settings, margin);
  const free = cents(unleveraged({ cash: account.cash, positions, open, market }));
  const power = multiplier === 1 ? free : cents(marginBuyingPower(margin, multiplier, open));
  const closing = market.previousClosing(now);
  const [before] = holdingsAt(ledger, account.id, [closing]);
  const worth = cents(margin.equity);
  const lent = (amount: Dec) => (multiplier === 1 ? '0' : cents(amount));
  return {
    id: account.id,
    account_number: account.number,
    status: 'ACTIVE',
    crypto_status: 'ACTIVE',
    currency: 'USD',
    cash: cents(account.cash),
    portfolio_value: worth,
    equity: worth,
    last_equity: before === undefined ? worth : cents(equity(before, market, closing)),
    // A market that is always open closes as the next day begins.
    balance_asof: newYorkDate(closing - 1),
    buying_power: power,
    regt_buying_power: power,
    non_marginable_buying_power: free,
    options_buying_power: free,
    options_approved_level: OPTIONS_APPROVED,
    options_trading_level: Math.min(OPTIONS_APPROVED, settings.max_options_trading_level),
    multiplier: String(multiplier),
    long_market_value: cents(margin.long),
    short_market_value: margin.short.isZero() ? '0' : cents(margin.short),
    initial_margin: lent(margin.initial),
    maintenance_margin: lent(margin.maintenance),
    last_maintenance_margin: lent(margin.maintenance),
    sma: '0',
    accrued_fees: '0',
    pending_transfer_in: '0',
    trading_blocked: false,
    transfers_blocked: false,
    account_blocked: false,
    trade_suspended_by_user: settings.suspend_trade,
    shorting_enabled: mayShort(settings, margin),
    created_at: new Date(account.created_at).toISOString(),
  };
}

export function positionJson(position: PositionRecord, { ledger, orders, market }: Books, now: number) {
  const { account_id, symbol } = position;
  const assetClass = assetClassOf(symbol);
  const units = unitsOf(symbol);
  const qty = new Dec(position.qty);
  const last = market.quote(symbol)?.last ?? '0';
  const lastday = market.previousClose(symbol) ?? last;
  const value = marketValue(market, symbol, position.qty);
  const cost = new Dec(cents(position.cost));
  const average = new Dec(position.cost).div(qty).div(units);

  // Shares held at the last close count from that price, others from their cost.
  const closing = market.previousClosing(now);
  const [before] = holdingsAt(ledger, account_id, [closing]);
  const then = (before?.shares.get(symbol) ?? new Dec(0)).div(market.splitFactor(symbol, closing, now));
  const carried = qty.isPositive() ? Dec.max(0, Dec.min(then, qty)) : Dec.min(0, Dec.max(then, qty));
  const dayBasis = carried.times(lastday).plus(qty.minus(carried).times(average)).times(units);
  const dayGain = value.minus(dayBasis).toDecimalPlaces(2);
  const gain = value.minus(cost);
  const held = heldShares(orders.openOf(account_id), symbol, last, ledger.positions(account_id));
  return {
    asset_id: assetId(symbol),
    symbol: joined(symbol),
    exchange: assetClass === 'us_equity' ? (market.symbol(symbol)?.exchange ?? '') : '',
    asset_class: assetClass,
    asset_marginable: assetClass === 'us_equity',
    qty: position.qty,
    qty_available: plain(qty.isNegative() ? qty.plus(held) : qty.minus(held)),
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
