import type { BrokerKeyStore } from '../../store/broker-key-store.ts';
import { type NamedBroker, toBrokerCredentialLocation } from '../broker/named-broker.ts';
import { isCredentialKind } from '../broker/stored-kinds.ts';
import { findAccountLimits, hasLimits, type Limits, OTHER_ACCOUNTS_KEY } from './rules.ts';

export interface KnownAccounts {
  readonly brokers: readonly NamedBroker[];
  readonly brokerKeys: Pick<BrokerKeyStore, 'list'>;
}

/**
 * Returns a sentence for each account without limits, and for each entry in `limits.yaml` that matches no account,
 * because limits for a misspelled account number would have no effect. Checks only accounts whose credentials are
 * stored here, because with exchanged tokens the gateway does not know the account numbers in advance.
 */
export async function findLimitMismatches(
  limits: Limits | undefined,
  { brokers, brokerKeys }: KnownAccounts,
): Promise<string[]> {
  if (!hasLimits(limits)) return [];
  const kept = brokers.filter(({ credentials }) => isCredentialKind(credentials));
  const places = new Set(
    kept.flatMap((broker) => {
      const { name, formerName: before } = toBrokerCredentialLocation(broker, brokers);
      return before === undefined ? [name] : [name, before];
    }),
  );
  const keys = (await Promise.all([...places].map((place) => brokerKeys.list(place)))).flat();
  const known = new Set(keys.map(({ accountNumber }) => accountNumber));
  const unlimited = [...known].filter((account) => findAccountLimits(limits, account) === undefined);
  const isWhole = kept.length === brokers.length && known.size > 0;
  const named = Object.keys(limits?.accounts ?? {}).filter((account) => account !== OTHER_ACCOUNTS_KEY);
  const unknown = isWhole ? named.filter((account) => !known.has(account)) : [];
  return [
    ...unlimited.map(
      (account) =>
        `account ${account} has no entry in limits.yaml, which has no "*" entry either, so the account’s orders are not limited`,
    ),
    ...unknown.map((account) => `limits.yaml has an entry for ${account}, but no account here has that number`),
  ];
}
