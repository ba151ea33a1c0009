import { describe, expect, it } from 'vitest';
import type { AuditNote } from '../../../src/store/audit.ts';
import type { ApprovalSignature, SigningKey } from '../../../src/store/signing-key-store.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const note: AuditNote = { event: 'key_enrolled', facts: { sub: 'alice' } };

/** What every store of the keys that people approve with promises. */
export function signingKeyStoreContract(open: OpenStores): void {
  const opened = openForEach(open);
  const keys = opened.the('keys');

  const keyOf = (credentialId: string, more: Partial<SigningKey> = {}): SigningKey => ({
    credentialId,
    sub: 'alice',
    rpId: 'home.example',
    publicKey: new Uint8Array([1, 2, 3]),
    algorithm: -7,
    counter: 5,
    method: 'webauthn',
    deviceType: 'multiDevice',
    backedUp: true,
    name: 'phone',
    transports: ['internal', 'hybrid'],
    enrolledAt: 1000,
    ...more,
  });
  const use = (counter: number, credentialId = 'key-1') => ({ credentialId, counter, backedUp: true });
  const signatureOf = (more: Partial<ApprovalSignature> = {}): ApprovalSignature => ({
    approval: 'pr_1',
    sub: 'alice',
    digest: 'digest-1',
    evidence: { method: 'webauthn' },
    use: use(6),
    ...more,
  });
  const enrol = (key = keyOf('key-1')) => keys.enroll(key, 'machine', note, 1000);
  const lines = async () => await opened.stores.audit.pendingCount();

  describe('a store of signing keys', () => {
    it('keeps a key as it was given, and tells whose it is', async () => {
      expect(await enrol()).toBe('enrolled');
      expect(await keys.byId('key-1')).toEqual(keyOf('key-1'));
      await enrol(keyOf('key-2', { enrolledAt: 999 }));
      await enrol(keyOf('key-3', { sub: 'bob' }));
      expect((await keys.listByPerson('alice')).map(({ credentialId }) => credentialId)).toEqual(['key-2', 'key-1']);
      expect(await keys.byId('key-4')).toBeUndefined();
      expect(await opened.another().keys.listByPerson('bob')).toHaveLength(1);
    });

    it('knows a key’s id for good, whoever brings it', async () => {
      await enrol();
      expect(await enrol(keyOf('key-1', { sub: 'bob', publicKey: new Uint8Array([9]) }))).toBe('known');
      expect(await keys.byId('key-1')).toEqual(keyOf('key-1'));
      await keys.remove(keyOf('key-1'), 'machine', note, 1001);
      expect(await enrol()).toBe('known');
    });

    it('tells of a pairing while it is open', async () => {
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      expect(await keys.pairing('secret-1', 1999)).toEqual({ sub: 'alice', expiresAt: 2000 });
      expect(await keys.pairing('secret-1', 2000)).toBeUndefined();
      expect(await keys.pairing('secret-2', 1000)).toBeUndefined();
    });

    it('ends a pairing by a newer one of the same person', async () => {
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      await keys.storePairing({ digest: 'secret-2', sub: 'bob', expiresAt: 2000 });
      await keys.storePairing({ digest: 'secret-3', sub: 'alice', expiresAt: 3000 });
      expect(await keys.pairing('secret-1', 1000)).toBeUndefined();
      expect(await keys.pairing('secret-2', 1000)).toMatchObject({ sub: 'bob' });
      expect(await keys.pairing('secret-3', 1000)).toMatchObject({ sub: 'alice' });
    });

    it('ends a pairing of the person alone', async () => {
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      await keys.storePairing({ digest: 'secret-2', sub: 'bob', expiresAt: 2000 });
      await keys.unpair('alice');
      await keys.unpair('alice');
      expect(await keys.enroll(keyOf('key-1'), { pairing: 'secret-1' }, note, 1000)).toBe('stale');
      expect(await keys.pairing('secret-2', 1000)).toMatchObject({ sub: 'bob' });
    });

    it('enrols by a pairing once, and one of many at once', async () => {
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      const enrolled = await opened.atOnce(10, ({ keys }, n) =>
        keys.enroll(keyOf(`key-${n}`), { pairing: 'secret-1' }, note, 1000),
      );
      expect(enrolled.toSorted()).toEqual(['enrolled', ...Array(9).fill('stale')]);
      expect(await keys.listByPerson('alice')).toHaveLength(1);
      expect(await keys.pairing('secret-1', 1000)).toBeUndefined();
    });

    it('enrols nobody by a pairing that is over, or somebody else’s', async () => {
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      expect(await keys.enroll(keyOf('key-1'), { pairing: 'secret-1' }, note, 2000)).toBe('stale');
      expect(await keys.enroll(keyOf('key-1', { sub: 'bob' }), { pairing: 'secret-1' }, note, 1000)).toBe('stale');
      expect(await keys.listByPerson('alice')).toEqual([]);
    });

    it('leaves a pairing open where the key is known', async () => {
      await enrol();
      await keys.storePairing({ digest: 'secret-1', sub: 'alice', expiresAt: 2000 });
      const before = await lines();
      expect(await keys.enroll(keyOf('key-1'), { pairing: 'secret-1' }, note, 1000)).toBe('known');
      expect(await keys.pairing('secret-1', 1000)).toBeDefined();
      expect(await lines()).toBe(before);
    });

    it('enrols by another key of the same person, and keeps its counter', async () => {
      await enrol();
      await enrol(keyOf('key-2', { sub: 'bob' }));
      const by = (counter: number, credentialId: string) => ({ use: use(counter, credentialId) });
      expect(await keys.enroll(keyOf('key-3'), by(5, 'key-1'), note, 1001)).toBe('stale');
      expect(await keys.enroll(keyOf('key-3'), by(6, 'key-2'), note, 1001)).toBe('stale');
      expect(await keys.enroll(keyOf('key-3'), by(6, 'key-1'), note, 1001)).toBe('enrolled');
      expect(await keys.byId('key-1')).toMatchObject({ counter: 6, lastUsedAt: 1001 });
      expect(await keys.byId('key-2')).toMatchObject({ counter: 5 });
    });

    it('removes a key, which is known but counts no more', async () => {
      await enrol();
      expect(await keys.remove({ sub: 'bob', credentialId: 'key-1' }, 'machine', note, 1001)).toBe('stale');
      expect(await keys.remove(keyOf('key-1'), 'machine', note, 1001)).toBe('removed');
      expect(await keys.remove(keyOf('key-1'), 'machine', note, 1002)).toBe('stale');
      expect(await keys.byId('key-1')).toMatchObject({ removedAt: 1001 });
      expect(await keys.listByPerson('alice')).toEqual([]);
      expect(await keys.recordUse(use(6), 1003)).toBe(false);
      expect(await keys.rename(keyOf('key-1'), 'x')).toBe(false);
    });

    it('removes a key by another of the same person alone', async () => {
      await enrol();
      await enrol(keyOf('key-2'));
      await enrol(keyOf('key-3', { sub: 'bob' }));
      const remove = (by: string, counter: number) =>
        keys.remove(keyOf('key-1'), { use: use(counter, by) }, note, 1001);
      expect(await remove('key-3', 6)).toBe('stale');
      expect(await remove('key-2', 5)).toBe('stale');
      expect(await keys.byId('key-1')).not.toHaveProperty('removedAt');
      expect(await remove('key-2', 6)).toBe('removed');
    });

    it('names a key again for its person alone', async () => {
      await enrol();
      expect(await keys.rename({ sub: 'bob', credentialId: 'key-1' }, 'bob’s')).toBe(false);
      expect(await keys.rename(keyOf('key-1'), 'tablet')).toBe(true);
      expect(await keys.byId('key-1')).toMatchObject({ name: 'tablet' });
    });

    it('has a counter rise only, and one of many at once', async () => {
      await enrol();
      expect(await keys.recordUse(use(5), 1001)).toBe(false);
      expect(await keys.recordUse(use(0), 1001)).toBe(false);
      const used = await opened.atOnce(10, ({ keys }) => keys.recordUse(use(6), 1002));
      expect(used.filter((one) => one === true)).toHaveLength(1);
      expect(await keys.byId('key-1')).toMatchObject({ counter: 6, lastUsedAt: 1002 });
    });

    it('takes no count for one that never counts', async () => {
      await enrol(keyOf('key-1', { counter: 0 }));
      expect(await keys.recordUse(use(0), 1001)).toBe(true);
      expect(await keys.recordUse(use(0), 1002)).toBe(true);
      expect(await keys.recordUse(use(1), 1003)).toBe(true);
      expect(await keys.recordUse(use(0), 1004)).toBe(false);
    });

    it('lists the grants that a person signed, newest first', async () => {
      await enrol();
      await enrol(keyOf('key-2', { sub: 'bob' }));
      const signed = (approval: string, count: number, digest = approval) =>
        keys.sign(signatureOf({ approval, digest, use: use(count) }), note, 1000 + count);
      await signed('gr_one', 6);
      await signed('pr_order', 7);
      await signed('gr_two', 8);
      await keys.sign(signatureOf({ approval: 'gr_bob', sub: 'bob', use: use(6, 'key-2') }), note, 1020);
      const [one, two] = [
        { approval: 'gr_one', signedAt: 1006 },
        { approval: 'gr_two', signedAt: 1008 },
      ];
      expect(await keys.listGrants('alice', 10)).toEqual([two, one]);
      expect(await keys.listGrants('alice', 1)).toEqual([two]);
      // Signed once more, by other evidence.
      await signed('gr_one', 9, 'another');
      expect(await keys.listGrants('alice', 10)).toEqual([{ ...one, signedAt: 1009 }, two]);
      expect(await opened.another().keys.listGrants('carol', 10)).toEqual([]);
    });

    it('keeps what was signed and the counter in one, once', async () => {
      await enrol();
      const before = await lines();
      expect(await keys.hasSignature(signatureOf())).toBe(false);
      expect(await keys.sign(signatureOf(), note, 1001)).toBe('kept');
      expect(await keys.hasSignature(signatureOf())).toBe(true);
      expect(await keys.byId('key-1')).toMatchObject({ counter: 6, lastUsedAt: 1001, backedUp: true });
      expect(await opened.another().keys.sign(signatureOf(), note, 1002)).toBe('known');
      expect(await keys.byId('key-1')).toMatchObject({ lastUsedAt: 1001 });
      expect(await lines()).toBe(before + 1);
    });

    it('keeps nothing of what is signed with an old count, a removed key or somebody else’s', async () => {
      await enrol();
      const before = await lines();
      expect(await keys.sign(signatureOf({ use: use(5) }), note, 1001)).toBe('stale');
      expect(await keys.sign(signatureOf({ sub: 'bob' }), note, 1001)).toBe('stale');
      expect(await lines()).toBe(before);
      await keys.remove(keyOf('key-1'), 'machine', note, 1002);
      expect(await keys.sign(signatureOf(), note, 1003)).toBe('stale');
      expect(await keys.hasSignature(signatureOf())).toBe(false);
      expect(await keys.byId('key-1')).toMatchObject({ counter: 5 });
    });

    it('tells approvals, people and evidence apart', async () => {
      await enrol();
      await enrol(keyOf('key-2', { sub: 'bob' }));
      await keys.sign(signatureOf(), note, 1001);
      for (const other of [{ approval: 'pr_2' }, { sub: 'bob' }, { digest: 'digest-2' }]) {
        expect(await keys.hasSignature(signatureOf(other))).toBe(false);
      }
      expect(await keys.sign(signatureOf({ sub: 'bob', use: use(6, 'key-2') }), note, 1002)).toBe('kept');
      const later = { digest: 'digest-2', evidence: { method: 'webauthn', later: true }, use: use(7) };
      expect(await keys.sign(signatureOf(later), note, 1003)).toBe('kept');
      // The latest of what one person signed, in every process.
      const mine = { sub: 'alice', approval: 'pr_1' };
      expect(await opened.another().keys.evidence(mine)).toEqual(later.evidence);
      expect(await keys.evidence({ ...mine, sub: 'bob' })).toEqual(signatureOf().evidence);
      expect(await keys.evidence({ ...mine, approval: 'pr_2' })).toBeUndefined();
    });

    it('keeps a signature for one of many at once', async () => {
      await enrol();
      const kept = await opened.atOnce(10, ({ keys }, n) =>
        keys.sign(signatureOf({ digest: `digest-${n}` }), note, 1001),
      );
      expect(kept.toSorted()).toEqual(['kept', ...Array(9).fill('stale')]);
    });
  });
}
