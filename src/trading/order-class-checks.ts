import { assetClassOf } from './asset-class.ts';
import { Dec } from './decimal.ts';
import { type CheckedOrder, type OrderClass, orderClassWords } from './order-classes.ts';
import { orderProblem as problem } from './order-problem.ts';
import { worstPrice } from './price-band.ts';

const exitFields = ['take_profit_limit_price', 'stop_loss_stop_price', 'stop_loss_limit_price'] as const;

const classNeeds: Readonly<Record<OrderClass, string>> = {
  bracket: 'a bracket order needs',
  oco: 'an oco order needs',
  oto: 'order_class oto needs one of',
};

/**
 * One price for each exit of the class, each on its side of the entry, nothing sold short. @throws {TradeAgentError}
 * `invalid_order`
 */
export function checkOrderClass(order: CheckedOrder): void {
  const { order_class, take_profit_limit_price: profit, stop_loss_stop_price: stop, side } = order;
  if (order_class === undefined) {
    const stray = exitFields.find((field) => order[field] !== undefined);
    if (stray === undefined) return;
    throw problem(`an order without exits takes no ${stray}`, 'Say order_class: bracket, oto or oco.', stray);
  }
  const words = orderClassWords[order_class];
  const exits = [profit, stop].filter((price) => price !== undefined).length;
  if (exits !== words.exits) {
    throw problem(
      `${classNeeds[order_class]} take_profit_limit_price and stop_loss_stop_price`,
      exits > words.exits ? 'Use order_class bracket for both.' : 'Give the prices of its exits.',
      profit === undefined ? 'take_profit_limit_price' : 'stop_loss_stop_price',
    );
  }
  if (side !== words.side) {
    throw words.entry
      ? problem(
          'an entry with exits buys: sold, it would open a short position',
          'Use order_class oco for the exits of what you hold.',
          'side',
        )
      : problem(`an ${order_class} order sells what is held`, 'Use side sell.', 'side');
  }
  checkExitPrices(order);
}

/** All exits sell: the profit above the entry, the stop below it, and the stop's limit no higher than the stop. */
function checkExitPrices(order: CheckedOrder): void {
  const { limit_price, reference_price, order_class } = order;
  const { take_profit_limit_price: profit, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = order;
  if (limit !== undefined && stop === undefined) {
    throw problem(
      'there is a limit to a stop loss that has no stop',
      'Add stop_loss_stop_price.',
      'stop_loss_stop_price',
    );
  }
  if (limit !== undefined && stop !== undefined && new Dec(limit).gt(stop)) {
    throw problem(
      `a stop loss at ${stop} with the limit ${limit} would sell nothing once it is reached`,
      'Give the stop loss a limit no higher than its stop.',
      'stop_loss_limit_price',
    );
  }
  const bounds = [
    [limit_price, 'the limit'],
    [reference_price, 'the price now'],
    [profit, 'the take profit'],
  ];
  const [bound, name] = bounds.find(([price]) => price !== undefined) ?? [];
  if (stop !== undefined && bound !== undefined && new Dec(stop).gte(bound)) {
    throw problem(
      `the stop loss ${stop} is not below ${bound}, ${name}`,
      'Give a lower stop loss.',
      'stop_loss_stop_price',
    );
  }
  const entry = order_class === 'oco' ? reference_price : dearestEntry(order);
  if (profit !== undefined && entry !== undefined && new Dec(profit).lte(entry)) {
    throw problem(
      `the take profit ${profit} is not above ${entry}, ${order_class === 'oco' ? 'the price now' : 'which the shares may cost'}`,
      'Give a higher take profit.',
      'take_profit_limit_price',
    );
  }
}

/** A market order goes out as a limit order, and a broker counts from that one's limit. */
function dearestEntry({ limit_price, reference_price, max_slippage }: CheckedOrder): string | undefined {
  if (limit_price !== undefined || reference_price === undefined || max_slippage === undefined)
    return limit_price;
  return worstPrice('buy', reference_price, max_slippage);
}

export function checkPositionIntent({ symbol, side, position_intent, reference_price }: CheckedOrder): void {
  const isOption = assetClassOf(symbol) === 'us_option';
  if (position_intent === undefined) {
    if (!isOption || reference_price === undefined) return;
    throw problem(
      'an order for an option says what becomes of the position',
      `Give position_intent: ${side}_to_open or ${side}_to_close.`,
      'position_intent',
    );
  }
  if (!isOption) {
    throw problem(
      `an order for ${symbol} takes no position_intent`,
      'Leave it out: only an option has one.',
      'position_intent',
    );
  }
  if (position_intent.startsWith(`${side}_`)) return;
  throw problem(
    `an order to ${side} is not ${position_intent}`,
    `Give position_intent: ${side}_to_open or ${side}_to_close.`,
    'position_intent',
  );
}
