import { expect, it } from 'vitest';
import { toNamedBrokers } from '../../../../src/gateway/broker/named-broker.ts';
import { findLimitMismatches } from '../../../../src/gateway/policy/limited-accounts.ts';
import { limitsSchema } from '../../../../src/gateway/policy/rules.ts';
import type { BrokerKey } from '../../../../src/store/broker-key-store.ts';

const own = { max_order_notional: '100' };
const said = async (
  accounts: Readonly<Record<string, object>> | undefined,
  known: readonly string[],
  credentials: 'key_pair' | 'exchange' = 'key_pair',
) =>
  await findLimitMismatches(accounts === undefined ? undefined : limitsSchema.parse({ accounts }), {
    brokers: toNamedBrokers({ broker: { kind: 'alpaca', credentials } as never }),
    brokerKeys: { list: async () => known.map((accountNumber) => ({ accountNumber }) as BrokerKey) },
  });

it.each<[string, Parameters<typeof said>]>([
  ['each account has its entry', [{ PA1: own, PA2: own }, ['PA1', 'PA2']]],
  ['"*" stands for the others', [{ '*': own }, ['PA1', 'PA2']]],
  ['an account is named to have no limits', [{ PA1: {}, PA2: own }, ['PA1', 'PA2']]],
  ['there are no limits', [undefined, ['PA1']]],
  ['nobody has an account yet', [{ PA1: own }, []]],
  ['accounts are known to the identity provider alone', [{ PA1: own }, [], 'exchange']],
])('says nothing where %s', async (_, given) => {
  expect(await said(...given)).toEqual([]);
});

it('says which account is limited by nothing, and which entry is of no account: one of them is misspelled', async () => {
  expect(await said({ PA3ALICE0I: own }, ['PA3ALICE01'])).toEqual([
    'account PA3ALICE01 has no entry in limits.yaml, which has no "*" entry either, so the account’s orders are denied',
    'limits.yaml has an entry for PA3ALICE0I, but no account here has that number, so orders of accounts without their own entry are denied',
  ]);
});

it('says which entry is of no account where "*" limits the account', async () => {
  expect(await said({ '*': own, PA3ALICE0I: own }, ['PA3ALICE01'])).toEqual([
    'limits.yaml has an entry for PA3ALICE0I, but no account here has that number, so orders of accounts without their own entry are denied',
  ]);
});
