import { Dec, isPositive, ZERO } from '../trading/decimal.ts';
import { type Rebalancing, rebalance, type Tradable } from '../trading/portfolio/rebalance.ts';
import type { Figures } from './figures.ts';
import { bandOf, driftsOf, targetsOf } from './observe-portfolio.ts';
import type { RuleOf, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

/** Brokers take nine decimals of a share. */
const SMALLEST_FRACTION = '0.000000001';

export interface SuggestOptions {
  /** Symbols that wait for an approval already. */
  readonly awaited: ReadonlySet<string>;
  /** Instead of what the file says. */
  readonly buyOnly?: boolean;
}

/**
 * The orders that bring a drifted portfolio back to its targets, by the band of the file's first drift rule (5/25
 * without one). Undefined where the file has no targets. Pure.
 */
export function suggestOrders(
  file: RulesFile,
  snapshot: Snapshot,
  figures: Figures,
  options: SuggestOptions,
): Rebalancing | undefined {
  const targets = targetsOf(file);
  if (targets.size === 0 || figures.equity.lte(0)) return undefined;
  const rule = file.rules.find((one): one is RuleOf<'drift'> => one.kind === 'drift' && one.enabled);
  const { suggest } = file;
  const inCash = new Dec(file.targets?.cash ?? 0).mul(figures.equity);
  return rebalance(
    driftsOf(file, figures, rule === undefined ? 'five-25' : bandOf(rule)),
    tradables([...targets.keys()], snapshot, figures, options.awaited),
    { equity: figures.equity, cash: Dec.min(snapshot.account.cash, snapshot.account.buying_power) },
    {
      buyOnly: options.buyOnly ?? suggest.buy_only,
      minOrder: new Dec(suggest.min_order),
      lot: new Dec(suggest.fractional ? SMALLEST_FRACTION : 1),
      cashReserve: Dec.max(suggest.cash_reserve, inCash),
      orderType: suggest.order_type,
      slack: new Dec(suggest.slack),
    },
  );
}

/** One side of a quote may be empty. */
function priceOf(side: string, last: string): Dec {
  const price = new Dec(side);
  return isPositive(price) ? price : new Dec(last);
}

function tradables(
  symbols: readonly string[],
  { quotes, positions, openOrders }: Snapshot,
  { bySymbol }: Figures,
  awaited: ReadonlySet<string>,
): Map<string, Tradable> {
  const ordered = new Set(openOrders.map(({ symbol }) => symbol));
  const positionOf = new Map(positions.map((position) => [position.symbol, position]));
  const heldValue = new Map(bySymbol.map(({ name, value }) => [name, value]));
  return new Map(
    symbols.flatMap((symbol) => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return [];
      const held = positionOf.get(symbol);
      const bid = priceOf(quote.bid, quote.last);
      const qty = held === undefined ? ZERO : new Dec(held.qty);
      return [
        [
          symbol,
          {
            symbol,
            bid,
            ask: quote.ask === quote.bid ? bid : priceOf(quote.ask, quote.last),
            qty,
            available:
              held === undefined || held.qty_available === held.qty ? qty : new Dec(held.qty_available),
            value: heldValue.get(symbol) ?? ZERO,
            // A short position is nothing this agent knows how to rebalance.
            busy: ordered.has(symbol) || awaited.has(symbol) || held?.side === 'short',
          },
        ] as const,
      ];
    }),
  );
}
