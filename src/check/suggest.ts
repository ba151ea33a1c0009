import { Dec } from '../trading/decimal.ts';
import type { Band } from '../trading/portfolio/allocation.ts';
import { type RebalanceOptions, type Rebalancing, rebalance } from '../trading/portfolio/rebalance.ts';
import { SMALLEST_FRACTION, tradables } from '../trading/portfolio/tradables.ts';
import type { Figures } from './figures.ts';
import { bandOf, driftsOf, targetsOf } from './observe-portfolio.ts';
import type { RuleOf, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

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
  const { openOrders } = snapshot;
  // A symbol with an open order is left alone; without knowing which those are, all are.
  if (targets.size === 0 || figures.equity.lte(0) || openOrders === undefined) return undefined;
  const own = rebalanceOptions(file);
  const inCash = new Dec(file.targets?.cash ?? 0).mul(figures.equity);
  return rebalance(
    driftsOf(file, figures, driftBand(file)),
    tradables([...targets.keys()], { ...snapshot, openOrders }, figures.bySymbol, options.awaited),
    { equity: figures.equity, cash: Dec.min(snapshot.account.cash, snapshot.account.buying_power) },
    {
      ...own,
      buyOnly: options.buyOnly ?? own.buyOnly,
      cashReserve: Dec.max(own.cashReserve, inCash),
    },
  );
}

/** How far a weight may be from a file's target before it is traded. */
export function driftBand({ rules }: RulesFile): Band {
  const rule = rules.find((one): one is RuleOf<'drift'> => one.kind === 'drift' && one.enabled);
  return rule === undefined ? 'five-25' : bandOf(rule);
}

/** What a file says of how to trade; the part that is to stay in cash by its targets is not in it. */
export function rebalanceOptions({ suggest }: RulesFile): RebalanceOptions {
  return {
    buyOnly: suggest.buy_only,
    minOrder: new Dec(suggest.min_order),
    lot: new Dec(suggest.fractional ? SMALLEST_FRACTION : 1),
    cashReserve: new Dec(suggest.cash_reserve),
    orderType: suggest.order_type,
    slack: new Dec(suggest.slack),
  };
}
