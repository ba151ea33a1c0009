import type Database from 'better-sqlite3-multiple-ciphers';
import { z } from 'zod';

export const accountSettingsSchema = z.object({
  disable_overnight_trading: z.boolean(),
  fractional_trading: z.boolean(),
  /** `1`: cash account. `2`: margin account (Regulation T). */
  max_margin_multiplier: z.enum(['1', '2']),
  max_options_trading_level: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  no_shorting: z.boolean(),
  ptp_no_exception_entry: z.boolean(),
  suspend_trade: z.boolean(),
  trade_confirm_email: z.enum(['all', 'none']),
});
export type AccountSettings = z.output<typeof accountSettingsSchema>;

const defaults: AccountSettings = {
  disable_overnight_trading: false,
  fractional_trading: true,
  max_margin_multiplier: '1',
  max_options_trading_level: 3,
  no_shorting: true,
  ptp_no_exception_entry: false,
  suspend_trade: false,
  trade_confirm_email: 'all',
};

export type AccountSettingsStore = ReturnType<typeof openAccountSettings>;

export function openAccountSettings(database: Database.Database) {
  const find = database
    .prepare<[string], string>('SELECT settings FROM broker_account_settings WHERE account_id = ?')
    .pluck();
  const put = database.prepare<[string, string]>(
    `INSERT INTO broker_account_settings (account_id, settings) VALUES (?, ?)
     ON CONFLICT (account_id) DO UPDATE SET settings = excluded.settings`,
  );
  const of = (accountId: string): AccountSettings => ({
    ...defaults,
    ...(JSON.parse(find.get(accountId) ?? '{}') as Partial<AccountSettings>),
  });
  return {
    of,
    change(accountId: string, changes: Partial<AccountSettings>): AccountSettings {
      const changed = { ...of(accountId), ...changes };
      put.run(accountId, JSON.stringify(changed));
      return changed;
    },
  };
}
