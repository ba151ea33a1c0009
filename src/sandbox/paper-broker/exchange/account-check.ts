import type { OrderRecord, PositionIntent, PositionRecord } from '../../../store/sandbox/records.ts';
import { contractMultiplier, parseOptionSymbol, symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import type { Market } from '../../market/market.ts';
import type { AccountSettings } from '../books/account-settings.ts';
import { notPermittedError, unprocessableError } from '../books/broker-error.ts';
import { isShortable } from '../books/tradable-asset.ts';
import { assetTerms } from './asset-terms.ts';
import { buyingPower, marginBuyingPower, openOrderQuantity, orderReservation, reservedShares } from './buying-power.ts';
import { accountMargin, marginMultiplier, maySellShort } from './margin.ts';
import { couldTradeWith } from './matching.ts';

export interface AccountState {
  readonly cash: string;
  readonly positions: readonly PositionRecord[];
  readonly open: readonly OrderRecord[];
  readonly settings: AccountSettings;
  readonly market: Market;
}

export const heldQuantity = (symbol: string, positions: readonly PositionRecord[]): Dec =>
  new Dec(positions.find((position) => position.symbol === symbol)?.qty ?? 0);

/** Infers the position intent according to Alpaca's rules. */
export function inferIntent(side: 'buy' | 'sell', held: Dec): PositionIntent {
  if (side === 'buy') return held.lt(0) ? 'buy_to_close' : 'buy_to_open';
  return held.gt(0) ? 'sell_to_close' : 'sell_to_open';
}

/**
 * Checks that an account can place one more order: the order is not a wash trade, the quantity is held, opening a
 * position is allowed, and there is enough buying power.
 * @throws {BrokerError} 403
 */
export function checkOrderAgainstAccount(order: OrderRecord, means: AccountState): void {
  if (means.settings.suspend_trade) throw notPermittedError('new orders are rejected by user request');
  const opposite = means.open.find(
    (resting) => resting.symbol === order.symbol && resting.status !== 'held' && couldTradeWith(resting, order),
  );
  if (opposite !== undefined) {
    throw notPermittedError('potential wash trade detected. use complex orders', {
      existing_order_id: opposite.id,
      reject_reason: `opposite side ${opposite.type === 'limit' ? 'limit' : 'market/stop'} order exists`,
    });
  }
  if (order.position_intent.endsWith('_to_close')) checkHeld(order, means);
  else if (symbolAssetClass(order.symbol) === 'us_option') checkOption(order, means);
  else if (order.side === 'sell') checkShort(order, means);
  else checkCost(order, means);
}

export function cashBuyingPower({ cash, positions, open, market }: Omit<AccountState, 'settings'>): Dec {
  const beyondMargin = marginBuyingPower(accountMargin(cash, positions, market), 1, open);
  return Dec.min(buyingPower(cash, open, positions), beyondMargin);
}

function checkCost(order: OrderRecord, means: AccountState): void {
  const { cash, positions, open, settings, market } = means;
  const cost = orderReservation(order);
  const assetClass = symbolAssetClass(order.symbol);
  const least = assetTerms[assetClass].leastCost;
  if (cost.lt(least)) throw notPermittedError(`cost basis must be >= minimal amount of order ${least}`);
  const margin = accountMargin(cash, positions, market);
  const multiplier = marginMultiplier(settings, margin);
  const lent = assetClass === 'us_equity' && multiplier > 1;
  const power = lent ? marginBuyingPower(margin, multiplier, open) : cashBuyingPower(means);
  if (cost.gt(power)) {
    throw notPermittedError('insufficient buying power', {
      buying_power: toPlain(power.toDecimalPlaces(2)),
      cost_basis: toPlain(cost.toDecimalPlaces(2)),
    });
  }
}

function checkHeld(order: OrderRecord, { cash, positions, open, market }: AccountState): void {
  const { symbol } = order;
  const quote = market.quote(symbol);
  const existing = heldQuantity(symbol, positions).abs();
  const held = reservedShares(open, symbol, quote?.last ?? '0', positions);
  const available = Dec.max(existing.minus(held), 0);
  const requested = openOrderQuantity(order, quote?.bid ?? '0');
  if (requested.gt(available)) {
    const coin = symbol.split('/')[0];
    const what = symbolAssetClass(symbol) === 'crypto' ? `balance for ${coin}` : 'qty available for order';
    throw notPermittedError(
      `insufficient ${what} (requested: ${toPlain(requested)}, available: ${toPlain(available)})`,
      {
        symbol,
        existing_qty: toPlain(existing),
        held_for_orders: toPlain(held),
        available: toPlain(available),
      },
    );
  }
  if (order.position_intent !== 'buy_to_close' || symbolAssetClass(symbol) !== 'us_option') return;
  const cost = requested.times(order.reserve_price ?? 0).times(contractMultiplier(symbol));
  if (cost.gt(cash)) throw insufficientOptionsBuyingPower(cost, new Dec(cash));
}

function checkShort(order: OrderRecord, means: AccountState): void {
  const { symbol } = order;
  if (symbolAssetClass(symbol) === 'crypto') {
    const coin = symbol.split('/')[0];
    throw notPermittedError(`insufficient balance for ${coin} (requested: ${order.qty}, available: 0)`);
  }
  if (!maySellShort(means.settings, accountMargin(means.cash, means.positions, means.market))) {
    throw notPermittedError('account is not allowed to short');
  }
  if (order.qty === null || !new Dec(order.qty).isInteger()) {
    throw unprocessableError('fractional orders cannot be sold short');
  }
  const asset = means.market.symbol(symbol);
  if (asset === undefined || !isShortable(asset)) throw unprocessableError(`asset "${symbol}" cannot be sold short`);
  checkCost(order, means);
}

/** Checks Alpaca's options levels: 1 allows selling covered options, 2 also buying options, 3 also spreads. */
function checkOption(order: OrderRecord, means: AccountState): void {
  const level = means.settings.max_options_trading_level;
  if (level === 0) throw notPermittedError('account not authorized to trade options');
  if (order.side === 'buy' && level < 2) {
    throw notPermittedError('account not eligible to trade long option contracts');
  }
  const contract = parseOptionSymbol(order.symbol);
  if (order.side === 'sell' && contract?.right === 'call') {
    const { underlying } = contract;
    const shares = heldQuantity(underlying, means.positions);
    const free = shares.minus(reservedShares(means.open, underlying, '0', means.positions));
    if (new Dec(order.qty ?? 0).times(100).gt(free)) {
      throw notPermittedError('account not eligible to trade uncovered option contracts');
    }
    return;
  }
  const cost = orderReservation(order);
  const free = cashBuyingPower(means);
  if (cost.gt(free)) throw insufficientOptionsBuyingPower(cost, free);
}

const insufficientOptionsBuyingPower = (required: Dec, available: Dec) =>
  notPermittedError(
    `insufficient options buying power (required: ${toPlain(required.toDecimalPlaces(2))}, available: ${toPlain(available.toDecimalPlaces(2))})`,
  );
