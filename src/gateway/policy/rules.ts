import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { Action, Facts, Subject } from './decision.ts';
import { type AccountLimits, accountLimitsSchema } from './limit-table.ts';

/** The rules for an account's orders at one moment. Rules can only object. */
export interface Rules {
  /** base64url(SHA-256) of limits and policies. */
  readonly digest: string;
  /** Returns undefined if the account is not limited. */
  limitsOf(account: string): AccountLimits | undefined;
  readonly cedar: CedarRules;
  /** The error in the rules, for the owner. Nothing is traded until it is fixed (`POLICY_INVALID`). */
  readonly problem?: string;
}

/** The policies of the program, the owner and a firm. */
export interface CedarRules {
  /** Evaluates the policies. Synchronous and pure, because it runs inside the transaction that claims an order. */
  evaluate(subject: Subject, action: Action, facts: Facts): CedarAnswer;
  /** Whether any policy may use the loss since the last close. */
  readonly asksDayLoss?: boolean;
}

export interface CedarAnswer {
  /** `@code`, `@id` and `@message` of each `forbid` that applied. */
  readonly forbidden: readonly {
    readonly reason: PolicyReason;
    readonly id: string;
    readonly message: string;
  }[];
  /** Set if a policy could not be evaluated, which is an objection (`POLICY_UNEVALUABLE`). Contains no fact. */
  readonly error?: string;
}

/** Read for each decision, so that changes apply to the next one. */
export interface RulesSource {
  /** Never throws for wrong rules. Those object to everything (`Rules.problem`). */
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

export { type AccountLimits, accountLimitsSchema } from './limit-table.ts';

/** All accounts without their own limits. */
export const EVERY_ACCOUNT = '*';

/** `limits.yaml`. A limit that is left out does not apply. */
export const limitsSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }).default(1),
  /** By account number. `*` is for accounts that are not listed, and adds nothing to those that are. */
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
      [EVERY_ACCOUNT]: {
        max_order_notional: '1000',
        max_day_notional: '5000',
        max_day_orders: 20,
        max_orders_per_minute: 5,
        max_open_orders: 20,
        max_position_weight: '0.25',
        max_price_deviation: '0.05',
        min_seconds_between_same: 60,
        // Crypto and options have to be enabled explicitly.
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

export function limitsFor(limits: Limits | undefined, account: string): AccountLimits | undefined {
  const { accounts = {} } = limits ?? {};
  const name = Object.hasOwn(accounts, account) ? account : EVERY_ACCOUNT;
  return Object.hasOwn(accounts, name) ? accounts[name] : undefined;
}
