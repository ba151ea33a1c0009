import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { Action, Facts, Subject } from './decision.ts';
import { type AccountLimits, type Limits, limitsFor } from './limits.ts';

/** What an account's orders are held to at one moment. All of it can only refuse. */
export interface Rules {
  /** base64url(SHA-256) of limits and policies: the same for the same rules. */
  readonly digest: string;
  /** Undefined where the account is not limited. */
  limitsOf(account: string): AccountLimits | undefined;
  readonly cedar: CedarRules;
  /** What is wrong with them, for the owner: nothing is traded until that is mended (`POLICY_INVALID`). */
  readonly problem?: string;
}

/** The policies in Cedar: the shipped ones, the owner's and a firm's. */
export interface CedarRules {
  /** Synchronous and without effects: it runs inside the transaction that claims an order. */
  evaluate(subject: Subject, action: Action, facts: Facts): CedarAnswer;
  /** Whether one of them may go by what the account has lost since the last close; left out: none. */
  readonly asksDayLoss?: boolean;
}

export interface CedarAnswer {
  /** Each `forbid` that held: its `@code`, its `@id`, its `@message`. */
  readonly forbidden: readonly {
    readonly reason: PolicyReason;
    readonly id: string;
    readonly message: string;
  }[];
  /** It could not be evaluated, and so refuses (`POLICY_UNEVALUABLE`); holds no value of a fact. */
  readonly error?: string;
}

/** Where the rules come from. Asked for each decision: what was changed holds for the next one. */
export interface RulesSource {
  /** Never throws for what is wrong with the rules: then they are such as refuse (`Rules.problem`). */
  current(): Promise<Rules>;
}

const NO_POLICIES: CedarRules = { evaluate: () => ({ forbidden: [] }) };

/** Limits that stay as they are, and no policies: of a gateway without a folder. */
export function staticRules(limits?: Limits): RulesSource {
  const rules: Rules = {
    digest: rulesDigest(limits, []),
    limitsOf: (account) => limitsFor(limits, account),
    cedar: NO_POLICIES,
  };
  return { current: async () => rules };
}

/** base64url(SHA-256(JCS)) of the limits and the texts of all policies. */
export function rulesDigest(limits: Limits | undefined, policies: readonly string[]): string {
  return createHash('sha256')
    .update(canonicalize({ limits: limits ?? null, policies: policies.toSorted() }) ?? '')
    .digest('base64url');
}
