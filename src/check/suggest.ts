import { Dec } from '../trading/decimal.ts';
import type { DriftBand } from '../trading/portfolio/allocation.ts';
import { planRebalancing, type RebalanceOptions, type RebalancingPlan } from '../trading/portfolio/rebalance.ts';
import { MIN_SHARE_FRACTION, tradablesBySymbol } from '../trading/portfolio/tradables.ts';
import type { Figures } from './figures.ts';
import { cachedDrifts, targetWeights, toDriftBand } from './observe-portfolio.ts';
import type { RuleOf, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

export interface SuggestOptions {
  readonly awaited: ReadonlySet<string>;
  readonly buyOnly?: boolean;
}

/**
 * Suggests orders that bring the portfolio back to its targets. Whether a position has drifted too far is decided by
 * the first drift rule, or by the 5/25 rule if the file has none.
 */
export function suggestOrders(
  file: RulesFile,
  snapshot: Snapshot,
  figures: Figures,
  options: SuggestOptions,
): RebalancingPlan | undefined {
  const targets = targetWeights(file);
  const { openOrders } = snapshot;
  // Suggests no order for a symbol with an open order, and no orders if the open orders are unknown.
  if (targets.size === 0 || figures.equity.lte(0) || openOrders === undefined) return undefined;
  const own = rebalanceOptions(file);
  const inCash = new Dec(file.targets?.cash ?? 0).mul(figures.equity);
  return planRebalancing(
    cachedDrifts(file, figures, driftBand(file)),
    tradablesBySymbol([...targets.keys()], { ...snapshot, openOrders }, figures.bySymbol, options.awaited),
    { equity: figures.equity, cash: Dec.min(snapshot.account.cash, snapshot.account.buying_power) },
    {
      ...own,
      buyOnly: options.buyOnly ?? own.buyOnly,
      cashReserve: Dec.max(own.cashReserve, inCash),
    },
  );
}

export function driftBand({ rules }: RulesFile): DriftBand {
  const rule = rules.find((one): one is RuleOf<'drift'> => one.kind === 'drift' && one.enabled);
  return rule === undefined ? 'five-25' : toDriftBand(rule);
}

export function rebalanceOptions({ suggest }: RulesFile): RebalanceOptions {
  return {
    buyOnly: suggest.buy_only,
    minOrder: new Dec(suggest.min_order),
    lot: new Dec(suggest.fractional ? MIN_SHARE_FRACTION : 1),
    cashReserve: new Dec(suggest.cash_reserve),
    orderType: suggest.order_type,
    slack: new Dec(suggest.slack),
  };
}
