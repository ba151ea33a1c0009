import { compare, Dec } from '../trading/decimal.ts';
import type { Rule } from './rules-schema.ts';

/** What there is to say about a subject. */
interface Said {
  /** For templates and scripts; amounts as decimal strings. */
  readonly facts: Readonly<Record<string, string>>;
  /** The usual words for it. */
  readonly text: string;
}

/** What a rule sees of one subject. */
export interface Observation {
  readonly rule: Rule;
  /** What it is about: a symbol, a sector, a date, an order's id; empty for the account. */
  readonly subject: string;
  /** What beside the rule's own words its limit comes from, a target: where that is changed, it fires anew. */
  readonly limitedBy?: string;
  /**
   * `triggered`: beyond the limit. `clear`: far enough back that it may fire again. `between`: neither, so that a value
   * that trembles at its limit fires once.
   */
  readonly state: 'triggered' | 'clear' | 'between';
  /** Called for what is told alone: of thousands of subjects most have nothing to say. */
  readonly say: () => Said;
}

/** Where a rule could not look: no price, no such symbol, no value that anything could be a part of. Never silent: a check that saw nothing must not read as "all well". */
export interface Blind {
  readonly rule: Rule;
  readonly subject: string;
  readonly code:
    | 'unknown_symbol'
    | 'price_unavailable'
    | 'history_unavailable'
    | 'orders_unavailable'
    | 'no_value';
  readonly text: string;
}

export interface Observed {
  readonly observations: readonly Observation[];
  readonly blind: readonly Blind[];
}

/** The two values between which a rule neither fires nor is armed again: one for all the subjects it looks at. */
export interface Limits {
  readonly direction: 'above' | 'below';
  readonly limit: Dec;
  /** Where the rule is armed again. */
  readonly clear: Dec;
}

/** @param back how far on the near side of the limit a value must be to be `clear` */
export function limits(limit: Dec, direction: Limits['direction'], back: Dec): Limits {
  return { direction, limit, clear: direction === 'above' ? limit.minus(back) : limit.plus(back) };
}

/** Where a value stands to its limits; right at the limit is not beyond it. */
export function level(value: Dec, { direction, limit, clear }: Limits): Observation['state'] {
  const sign = direction === 'above' ? 1 : -1;
  if (compare(value, limit) * sign > 0) return 'triggered';
  return compare(value, clear) * sign <= 0 ? 'clear' : 'between';
}

/**
 * As {@link level}, of the quotient part / whole, whole being more than nothing: compared by multiplying, which is exact
 * and a fraction of the work.
 */
export function levelOfQuotient(
  part: Dec,
  whole: Dec,
  { direction, limit, clear }: Limits,
): Observation['state'] {
  const bound = clear.mul(whole);
  // Mostly it is far from its limit, and one comparison says so.
  if (compare(part, bound) * (direction === 'above' ? 1 : -1) <= 0) return 'clear';
  return level(part, { direction, limit: limit.mul(whole), clear: bound });
}

/** For what has no middle. */
export function yesNo(triggered: boolean): Observation['state'] {
  return triggered ? 'triggered' : 'clear';
}

/** A tenth of the limit, where a rule says nothing else. */
export function pointsBack(limit: Dec | string, rearm: string | undefined): Dec {
  return rearm === undefined ? new Dec(limit).abs().div(10) : new Dec(rearm);
}

/** A hundredth of a price, where a rule says nothing else. */
export function priceBack(limit: Dec | string, rearm: string | undefined): Dec {
  return new Dec(limit).mul(rearm ?? '0.01');
}

/** How old something is, in one unit, rounded down: `14 minutes`, `3 days`. */
export function ageText(ms: number): string {
  const [count, unit] =
    ms < 3_600_000
      ? [Math.max(0, Math.floor(ms / 60_000)), 'minute']
      : ms < 2 * 86_400_000
        ? [Math.floor(ms / 3_600_000), 'hour']
        : [Math.floor(ms / 86_400_000), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
