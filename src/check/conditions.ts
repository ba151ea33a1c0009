import type { PriceCondition } from '../store/schedule-rows.ts';
import type { RuleLimits } from './observation.ts';
import { createMoveLimits, createPriceLimits, directionAndLimit } from './observe-prices.ts';
import type { Rule, RulesFile } from './rules-schema.ts';

/** Returns the conditions of rules that depend only on the price or the daily change of named symbols. */
export function toPriceConditions({ rules }: RulesFile): PriceCondition[] {
  return rules.flatMap((rule) => (rule.enabled ? ruleConditions(rule) : []));
}

function ruleConditions(rule: Rule): PriceCondition[] {
  if (rule.kind === 'price' || rule.kind === 'order') {
    const [side] = directionAndLimit(rule);
    return [{ rule: rule.name, symbol: rule.symbol, side, ...limitTexts(createPriceLimits(rule), 1) }];
  }
  if (rule.kind !== 'move' || rule.sessions !== 1 || rule.symbols === 'held') return [];
  const limits = createMoveLimits(rule);
  return rule.symbols.flatMap((symbol) => [
    ...(rule.direction === 'down' ? [] : [{ rule: rule.name, symbol, side: 'up', ...limitTexts(limits, 1) } as const]),
    ...(rule.direction === 'up' ? [] : [{ rule: rule.name, symbol, side: 'down', ...limitTexts(limits, -1) } as const]),
  ]);
}

function limitTexts({ limit, clear }: RuleLimits, sign: 1 | -1): Pick<PriceCondition, 'limit' | 'back'> {
  return { limit: limit.mul(sign).toFixed(), back: clear.mul(sign).toFixed() };
}
