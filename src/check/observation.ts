import { Dec } from '../trading/decimal.ts';
import type { Rule } from './rules-schema.ts';

/** What there is to say about a subject. */
export interface Said {
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
  /**
   * `triggered`: beyond the limit. `clear`: far enough back that it may fire again. `between`: neither, so that a value
   * that trembles at its limit fires once.
   */
  readonly state: 'triggered' | 'clear' | 'between';
  /** Called for what is told alone: of thousands of subjects most have nothing to say. */
  readonly say: () => Said;
}

/** Where a rule could not look: no price, no such symbol. Never silent: a check that saw nothing must not read as "all well". */
export interface Blind {
  readonly rule: Rule;
  readonly subject: string;
  readonly code: 'unknown_symbol' | 'price_unavailable' | 'history_unavailable';
  readonly text: string;
}

export interface Observed {
  readonly observations: readonly Observation[];
  readonly blind: readonly Blind[];
}

/**
 * Where a value stands to its limit; right at it is not beyond it.
 * @param back how far on the near side of the limit it must be to be `clear`
 */
export function level(value: Dec, limit: Dec, direction: 'above' | 'below', back: Dec): Observation['state'] {
  const beyond = direction === 'above' ? value.minus(limit) : limit.minus(value);
  if (beyond.gt(0)) return 'triggered';
  return beyond.lte(back.neg()) ? 'clear' : 'between';
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
