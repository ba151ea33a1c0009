import type { Dec } from '../trading/decimal.ts';
import type { DriftBand } from '../trading/portfolio/allocation.ts';
import type { RebalanceOptions } from '../trading/portfolio/rebalance.ts';

export interface OwnFinding {
  readonly rule: string;
  readonly kind: string;
  readonly subject: string;
  readonly severity: string;
  readonly message: string;
  /** Time of the first check that reported the finding, RFC 3339. */
  readonly since: string;
  /** The reason why the rule could not be checked. */
  readonly problem?: string | undefined;
}

export interface OwnFindings {
  /** Base name of the rules file; null for the default rules. */
  readonly rules_file: string | null;
  /** Time of the check according to the broker's clock, RFC 3339. */
  readonly checked_at: string;
  /** New findings. `ongoing` has findings that were reported before, and `snoozed` has findings of snoozed rules. */
  readonly findings: readonly OwnFinding[];
  readonly ongoing: readonly OwnFinding[];
  readonly snoozed: readonly OwnFinding[];
  readonly skipped: readonly { readonly rule: string; readonly reason: string }[];
  readonly simulated: boolean;
}

export interface OwnTargets {
  /** Target weights by symbol, as fractions of equity. */
  readonly targets: ReadonlyMap<string, Dec>;
  readonly cash: Dec;
  readonly band: DriftBand;
  readonly options: RebalanceOptions;
}

/** The person's rules file, available to agents on the person's machine. */
export interface OwnRules {
  findings(): Promise<OwnFindings>;
  targets(): Promise<OwnTargets | undefined>;
}
