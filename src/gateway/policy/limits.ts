import { z } from 'zod';
import { type AccountLimits, accountLimitsSchema } from './limit-table.ts';

export { type AccountLimits, accountLimitsSchema } from './limit-table.ts';

/** All accounts without limits of their own. */
export const EVERY_ACCOUNT = '*';

/** `limits.yaml`. What is left out is not limited. */
export const limitsSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }).default(1),
  /** By account number; `*` is for accounts that are not listed, and adds nothing to those that are. */
  accounts: z
    .record(z.string().regex(/^[\x21-\x7e]{1,64}$/), accountLimitsSchema, {
      error: ({ code }) =>
        code === 'invalid_key' ? 'must be an account’s number, or "*" for all others' : undefined,
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
