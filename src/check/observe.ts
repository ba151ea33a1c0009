import type { Figures } from './figures.ts';
import type { Observation, ObservedRule, UncheckedRule } from './observation.ts';
import { observeOrdersAndClosures } from './observe-account.ts';
import { observePortfolio } from './observe-portfolio.ts';
import { observePrices } from './observe-prices.ts';
import type { Rule, RulesFile } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

type SkipReason = 'disabled' | 'market_closed' | 'market_open' | 'not_before_close' | 'over';

export interface Observations extends ObservedRule {
  /** Rules that this check did not evaluate, each with the reason. */
  readonly skipped: readonly { readonly rule: Rule; readonly reason: SkipReason }[];
}

export function observeRules(file: RulesFile, snapshot: Snapshot, figures: Figures): Observations {
  const observations: Observation[] = [];
  const blind: UncheckedRule[] = [];
  const skipped: { rule: Rule; reason: SkipReason }[] = [];
  for (const rule of file.rules) {
    const reason = skipReason(rule, snapshot);
    if (reason !== undefined) {
      skipped.push({ rule, reason });
      continue;
    }
    const seen = observeRule(rule, file, snapshot, figures);
    observations.push(...seen.observations);
    blind.push(...seen.blind);
  }
  return { observations, blind, skipped };
}

function observeRule(rule: Rule, file: RulesFile, snapshot: Snapshot, figures: Figures): ObservedRule {
  switch (rule.kind) {
    case 'price':
    case 'move':
    case 'order':
    case 'stale':
      return observePrices(rule, snapshot);
    case 'ruin':
    case 'drift':
    case 'concentration':
    case 'cash':
    case 'drawdown':
    case 'loss':
      return observePortfolio(rule, file, snapshot, figures);
    case 'open_order':
    case 'missing':
    case 'closure':
      return observeOrdersAndClosures(rule, snapshot);
  }
}

function skipReason(rule: Rule, { clock, now }: Snapshot): SkipReason | undefined {
  if (!rule.enabled) return 'disabled';
  if (rule.kind === 'order' && rule.before !== undefined && now >= rule.before) return 'over';
  // A price that does not change while the market is closed is not stale.
  if (rule.kind === 'stale' && !clock.is_open) return 'market_closed';
  if (rule.when === 'market_open' && !clock.is_open) return 'market_closed';
  if (rule.when === 'market_closed' && clock.is_open) return 'market_open';
  if (typeof rule.when === 'object') {
    if (!clock.is_open) return 'market_closed';
    if (Date.parse(clock.next_close) - now > rule.when.before_close) return 'not_before_close';
  }
  return undefined;
}
