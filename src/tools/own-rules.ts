import type { Dec } from '../trading/decimal.ts';
import type { Band } from '../trading/portfolio/allocation.ts';
import type { RebalanceOptions } from '../trading/portfolio/rebalance.ts';

/** Something a rule of the person's finds. */
export interface OwnFinding {
  readonly rule: string;
  readonly kind: string;
  readonly subject: string;
  readonly severity: string;
  readonly message: string;
  /** When it was first seen, RFC 3339. */
  readonly since: string;
  /** Why the rule could not look, where that is what was found. */
  readonly problem?: string | undefined;
}

/** What the rules find now. Nobody is told of it, and nothing is remembered. */
export interface OwnFindings {
  /** Its name without its folder; null for the usual rules. */
  readonly rules_file: string | null;
  /** The broker’s time, RFC 3339. */
  readonly checked_at: string;
  /** New since the check before, told before and still so, and those of rules that are snoozed. */
  readonly findings: readonly OwnFinding[];
  readonly ongoing: readonly OwnFinding[];
  readonly snoozed: readonly OwnFinding[];
  readonly skipped: readonly { readonly rule: string; readonly reason: string }[];
  readonly simulated: boolean;
}

/** Targets as the rules file says them. */
export interface OwnTargets {
  /** Fractions of the account's equity, by symbol. */
  readonly targets: ReadonlyMap<string, Dec>;
  /** The fraction that stays in cash. */
  readonly cash: Dec;
  readonly band: Band;
  readonly options: RebalanceOptions;
}

/** The person's rules file, which is on their machine: tools are told of it by whoever starts them there. */
export interface OwnRules {
  findings(): Promise<OwnFindings>;
  /** Undefined where the file has none. */
  targets(): Promise<OwnTargets | undefined>;
}
