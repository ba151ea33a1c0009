import { describe, expect, it } from 'vitest';
import type { BrokerKey } from '../../../src/store/broker-key-store.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const key = (changes: Partial<BrokerKey> = {}): BrokerKey => ({
  sub: 'alice',
  connection: 'broker',
  kind: 'alpaca',
  sealed: Buffer.from([0, 1, 255]),
  accountNumber: 'PA3ALICE01',
  environment: 'paper',
  keptAt: 1000,
  ...changes,
});

/** What every store of brokers' keys promises. */
export function brokerKeyStoreContract(open: OpenStores): void {
  const opened = openForEach(open);

  describe('a store of brokers’ keys', () => {
    it('gives back what it was given, to another process too', async () => {
      await opened.stores.brokerKeys.keep(key());
      expect(await opened.another().brokerKeys.find('alice', 'broker')).toEqual(key());
    });

    it('keeps one for each person and connection', async () => {
      const { brokerKeys } = opened.stores;
      const [bob, elsewhere] = [key({ sub: 'bob', environment: 'live' }), key({ connection: 'another' })];
      for (const one of [key(), bob, elsewhere]) await brokerKeys.keep(one);
      expect(await brokerKeys.list('broker')).toEqual([key(), bob]);
      const newer = key({ sealed: Buffer.from('new'), accountNumber: 'PA4', keptAt: 2000 });
      await brokerKeys.keep(newer);
      expect(await brokerKeys.list('broker')).toEqual([newer, bob]);
      expect(await brokerKeys.find('alice', 'another')).toEqual(elsewhere);
    });

    it('removes one, once, and no other', async () => {
      const { brokerKeys } = opened.stores;
      for (const one of [key(), key({ sub: 'bob' })]) await brokerKeys.keep(one);
      expect(await brokerKeys.remove('alice', 'another')).toBe(false);
      expect(await brokerKeys.remove('alice', 'broker')).toBe(true);
      expect(await brokerKeys.remove('alice', 'broker')).toBe(false);
      expect(await brokerKeys.find('alice', 'broker')).toBeUndefined();
      expect(await brokerKeys.find('bob', 'broker')).toBeDefined();
    });

    it('removes all of a person’s, and nobody else’s', async () => {
      const { brokerKeys } = opened.stores;
      for (const one of [key(), key({ connection: 'another' }), key({ sub: 'bob' })]) await brokerKeys.keep(one);
      await brokerKeys.removeAll('alice');
      await brokerKeys.removeAll('alice');
      expect([await brokerKeys.list('broker'), await brokerKeys.list('another')]).toEqual([[key({ sub: 'bob' })], []]);
    });

    it('beside which a person’s default account is kept, of each their own', async () => {
      const { defaultAccounts } = opened.stores;
      expect(await defaultAccounts.find('alice')).toBeUndefined();
      await defaultAccounts.choose('alice', 'A1');
      await defaultAccounts.choose('alice', 'A2');
      await defaultAccounts.choose('bob', 'B1');
      expect(await defaultAccounts.find('alice')).toBe('A2');
      await defaultAccounts.remove('alice');
      expect(await defaultAccounts.find('alice')).toBeUndefined();
      expect(await defaultAccounts.find('bob')).toBe('B1');
    });

    it('says of which kind of broker each is, and keeps those of one person apart by the broker’s name', async () => {
      const { brokerKeys } = opened.stores;
      await brokerKeys.keep(key());
      await brokerKeys.keep(key({ connection: 'ira', kind: 'another', accountNumber: 'IRA1' }));
      expect(await brokerKeys.find('alice', 'broker')).toMatchObject({ kind: 'alpaca' });
      expect(await brokerKeys.find('alice', 'ira')).toMatchObject({ kind: 'another', accountNumber: 'IRA1' });
      expect(await brokerKeys.remove('alice', 'ira')).toBe(true);
      expect(await brokerKeys.find('alice', 'broker')).toBeDefined();
    });

    it('knows a person’s name by every letter', async () => {
      const { brokerKeys } = opened.stores;
      await brokerKeys.keep(key());
      for (const sub of ['Alice', 'alice ', '', 'alic_', '%']) {
        expect(await brokerKeys.find(sub, 'broker'), sub).toBeUndefined();
      }
    });
  });
}
