import { describe, expect, it } from 'vitest';
import type { ProposalDraft } from '../../../src/store/proposal-store.ts';
import { proposalsIn } from './drafted-proposals.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What a store promises where an owner, somebody else who proposes, and a second person have a part in a proposal. */
export function proposalPartiesContract(open: OpenStores): void {
  const opened = openForEach(open);
  const store = opened.the('proposals');

  const proposals = proposalsIn(store);
  let made = 0;
  const drafted = (id: string, { by, ...more }: Partial<ProposalDraft> & { by?: string } = {}) =>
    proposals.drafted(id, { typed: false, proposedBy: by, ...more }, 1000 + made++);
  const change = async (...given: Parameters<typeof proposals.change>) => (await proposals.change(...given)).proposal;
  const ids = (found: readonly { id: string }[]) => found.map(({ id }) => id);

  describe('a store of proposals for others', () => {
    it('lists an owner’s, and for each who has a part their own, newest first', async () => {
      await drafted('pr_1');
      await drafted('pr_2', { by: 'bob' });
      await drafted('pr_3', { sub: 'bob' });
      await drafted('pr_4', { by: 'carol' });
      const open = { state: 'open' } as const;
      expect(ids(await store.list({ sub: 'alice', ...open }))).toEqual(['pr_4', 'pr_2', 'pr_1']);
      expect(ids(await store.list({ sub: 'bob', ...open }))).toEqual(['pr_3']);
      expect(ids(await store.list({ party: 'bob', ...open }))).toEqual(['pr_3', 'pr_2']);
      expect(ids(await store.list({ party: 'bob', ...open, limit: 1 }))).toEqual(['pr_3']);
      expect(ids(await store.list({ party: 'carol', state: 'all' }))).toEqual(['pr_4']);
    });

    it('tells each of the changes that they have a part in, in order', async () => {
      const his = await drafted('pr_1', { by: 'bob' });
      await drafted('pr_2');
      await drafted('pr_3', { sub: 'bob' });
      await change(his, { state: 'requested' });
      expect(ids(await store.changedSince('bob', 0))).toEqual(['pr_3', 'pr_1']);
      expect(ids(await store.changedSince('alice', 0))).toEqual(['pr_2', 'pr_1']);
    });

    it('counts apart what each proposes of one owner’s, by one client', async () => {
      await drafted('pr_1');
      await change(await drafted('pr_2', { by: 'bob' }), { state: 'denied' });
      await drafted('pr_3', { by: 'bob' });
      const asker = { sub: 'alice', client: 'trade-agent', typed: false, fingerprint: 'AAPL 5' };
      const own = await store.snapshot(asker, 0);
      const his = await store.snapshot({ ...asker, proposedBy: 'bob' }, 0);
      expect([own.open, own.lastHour, own.decided.length, own.sameOpen?.id]).toEqual([1, 1, 0, 'pr_1']);
      expect([his.open, his.lastHour, his.decided.length, his.sameOpen?.id]).toEqual([1, 2, 1, 'pr_3']);
      // Whose codes are taken, and how often the same was asked, is the owner's.
      expect([his.openCodes.length, his.sameRecently]).toEqual([own.openCodes.length, own.sameRecently]);
      expect(his.epoch).toBe(own.epoch);
    });

    it('keeps a proposer’s keys apart from the owner’s', async () => {
      const his = await drafted('pr_1', { by: 'bob' });
      const key = { client: 'trade-agent', key: 'pr_1' };
      expect((await store.keyed({ ...key, sub: 'bob' }))?.proposal.id).toBe('pr_1');
      expect(await store.keyed({ ...key, sub: 'alice' })).toBeUndefined();
      const { epoch } = await store.snapshot({ sub: 'alice', client: 'trade-agent', typed: false }, 0);
      const another = { ...key, sub: 'bob', key: 'another', request: 'body' };
      expect(await store.addKey(another, his.id, { epoch: 'stale' })).toEqual({ outcome: 'stale' });
      expect(await store.addKey(another, his.id, { epoch })).toEqual({ outcome: 'kept' });
    });
  });

  describe('a store of proposals of other agents', () => {
    const provenance = (source: 'user' | 'other') =>
      ({ fields: { symbol: { source }, qty: { source: 'user' } } }) as const;

    it('keeps that a code has to be typed, and leaves it out elsewhere', async () => {
      await drafted('pr_1', { codeEntry: 'typed' });
      await drafted('pr_2');
      const other = opened.another().proposals;
      expect((await other.get('pr_1'))?.codeEntry).toBe('typed');
      expect((await other.get('pr_2'))?.codeEntry).toBeUndefined();
    });

    it('knows which symbols a person named in their own words', async () => {
      await drafted('pr_1', { subject: { symbol: 'AAPL' }, provenance: provenance('user') });
      await drafted('pr_2', { subject: { symbol: 'GME' }, provenance: provenance('other') });
      await drafted('pr_3', { subject: { symbol: 'KO' }, provenance: null });
      expect(await store.hasNamed('alice', 'AAPL')).toBe(true);
      for (const symbol of ['GME', 'KO', 'MSFT', '']) expect(await store.hasNamed('alice', symbol)).toBe(false);
      expect(await store.hasNamed('bob', 'AAPL')).toBe(false);
    });
  });

  describe('a store of what takes two', () => {
    it('keeps the owner’s yes and the second person’s apart, to another process too, and erases both', async () => {
      const first = await drafted('pr_1', { second: 'carol' });
      expect(first).toMatchObject({ second: 'carol', ownerAuthReqId: undefined, hasToken: false });
      const [one, two] = [Buffer.from('the owner’s'), Buffer.from('the second’s')];
      const asked = await change(first, { state: 'requested', authReqId: 'q1' });
      const half = await change(asked, { ownerAuthReqId: 'q1', token: { sealed: one, expiresAt: 5000 } });
      expect(half).toMatchObject({
        state: 'requested',
        hasToken: true,
        ownerAuthReqId: 'q1',
        authReqId: 'q1',
      });
      const again = await change(half, { authReqId: 'q2' });
      expect((await store.byAuthReqId('q2'))?.id).toBe('pr_1');
      const both = await change(again, { state: 'approved', secondToken: two });
      const other = opened.another().proposals;
      expect(await other.sealedToken('pr_1')).toEqual(one);
      expect(await other.sealedToken('pr_1', 'second')).toEqual(two);
      expect(await other.get('pr_1')).toMatchObject({
        ownerAuthReqId: 'q1',
        authReqId: 'q2',
        tokenExpiresAt: 5000,
      });
      await change(both, { state: 'cancelled', token: 'erased' });
      expect(await other.sealedToken('pr_1')).toBeUndefined();
      expect(await other.sealedToken('pr_1', 'second')).toBeUndefined();
    });
  });
}
