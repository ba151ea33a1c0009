import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { Action, Facts, Subject } from './decision.ts';
import { type AccountLimits, type Limits, limitsFor } from './limits.ts';

/** What an account's orders must satisfy at one moment. Rules can only refuse. */
export interface Rules {
  /** base64url(SHA-256) of limits and policies. */
  readonly digest: string;
  /** Undefined if the account is not limited. */
  limitsOf(account: string): AccountLimits | undefined;
  readonly cedar: CedarRules;
  /** What is wrong with them, for the owner; nothing is traded until it is fixed (`POLICY_INVALID`). */
  readonly problem?: string;
}

/** The program's own policies, the owner's and a firm's. */
export interface CedarRules {
  /** Synchronous and pure: runs inside the transaction that claims an order. */
  evaluate(subject: Subject, action: Action, facts: Facts): CedarAnswer;
  /** Whether any may use the loss since the last close. */
  readonly asksDayLoss?: boolean;
}

export interface CedarAnswer {
  /** `@code`, `@id` and `@message` of each `forbid` that applied. */
  readonly forbidden: readonly {
    readonly reason: PolicyReason;
    readonly id: string;
    readonly message: string;
  }[];
  /** It could not be evaluated, and so refuses (`POLICY_UNEVALUABLE`); contains no fact. */
  readonly error?: string;
}

/** Asked for each decision, so that changes apply to the next one. */
export interface RulesSource {
  /** Never throws for wrong rules: those refuse (`Rules.problem`). */
  current(): Promise<Rules>;
}

const NO_POLICIES: CedarRules = { evaluate: () => ({ forbidden: [] }) };

/** Fixed limits without policies, for a gateway without a folder. */
export function staticRules(limits?: Limits): RulesSource {
  const rules: Rules = {
    digest: rulesDigest(limits, []),
    limitsOf: (account) => limitsFor(limits, account),
    cedar: NO_POLICIES,
  };
  return { current: async () => rules };
}

/** base64url(SHA-256(JCS)). */
export function rulesDigest(limits: Limits | undefined, policies: readonly string[]): string {
  return createHash('sha256')
    .update(canonicalize({ limits: limits ?? null, policies: policies.toSorted() }) ?? '')
    .digest('base64url');
}
