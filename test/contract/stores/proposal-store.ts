import { describe, expect, it } from 'vitest';
import type { ProposalChange, ProposalDraft, StoredProposal } from '../../../src/store/proposal-store.ts';
import { aProposalDraft } from '../../fixtures/builders.ts';
import { proposalsIn, proposedNote } from './drafted-proposals.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store of proposals promises. */
export function proposalStoreContract(open: OpenStores): void {
  const opened = openForEach(open);
  const store = opened.the('proposals');

  const proposals = proposalsIn(store);
  const asker = { sub: 'alice', client: 'trade-agent', typed: true };
  const draftOf = (id: string, more: Partial<ProposalDraft> = {}) =>
    aProposalDraft(id, { warnings: ['one'], shows: { Company: 'Apple' }, ...more });
  const keyOf = (key: string, request = 'body') => ({ sub: 'alice', client: 'trade-agent', key, request });
  const drafted = (id: string, more: Partial<ProposalDraft> = {}, now = 1000) =>
    proposals.drafted(id, draftOf(id, more), now);
  const change = (seen: StoredProposal, to: Partial<ProposalChange>, unlessHalted = false, now = 2000) =>
    proposals.change(seen, to, now, unlessHalted);
  const noted = () => opened.stores.audit.pendingCount();

  describe('a store of proposals', () => {
    it('keeps what was drafted, with its key and its line of the record', async () => {
      const one = await drafted('one');
      expect(one).toMatchObject({
        ...draftOf('one'),
        state: 'drafted',
        createdAt: 1000,
        updatedAt: 1000,
        expiresAt: 9000,
        asked: 0,
        hasToken: false,
        result: undefined,
      });
      expect(await store.get('one')).toEqual(one);
      expect(await store.keyed(keyOf('one'))).toEqual({ request: 'body', proposal: one });
      expect(await noted()).toBe(1);
    });

    it('has one proposal for a key, whatever else is asked under it', async () => {
      const one = await drafted('one');
      const standing = await store.snapshot(asker, 0);
      const again = await store.draft(draftOf('two'), keyOf('one', 'other'), standing, proposedNote('two'), 1001);
      expect(again).toEqual({ outcome: 'known', request: 'body', proposal: one });
      expect([await store.get('two'), await noted()]).toEqual([undefined, 1]);
    });

    it('drafts one of many that saw the same, in this process and another', async () => {
      const standing = await store.snapshot(asker, 0);
      const stores = [store, opened.another().proposals];
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, async (_, n) => {
          const draft = draftOf(`p${n}`);
          return (await stores[n % 2]?.draft(draft, keyOf(`k${n}`), standing, proposedNote(draft.id), 1000))?.outcome;
        }),
      );
      expect(outcomes.toSorted()).toEqual(['drafted', ...Array(9).fill('stale')]);
      expect([(await store.list({ state: 'all' })).length, await noted()]).toEqual([1, 1]);
    });

    it.each<[string, () => Promise<unknown>]>([
      ['another of theirs', () => drafted('other', { client: 'another' })],
      [
        'a change of one',
        async () => {
          await change((await store.get('one')) as StoredProposal, { state: 'cancelled' });
        },
      ],
      ['a halt', () => opened.stores.halts.halt('alice', 'trade-agent', 1000)],
      [
        'the end of a halt',
        async () => {
          await opened.stores.halts.lift('alice', 500, 1000);
        },
      ],
    ])('drafts nothing, and keeps no key, by an epoch that %s has ended', async (_, happens) => {
      await opened.stores.halts.halt('alice', 'trade-agent', 500);
      if (_ === 'a halt') await opened.stores.halts.lift('alice', 500, 600);
      const one = await drafted('one');
      const standing = await store.snapshot(asker, 0);
      await happens();
      const lines = await noted();
      const draft = await store.draft(draftOf('two'), keyOf('two'), standing, proposedNote('two'), 1001);
      expect(draft).toEqual({ outcome: 'stale' });
      expect(await store.addKey(keyOf('two'), one.id, standing)).toEqual({ outcome: 'stale' });
      expect(await store.keyed(keyOf('two'))).toBeUndefined();
      expect([await store.get('two'), await noted()]).toEqual([undefined, lines]);
    });

    it('knows nothing of other people in an epoch', async () => {
      const standing = await store.snapshot(asker, 0);
      await drafted('bobs', { sub: 'bob' });
      await opened.stores.halts.halt('bob', 'trade-agent', 1000);
      expect((await store.snapshot(asker, 0)).epoch).toBe(standing.epoch);
    });

    it('lets another key stand for a proposal', async () => {
      const one = await drafted('one');
      const standing = await store.snapshot(asker, 0);
      expect(await store.addKey(keyOf('again', 'other'), 'one', standing)).toEqual({ outcome: 'kept' });
      expect(await store.keyed(keyOf('again'))).toEqual({ request: 'other', proposal: one });
      expect(await store.addKey(keyOf('again'), 'one', standing)).toEqual({
        outcome: 'known',
        request: 'other',
        proposal: one,
      });
    });

    it('counts how a proposer stands', async () => {
      const one = await drafted('one', {}, 1000);
      await drafted('two', { typed: false }, 2000);
      await drafted('three', { client: 'another' }, 3000);
      const four = await drafted('four', { fingerprint: 'MSFT 1' }, 4000);
      await change(four, { state: 'denied' }, false, 5000);
      const query = { ...asker, fingerprint: 'AAPL 5' };
      expect(await store.snapshot(query, 1500)).toMatchObject({
        haltedAt: undefined,
        open: 1,
        lastHour: 1,
        decided: [{ state: 'denied', at: 5000 }],
        sameOpen: one,
        sameRecently: 2,
      });
      await opened.stores.halts.halt('alice', 'trade-agent', 6000);
      expect(await store.snapshot(asker, 1500)).toMatchObject({
        haltedAt: 6000,
        sameOpen: undefined,
        sameRecently: 0,
      });
    });

    it('has the codes of all that is open of a person, whoever proposed it, and of nobody else', async () => {
      const one = await drafted('one', { code: '0001' });
      await drafted('two', { code: '0002', client: 'another' });
      await drafted('three', { code: '0003', sub: 'bob' });
      const openCodes = async () => (await store.snapshot(asker, 0)).openCodes.toSorted();
      expect(await openCodes()).toEqual(['0001', '0002']);
      const executing = await change(one, { state: 'executing' });
      expect(await openCodes()).toEqual(['0001', '0002']);
      await change(executing.proposal, { state: 'executed' });
      expect(await openCodes()).toEqual(['0002']);
    });

    it('changes a proposal for one of many that saw the same', async () => {
      const one = await drafted('one');
      const changes = await opened.atOnce(10, ({ proposals }, n) =>
        proposalsIn(proposals).change(one, { state: 'requested', asked: n }),
      );
      expect(changes.map((made) => made?.outcome).toSorted()).toEqual(['moved', ...Array(9).fill('stale')]);
      const after = await store.get('one');
      expect(after).toMatchObject({ state: 'requested', updatedAt: 2000 });
      for (const made of changes) expect(made?.proposal).toEqual(after);
      expect(await noted()).toBe(2);
    });

    it('writes nothing of a change that fails', async () => {
      await change(await drafted('one'), { authReqId: 'taken' });
      const two = await drafted('two');
      await expect(change(two, { authReqId: 'taken', state: 'requested' })).rejects.toThrow();
      expect([await store.get('two'), await noted()]).toEqual([two, 3]);
    });

    it('changes nothing under a halt that must not be', async () => {
      const one = await drafted('one');
      await opened.stores.halts.halt('alice', 'trade-agent', 1500);
      expect(await change(one, { state: 'executing' }, true)).toEqual({ outcome: 'halted', proposal: one });
      expect(await change(one, { state: 'executing' })).toMatchObject({ outcome: 'moved' });
    });

    it('keeps a sealed token, or erases it', async () => {
      const sealed = Buffer.from('sealed');
      const { proposal: one } = await change(await drafted('one'), { token: { sealed, expiresAt: 7000 } });
      expect(one).toMatchObject({ hasToken: true, tokenExpiresAt: 7000 });
      const { proposal: kept } = await change(one, { result: { order: 1 } });
      expect(kept).toMatchObject({ hasToken: true, tokenExpiresAt: 7000, result: { order: 1 } });
      expect(await store.sealedToken('one')).toEqual(sealed);
      const { proposal: over } = await change(kept, { token: 'erased' });
      expect(over).toMatchObject({ hasToken: false, tokenExpiresAt: undefined });
      expect(await store.sealedToken('one')).toBeUndefined();
    });

    it('gives each change of any a version above all before', async () => {
      const one = await drafted('one');
      const two = await drafted('two');
      const bobs = await drafted('bobs', { sub: 'bob' });
      const { proposal: after } = await change(one, { state: 'cancelled' });
      expect([one, two, bobs, after].map(({ version }) => version)).toEqual(
        [one, two, bobs, after].map(({ version }) => version).toSorted((a, b) => a - b),
      );
      expect(await store.version('alice')).toBe(after.version);
      expect((await store.changedSince('alice', one.version)).map(({ id }) => id)).toEqual(['two', 'one']);
      expect(await store.changedSince('carol', 0)).toEqual([]);
    });

    it('lists what is open, and finds a proposal by its question', async () => {
      const one = await drafted('one', {}, 1000);
      await drafted('two', {}, 2000);
      await drafted('bobs', { sub: 'bob' }, 3000);
      await change(one, { state: 'expired', authReqId: 'auth-1' });
      const ids = (found: readonly StoredProposal[]) => found.map(({ id }) => id);
      expect(ids(await store.list({ state: 'open' }))).toEqual(['bobs', 'two']);
      expect(ids(await store.list({ sub: 'alice', state: 'all' }))).toEqual(['two', 'one']);
      expect(ids(await store.list({ sub: 'alice', state: 'all', limit: 1 }))).toEqual(['two']);
      expect((await store.byAuthReqId('auth-1'))?.id).toBe('one');
      expect((await store.bySubject('alice', one.subjectId))?.id).toBe('one');
      expect(await store.bySubject('bob', one.subjectId)).toBeUndefined();
    });

    it('remembers what the phone was told, and never less', async () => {
      const { proposal: over } = await change(await drafted('one'), {
        state: 'expired',
        authReqId: 'auth-1',
      });
      await change(await drafted('two'), { state: 'denied', authReqId: 'auth-2' });
      await drafted('three');
      expect(await store.unreported()).toEqual([over]);
      await store.markReported('one', over.version);
      await store.markReported('one', over.version - 1);
      expect(await store.unreported()).toEqual([]);
    });
  });

  describe('a store of halts', () => {
    it('halts once, and ends the halt that was read alone', async () => {
      const { halts } = opened.stores;
      expect(await halts.haltedAt('alice')).toBeUndefined();
      const both = [halts, opened.another().halts];
      const since = await Promise.all([1, 2, 3, 4].map((n) => both[n % 2]?.halt('alice', 'cli', 1000 * n)));
      expect(new Set(since).size).toBe(1);
      const at = since[0] ?? 0;
      expect(await halts.haltedAt('alice')).toBe(at);
      expect(await halts.haltedAt('bob')).toBeUndefined();
      expect(await halts.lift('alice', at + 1, 9000)).toBe(false);
      const lifted = await Promise.all(both.map((one) => one.lift('alice', at, 9000)));
      expect(lifted.toSorted()).toEqual([false, true]);
      // Each change is on the record once.
      expect(await noted()).toBe(2);
    });
  });
}
