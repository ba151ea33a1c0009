import type { Unit } from '../tenant-database.ts';

/** Whose account checks remember. */
export interface AccountOwner {
  readonly profile: string;
  readonly account: string;
}

/** Rows of the account `@profile`, `@account`. */
export const OF_ACCOUNT = 'profile = @profile AND account = @account';

/** Has what is to be looked at and written in one unit be this unit's alone, of this account, until it ends. */
export async function lockAccount(unit: Unit, { profile, account }: AccountOwner): Promise<void> {
  await unit.one(
    "SELECT pg_advisory_xact_lock(hashtextextended(json_build_array('checks', current_tenant(), current_person(), @profile::text, @account::text)::text, 0))",
    { profile, account },
  );
}
