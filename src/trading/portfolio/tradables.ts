import { symbolAssetClass } from '../asset-class.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import type { Order, Position, Quote } from '../views.ts';
import type { PortfolioWeight } from './allocation.ts';
import type { TradableSymbol } from './rebalance.ts';

/** The smallest fraction of a share: brokers accept up to nine decimals. */
export const MIN_SHARE_FRACTION = '0.000000001';

/**
 * Returns the input of `planRebalancing` for each symbol that has a quote.
 * @param bySymbol the weights from which the drift was computed
 * @param awaited symbols with a pending approval
 */
export function tradablesBySymbol(
  symbols: readonly string[],
  facts: {
    readonly quotes: ReadonlyMap<string, Quote>;
    readonly positions: readonly Position[];
    readonly openOrders: readonly Pick<Order, 'symbol' | 'legs'>[];
  },
  bySymbol: readonly PortfolioWeight[],
  awaited: ReadonlySet<string>,
): Map<string, TradableSymbol> {
  const { quotes, positions, openOrders } = facts;
  const ordered = new Set(openOrders.flatMap(({ symbol, legs = [] }) => [symbol, ...legs.map((leg) => leg.symbol)]));
  const positionOf = new Map(positions.map((position) => [position.symbol, position]));
  const heldValue = new Map(bySymbol.map(({ name, value }) => [name, value]));
  return new Map(
    symbols.flatMap((symbol) => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return [];
      const held = positionOf.get(symbol);
      const bid = sidePrice(quote.bid, quote.last);
      const qty = held === undefined ? ZERO : new Dec(held.qty);
      return [
        [
          symbol,
          {
            symbol,
            bid,
            ask: quote.ask === quote.bid ? bid : sidePrice(quote.ask, quote.last),
            qty,
            available: held === undefined || held.qty_available === held.qty ? qty : new Dec(held.qty_available),
            value: heldValue.get(symbol) ?? ZERO,
            // Rebalancing supports neither short positions nor options.
            busy:
              ordered.has(symbol) ||
              awaited.has(symbol) ||
              held?.side === 'short' ||
              symbolAssetClass(symbol) === 'us_option',
          },
        ] as const,
      ];
    }),
  );
}

function sidePrice(side: string, last: string): Dec {
  const price = new Dec(side);
  return isPositive(price) ? price : new Dec(last);
}
