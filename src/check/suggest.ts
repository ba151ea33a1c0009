import { Dec } from '../trading/decimal.ts';
import { driftFrom } from '../trading/portfolio/allocation.ts';
import { type Rebalancing, rebalance, type Tradable } from '../trading/portfolio/rebalance.ts';
import type { Figures } from './figures.ts';
import { bandOf, targetsOf } from './observe-portfolio.ts';
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
    driftFrom(targets, figures.bySymbol, rule === undefined ? 'five-25' : bandOf(rule)),
    tradables([...targets.keys()], snapshot, options.awaited),
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

function tradables(
  symbols: readonly string[],
  { quotes, positions, openOrders }: Snapshot,
  awaited: ReadonlySet<string>,
): Map<string, Tradable> {
  const ordered = new Set(openOrders.map(({ symbol }) => symbol));
  const positionOf = new Map(positions.map((position) => [position.symbol, position]));
  return new Map(
    symbols.flatMap((symbol) => {
      const quote = quotes.get(symbol);
      if (quote === undefined) return [];
      const held = positionOf.get(symbol);
      const price = (side: string) => (new Dec(side).gt(0) ? new Dec(side) : new Dec(quote.last));
      return [
        [
          symbol,
          {
            symbol,
            bid: price(quote.bid),
            ask: price(quote.ask),
            qty: new Dec(held?.qty ?? 0),
            available: new Dec(held?.qty_available ?? 0),
            value: new Dec(held?.market_value ?? 0),
            // A short position is nothing this agent knows how to rebalance.
            busy: ordered.has(symbol) || awaited.has(symbol) || held?.side === 'short',
          },
        ] as const,
      ];
    }),
  );
}
