import type { Account } from '../../trading/views.ts';
import type { Proposer } from '../kind.ts';

/** At which broker an account is, as people call it; undefined where a person can have but one. @throws {Refusal} as opening it */
export type BrokerOf = (proposer: Proposer, account: string) => Promise<string | undefined>;

/** Which account it is, and at which broker, where a person can have several. */
export function accountShown({
  broker,
  account,
}: {
  readonly broker?: string | undefined;
  readonly account: Pick<Account, 'account'>;
}): Readonly<Record<string, string>> {
  return broker === undefined ? {} : { Account: `${account.account} at ${broker}` };
}
