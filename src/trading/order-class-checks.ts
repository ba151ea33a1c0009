import { symbolAssetClass } from './asset-class.ts';
import { Dec } from './decimal.ts';
import { type CheckedOrder, type OrderClass, orderClassWords } from './order-classes.ts';
import { invalidOrderError as problem } from './order-problem.ts';
import { worstPrice } from './price-band.ts';

const exitFields = ['take_profit_limit_price', 'stop_loss_stop_price', 'stop_loss_limit_price'] as const;

const missingPricePrefix: Readonly<Record<OrderClass, string>> = {
  bracket: 'a bracket order needs',
  oco: 'an oco order needs',
  oto: 'order_class oto needs one of',
};

/**
 * Checks that the order has the exits that its class requires, that each exit's price is on the correct side of the
 * entry's price, and that nothing is sold short.
 * @throws {TradeAgentError} `invalid_order`
 */
export function checkOrderClass(order: CheckedOrder): void {
  const { order_class, take_profit_limit_price: profit, stop_loss_stop_price: stop, side } = order;
  if (order_class === undefined) {
    const stray = exitFields.find((field) => order[field] !== undefined);
    if (stray === undefined) return;
    throw problem(`an order without exits can't have ${stray}`, 'Set order_class to bracket, oto or oco.', stray);
  }
  const words = orderClassWords[order_class];
  const exits = [profit, stop].filter((price) => price !== undefined).length;
  if (exits !== words.exits) {
    throw problem(
      `${missingPricePrefix[order_class]} take_profit_limit_price and stop_loss_stop_price`,
      exits > words.exits ? 'Use order_class bracket for both.' : 'Add the prices of the exits.',
      profit === undefined ? 'take_profit_limit_price' : 'stop_loss_stop_price',
    );
  }
  if (side !== words.side) {
    throw words.entry
      ? problem(
          'an entry with exits must be a buy: a sale would open a short position',
          'Use order_class oco for the exits of a position you hold.',
          'side',
        )
      : problem(`an ${order_class} order must sell a position you hold`, 'Use side sell.', 'side');
  }
  checkExitPrices(order);
}

/** Checks that the take profit is above the entry's price, the stop below, and the stop's limit not above the stop. */
function checkExitPrices(order: CheckedOrder): void {
  const { limit_price, reference_price, order_class } = order;
  const { take_profit_limit_price: profit, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = order;
  if (limit !== undefined && stop === undefined) {
    throw problem('the stop loss has a limit but no stop', 'Add stop_loss_stop_price.', 'stop_loss_stop_price');
  }
  if (limit !== undefined && stop !== undefined && new Dec(limit).gt(stop)) {
    throw problem(
      `a stop loss at ${stop} with a limit of ${limit} would sell nothing when it triggers`,
      'Set the limit of the stop loss at or below its stop.',
      'stop_loss_limit_price',
    );
  }
  const bounds = [
    [limit_price, 'the limit'],
    [reference_price, 'the current price'],
    [profit, 'the take profit'],
  ];
  const [bound, name] = bounds.find(([price]) => price !== undefined) ?? [];
  if (stop !== undefined && bound !== undefined && new Dec(stop).gte(bound)) {
    throw problem(
      `the stop loss ${stop} must be below ${name} (${bound})`,
      'Lower the stop loss.',
      'stop_loss_stop_price',
    );
  }
  const entry = order_class === 'oco' ? reference_price : highestEntryPrice(order);
  if (profit !== undefined && entry !== undefined && new Dec(profit).lte(entry)) {
    throw problem(
      `the take profit ${profit} must be above the ${order_class === 'oco' ? 'current' : 'highest entry'} price (${entry})`,
      'Raise the take profit.',
      'take_profit_limit_price',
    );
  }
}

/** Returns the highest price that the entry can fill at. A market order is sent as a limit order at this price. */
function highestEntryPrice({ limit_price, reference_price, max_slippage }: CheckedOrder): string | undefined {
  if (limit_price !== undefined || reference_price === undefined || max_slippage === undefined) return limit_price;
  return worstPrice('buy', reference_price, max_slippage);
}

export function checkPositionIntent({ symbol, side, position_intent, reference_price }: CheckedOrder): void {
  const isOption = symbolAssetClass(symbol) === 'us_option';
  if (position_intent === undefined) {
    if (!isOption || reference_price === undefined) return;
    throw problem(
      'an option order needs a position_intent',
      `Set position_intent to ${side}_to_open or ${side}_to_close.`,
      'position_intent',
    );
  }
  if (!isOption) {
    throw problem(
      `an order for ${symbol} can't have a position_intent`,
      'Remove position_intent: only option orders have one.',
      'position_intent',
    );
  }
  if (position_intent.startsWith(`${side}_`)) return;
  throw problem(
    `the position_intent ${position_intent} does not match the side ${side}`,
    `Set position_intent to ${side}_to_open or ${side}_to_close.`,
    'position_intent',
  );
}
