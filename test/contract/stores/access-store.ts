import { describe, expect, it } from 'vitest';
import type { NewAccessGrant } from '../../../src/store/access-store.ts';
import { sequencedLines } from '../../fixtures/record-lines.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const grant = (changes: Partial<NewAccessGrant> = {}): NewAccessGrant => ({
  id: 'ac_1',
  account: 'alice',
  role: 'advisor',
  who: 'bob',
  of: null,
  from: 1000,
  until: null,
  ...changes,
});

/** What every store of who may do what about whose account promises. */
export function accessStoreContract(open: OpenStores): void {
  const opened = openForEach(open);
  const ids = (grants: readonly { id: string }[]) => grants.map(({ id }) => id);

  describe('a store of access', () => {
    it('gives back what was granted, to another process too', async () => {
      expect(await opened.stores.access.grant(grant({ of: 'acme', until: 5000 }), 900)).toBe('granted');
      const kept = { ...grant({ of: 'acme', until: 5000 }), grantedAt: 900, revokedAt: null };
      expect(await opened.another().access.listByAccount('alice')).toEqual([kept]);
      expect(await opened.another().access.listByPerson('bob')).toEqual([kept]);
    });

    it('keeps the first under an id, and does not bring back what was ended', async () => {
      const { access } = opened.stores;
      await access.grant(grant(), 900);
      expect(await access.grant(grant({ role: 'co_owner' }), 950)).toBe('known');
      expect(await access.listByAccount('alice')).toMatchObject([{ role: 'advisor' }]);
      expect(await access.revoke('alice', 'ac_1', 1000)).toBe(true);
      expect(await access.grant(grant(), 1100)).toBe('known');
      expect(await access.listByAccount('alice')).toEqual([]);
    });

    it('ends one once, and only for the account that it is to', async () => {
      const { access } = opened.stores;
      for (const one of [grant(), grant({ id: 'ac_2', who: 'carol' })]) await access.grant(one, 900);
      for (const account of ['bob', 'carol', 'Alice', '%'])
        expect(await access.revoke(account, 'ac_1', 1000), account).toBe(false);
      expect(await access.revoke('alice', 'ac_3', 1000)).toBe(false);
      expect(await access.revoke('alice', 'ac_1', 1000)).toBe(true);
      expect(await access.revoke('alice', 'ac_1', 1000)).toBe(false);
      expect(ids(await access.listByAccount('alice'))).toEqual(['ac_2']);
      expect(await access.listByPerson('bob')).toEqual([]);
    });

    it('tells a firm or household of a person’s name from the person', async () => {
      const { access } = opened.stores;
      await access.grant(grant({ role: 'firm', who: 'bob' }), 900);
      await access.grant(grant({ id: 'ac_2', role: 'household', who: 'bob' }), 900);
      expect(await access.listByPerson('bob')).toEqual([]);
      expect(ids(await access.listByAccount('alice'))).toEqual(['ac_1', 'ac_2']);
    });

    it('ends all that a person gave and was given, and nobody else’s', async () => {
      const { access } = opened.stores;
      await access.grant(grant(), 900);
      await access.grant(grant({ id: 'ac_2', account: 'bob', who: 'carol' }), 900);
      await access.grant(grant({ id: 'ac_3', who: 'carol' }), 900);
      await access.endPerson('bob', 1000);
      await access.endPerson('bob', 1000);
      expect(ids(await access.listByAccount('alice'))).toEqual(['ac_3']);
      expect(await access.listByAccount('bob')).toEqual([]);
    });

    it('writes each grant and each end on the record, once', async () => {
      const { access, audit } = opened.stores;
      await access.grant(grant({ until: 5000 }), 900);
      await access.grant(grant({ until: 5000 }), 900);
      await access.revoke('alice', 'ac_1', 1000);
      await access.revoke('alice', 'ac_1', 1000);
      expect(await sequencedLines(audit)).toMatchObject([
        { event: 'access_granted', sub: 'alice', who: 'bob', until: '1970-01-01T00:00:05.000Z' },
        { event: 'access_revoked', sub: 'alice', who: 'bob', access: 'ac_1' },
      ]);
    });
  });
}
