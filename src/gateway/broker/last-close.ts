import { Dec, ZERO } from '../../trading/decimal.ts';

/** What is held of a symbol now, what it stands at, and what it stood at when the market last closed. Short is below zero. */
export interface HeldNow {
  readonly symbol: string;
  readonly qty: string;
  readonly price: string;
  readonly closedAt: string;
}

/** What was traded of a symbol since: sold is below zero. */
export interface TradedSince {
  readonly symbol: string;
  readonly qty: string;
  readonly price: string;
}

/**
 * What an account was worth at the last close, where the broker doesn't tell: equity now less what the day has made, which
 * is what positions gained since that close, and what was traded since against what it traded at. Money that came or went
 * today is in neither, so that no deposit hides a loss.
 * @param closes of what was sold altogether today, by symbol
 */
export function equityAtLastClose(
  equity: string,
  held: readonly HeldNow[],
  traded: readonly TradedSince[],
  closes: ReadonlyMap<string, string>,
): Dec {
  let made = ZERO;
  for (const { qty, price, closedAt } of held) made = made.plus(new Dec(price).minus(closedAt).times(qty));
  for (const { symbol, qty, price } of traded) {
    const closedAt = held.find((one) => one.symbol === symbol)?.closedAt ?? closes.get(symbol) ?? price;
    made = made.plus(new Dec(closedAt).minus(price).times(qty));
  }
  return new Dec(equity).minus(made);
}
