import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { DecisionFacts, DecisionSubject, PolicyAction } from './decision.ts';
import { type AccountLimits, accountLimitsSchema, DEFAULT_DAY_MESSAGES } from './limit-table.ts';

/** The rules for an account's orders at one moment. Rules can only add objections. */
export interface Rules {
  /** base64url(SHA-256) of the limits and policies. */
  readonly digest: string;
  limitsOf(account: string): AccountLimits | undefined;
  readonly cedar: CedarRules;
  /** Returns why an account's limits are uncertain, in which case its orders are denied; undefined otherwise. */
  readonly limitsProblem?: (account: string) => string | undefined;
  /** Why the rules are invalid, for the owner to read. Nothing is traded until they are fixed (`POLICY_INVALID`). */
  readonly problem?: string;
}

/** All active Cedar policies: the built-in ones, the owner's, and those of the firm that runs the gateway. */
export interface CedarRules {
  /**
   * Evaluates the policies. Synchronous and without side effects, because it runs inside the transaction that claims an
   * order.
   */
  evaluate(subject: DecisionSubject, action: PolicyAction, facts: DecisionFacts): CedarResult;
  /** Whether any policy may need the account's loss since the last market close. */
  readonly asksDayLoss?: boolean;
}

export interface CedarResult {
  /** `@code`, `@id` and `@message` of each `forbid` policy that applied. */
  readonly forbidden: readonly {
    readonly reason: PolicyReason;
    readonly id: string;
    readonly message: string;
  }[];
  /** Set if a policy could not be evaluated, which is an objection (`POLICY_UNEVALUABLE`). Contains no facts. */
  readonly error?: string;
}

/** Provides the current rules. They are read for each decision, so that a change applies to the next decision. */
export interface RulesSource {
  /** Returns the rules. Does not throw if they are invalid, but returns rules that object to everything (`problem`). */
  current(): Promise<Rules>;
}

const NO_POLICIES: CedarRules = { evaluate: () => ({ forbidden: [] }) };

/** Creates a source that always returns these limits and no policies, for a gateway without a folder. */
export function createStaticRulesSource(limits?: Limits): RulesSource {
  const rules: Rules = {
    digest: rulesDigest(limits, []),
    limitsOf: (account) => findAccountLimits(limits, account),
    limitsProblem: (account) => findLimitsProblem(limits, account),
    cedar: NO_POLICIES,
  };
  return { current: async () => rules };
}

/** Returns base64url(SHA-256(JCS)) of the limits and policies. */
export function rulesDigest(limits: Limits | undefined, policies: readonly string[]): string {
  return createHash('sha256')
    .update(canonicalize({ limits: limits ?? null, policies: policies.toSorted() }) ?? '')
    .digest('base64url');
}

export { type AccountLimits, accountLimitsSchema } from './limit-table.ts';

/** Key in `limits.yaml` of the limits for all accounts without their own entry. */
export const OTHER_ACCOUNTS_KEY = '*';

/** The contents of `limits.yaml`. A limit that is left out does not apply. */
export const limitsSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }).default(1),
  accounts: z
    .record(z.string().regex(/^[\x21-\x7e]{1,64}$/), accountLimitsSchema, {
      error: ({ code }) => (code === 'invalid_key' ? 'must be an account’s number, or "*" for all others' : undefined),
    })
    .default({}),
});
export type Limits = z.output<typeof limitsSchema>;

export function defaultLimits(): Limits {
  return {
    version: 1,
    accounts: {
      [OTHER_ACCOUNTS_KEY]: {
        max_order_notional: '1000',
        max_day_notional: '5000',
        max_day_orders: 20,
        max_orders_per_minute: 5,
        max_open_orders: 20,
        max_position_weight: '0.25',
        max_price_deviation: '0.05',
        min_seconds_between_same: 60,
        own_words: true,
        // Nobody until the owner adds a recipient.
        message_recipients: [],
        max_day_messages: DEFAULT_DAY_MESSAGES,
        number_matching_above: '500',
        // The default excludes crypto and options, because owners have to enable them explicitly.
        asset_classes: ['us_equity'],
        hours: {
          zone: 'America/New_York',
          from: '04:00',
          to: '20:00',
          days: ['mon', 'tue', 'wed', 'thu', 'fri'],
        },
      },
    },
  };
}

export function hasLimits(limits: Limits | undefined): boolean {
  return Object.values(limits?.accounts ?? {}).some((own) => Object.keys(own).length > 0);
}

export function findAccountLimits(limits: Limits | undefined, account: string): AccountLimits | undefined {
  const { accounts = {} } = limits ?? {};
  const name = Object.hasOwn(accounts, account) ? account : OTHER_ACCOUNTS_KEY;
  return Object.hasOwn(accounts, name) ? accounts[name] : undefined;
}

/**
 * Returns why `limits.yaml` may not say what the owner meant for an account without its own entry: an entry that names
 * no account is probably a misspelled number, and the limits in it would apply to nothing.
 * @param unknown the entries that name no account
 */
export function findLimitsProblem(
  limits: Limits | undefined,
  account: string,
  unknown: readonly string[] = [],
): string | undefined {
  if (!hasLimits(limits) || Object.hasOwn(limits?.accounts ?? {}, account)) return undefined;
  const [first] = unknown;
  if (first !== undefined) return unknownAccountProblem(first);
  if (findAccountLimits(limits, account) !== undefined) return undefined;
  return `limits.yaml has no entry for the account ${account}, and none for "*", which means all others`;
}

export const unknownAccountProblem = (entry: string): string =>
  `limits.yaml has an entry for ${entry}, but no account here has that number`;
