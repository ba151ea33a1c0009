import { compare, Dec } from '../trading/decimal.ts';
import type { Rule } from './rules-schema.ts';

interface FindingText {
  readonly facts: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Observation {
  readonly rule: Rule;
  /** A symbol, sector, date or order ID; empty for the account. */
  readonly subject: string;
  /** A limit that is set outside the rule, such as a target. If the limit changes, the rule may fire again. */
  readonly limitedBy?: string;
  /**
   * `triggered`: beyond the limit; `clear`: far enough from the limit to re-arm the rule; `between`: neither, so that a
   * value that moves around the limit makes the rule fire only once.
   */
  readonly state: 'triggered' | 'clear' | 'between';
  readonly say: () => FindingText;
}

/** A rule that could not be checked. It is always reported, so that a failed check does not look like a good result. */
export interface UncheckedRule {
  readonly rule: Rule;
  readonly subject: string;
  readonly code: 'unknown_symbol' | 'price_unavailable' | 'history_unavailable' | 'orders_unavailable' | 'no_value';
  readonly text: string;
}

export interface ObservedRule {
  readonly observations: readonly Observation[];
  readonly blind: readonly UncheckedRule[];
}

export interface RuleLimits {
  readonly direction: 'above' | 'below';
  readonly limit: Dec;
  /** Value at which the rule re-arms. */
  readonly clear: Dec;
}

export function createRuleLimits(limit: Dec, direction: RuleLimits['direction'], back: Dec): RuleLimits {
  return { direction, limit, clear: direction === 'above' ? limit.minus(back) : limit.plus(back) };
}

/** Compares a value with limits. A value at the limit is not beyond it. */
export function compareWithLimits(value: Dec, { direction, limit, clear }: RuleLimits): Observation['state'] {
  const sign = direction === 'above' ? 1 : -1;
  if (compare(value, limit) * sign > 0) return 'triggered';
  return compare(value, clear) * sign <= 0 ? 'clear' : 'between';
}

/**
 * Like {@link compareWithLimits} for `part / whole`, but multiplies instead of dividing, which is exact and faster.
 * `whole` must be positive.
 */
export function compareQuotientWithLimits(
  part: Dec,
  whole: Dec,
  { direction, limit, clear }: RuleLimits,
): Observation['state'] {
  const bound = clear.mul(whole);
  // Most values are far from the limit, so usually this one comparison is enough.
  if (compare(part, bound) * (direction === 'above' ? 1 : -1) <= 0) return 'clear';
  return compareWithLimits(part, { direction, limit: limit.mul(whole), clear: bound });
}

export function triggeredOrClear(triggered: boolean): Observation['state'] {
  return triggered ? 'triggered' : 'clear';
}

/** Returns how far a value must move back from its limit to re-arm the rule (default: a tenth of the limit). */
export function pointsRearmDistance(limit: Dec | string, rearm: string | undefined): Dec {
  return rearm === undefined ? new Dec(limit).abs().div(10) : new Dec(rearm);
}

/** Returns how far a price must move back from its limit to re-arm the rule (default: 1% of the limit). */
export function priceRearmDistance(limit: Dec | string, rearm: string | undefined): Dec {
  return new Dec(limit).mul(rearm ?? '0.01');
}

export function createFractionLimits(
  limit: string,
  rearm: string | undefined,
  direction: RuleLimits['direction'] = 'above',
): RuleLimits {
  return createRuleLimits(new Dec(limit), direction, pointsRearmDistance(limit, rearm));
}

export function createAccountObservation(
  rule: Rule,
  state: Observation['state'],
  text: string,
  facts: FindingText['facts'],
): Observation {
  return { rule, subject: '', state, say: () => ({ facts, text }) };
}

export function toUncheckedRule(rule: Rule, code: UncheckedRule['code'], text: string): ObservedRule {
  return { observations: [], blind: [{ rule, subject: '', code, text }] };
}

/** Formats an age, rounded down: `14 minutes`, `3 days`. */
export function formatAge(ms: number): string {
  const [count, unit] =
    ms < 3_600_000
      ? [Math.max(0, Math.floor(ms / 60_000)), 'minute']
      : ms < 2 * 86_400_000
        ? [Math.floor(ms / 3_600_000), 'hour']
        : [Math.floor(ms / 86_400_000), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
