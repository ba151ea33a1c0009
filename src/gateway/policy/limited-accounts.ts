import type { BrokerKeyStore } from '../../store/broker-key-store.ts';
import { type NamedBroker, toBrokerCredentialLocation } from '../broker/named-broker.ts';
import { isCredentialKind } from '../broker/stored-kinds.ts';
import { findAccountLimits, hasLimits, type Limits, OTHER_ACCOUNTS_KEY, unknownAccountProblem } from './rules.ts';

export interface KnownAccounts {
  readonly brokers: readonly NamedBroker[];
  readonly brokerKeys: Pick<BrokerKeyStore, 'list'>;
}

/**
 * Returns a sentence for each account whose orders are denied because `limits.yaml` has no entry for it, and for each
 * entry that matches no account.
 */
export async function findLimitMismatches(limits: Limits | undefined, known: KnownAccounts): Promise<string[]> {
  if (!hasLimits(limits)) return [];
  const { accounts } = await listKnownAccounts(known);
  const unlimited = [...accounts].filter((account) => findAccountLimits(limits, account) === undefined);
  const unknown = await findUnknownAccounts(limits, known);
  return [
    ...unlimited.map(
      (account) =>
        `account ${account} has no entry in limits.yaml, which has no "*" entry either, so the account’s orders are denied`,
    ),
    ...unknown.map(
      (entry) => `${unknownAccountProblem(entry)}, so orders of accounts without their own entry are denied`,
    ),
  ];
}

/**
 * Returns the entries of `limits.yaml` that match no account. Returns none unless all accounts are known: with
 * exchanged tokens the gateway does not know the numbers in advance, and before the first connection there are none.
 */
export async function findUnknownAccounts(limits: Limits | undefined, known: KnownAccounts): Promise<string[]> {
  const named = Object.keys(limits?.accounts ?? {}).filter((account) => account !== OTHER_ACCOUNTS_KEY);
  if (!hasLimits(limits) || named.length === 0) return [];
  const { accounts, areAll } = await listKnownAccounts(known);
  return areAll ? named.filter((account) => !accounts.has(account)) : [];
}

async function listKnownAccounts({ brokers, brokerKeys }: KnownAccounts) {
  const stored = brokers.filter(({ credentials }) => isCredentialKind(credentials));
  const places = new Set(
    stored.flatMap((broker) => {
      const { name, formerName: before } = toBrokerCredentialLocation(broker, brokers);
      return before === undefined ? [name] : [name, before];
    }),
  );
  const keys = (await Promise.all([...places].map((place) => brokerKeys.list(place)))).flat();
  const accounts = new Set(keys.map(({ accountNumber }) => accountNumber));
  return { accounts, areAll: stored.length === brokers.length && accounts.size > 0 };
}
