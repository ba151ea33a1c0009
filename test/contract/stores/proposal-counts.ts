import { describe, expect, it } from 'vitest';
import type { ProposalDraft } from '../../../src/store/proposal-store.ts';
import type { ProposalState } from '../../../src/trading/proposal.ts';
import { proposalsIn } from './drafted-proposals.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** Which proposals a store finds and counts, in which order, and which it refuses. */
export function proposalCountsContract(open: OpenStores): void {
  const opened = openForEach(open);
  const store = opened.the('proposals');

  const asker = { sub: 'alice', client: 'trade-agent', typed: true };
  const query = { ...asker, fingerprint: 'AAPL 5' };
  const proposals = proposalsIn(store);
  const drafted = (id: string, more: Partial<ProposalDraft> = {}, now = 1000) =>
    proposals.drafted(id, more, now, `${id} of ${more.subjectId ?? `ta-${id}`}`);
  const change = async (...given: Parameters<typeof proposals.change>) => (await proposals.change(...given)).proposal;

  describe('a store of proposals, of each state,', () => {
    it.each<[ProposalState, string]>([
      ['drafted', 'open, asked'],
      ['requested', 'open, asked'],
      ['approved', 'open, decided'],
      ['executing', 'open, decided'],
      ['unknown', 'open, decided, told'],
      ['executed', 'decided, told'],
      ['denied', 'decided'],
      ['expired', 'told'],
      ['cancelled', 'told'],
      ['blocked', 'told'],
    ])('has %s where it belongs: %s', async (state, text) => {
      const where = text.split(', ');
      await change(await drafted('one'), { state, authReqId: 'auth-1' });
      const standing = await store.snapshot(query, 0);
      const isOpen = where.includes('open');
      expect({
        listed: (await store.list({ state: 'open' })).length,
        openCount: await store.openCount(),
        open: standing.open,
        codes: standing.openCodes.length,
        asked: standing.sameOpen?.id,
        decided: standing.decided.length,
        untold: (await store.unreported()).length,
        untoldSince: await store.oldestUnreported(),
      }).toEqual({
        listed: isOpen ? 1 : 0,
        openCount: isOpen ? 1 : 0,
        open: isOpen ? 1 : 0,
        codes: isOpen ? 1 : 0,
        asked: where.includes('asked') ? 'one' : undefined,
        decided: where.includes('decided') ? 1 : 0,
        untold: where.includes('told') ? 1 : 0,
        untoldSince: where.includes('told') ? (await store.get('one'))?.updatedAt : undefined,
      });
    });
  });

  describe('a store of proposals', () => {
    it('finds what asks for the same among this client’s alone, the oldest', async () => {
      await drafted('elsewhere', { client: 'another' }, 500);
      expect((await store.snapshot(query, 0)).sameOpen).toBeUndefined();
      await drafted('newer', {}, 3000);
      await drafted('older', {}, 2000);
      expect(await store.snapshot(query, 0)).toMatchObject({ sameOpen: { id: 'older' }, sameRecently: 3 });
    });

    it('has the latest two decisions, newest first, within a millisecond by their versions', async () => {
      const [one, two, three] = [await drafted('one'), await drafted('two'), await drafted('three')];
      await change(two, { state: 'denied' });
      await change(three, { state: 'approved' });
      await change(one, { state: 'executed' });
      expect((await store.snapshot(asker, 0)).decided.map(({ state }) => state)).toEqual(['executed', 'approved']);
    });

    it('keeps the order of their drafting within a millisecond', async () => {
      for (const id of ['b', 'c', 'a']) await drafted(id);
      expect((await store.list({ state: 'all' })).map(({ id }) => id)).toEqual(['a', 'c', 'b']);
    });

    it('tells 500 changes at a time, the earliest', async () => {
      for (let number = 1; number <= 501; number++) await drafted(`${number}`);
      const first = await store.changedSince('alice', 0);
      expect([first.length, first.at(-1)?.id]).toEqual([500, '500']);
      const rest = await store.changedSince('alice', first.at(-1)?.version ?? 0);
      expect(rest.map(({ id }) => id)).toEqual(['501']);
    });

    it.each([
      ['of an id there is', 'one', 'ta-two'],
      ['of a subject there is', 'two', 'ta-one'],
    ])('drafts none %s, and writes nothing', async (_, id, subjectId) => {
      const one = await drafted('one');
      await expect(drafted(id, { subjectId })).rejects.toThrow();
      expect(await store.list({ state: 'all' })).toEqual([one]);
      const key = { sub: 'alice', client: 'trade-agent', key: `${id} of ${subjectId}` };
      expect(await store.keyed(key)).toBeUndefined();
      expect(await opened.stores.audit.pendingCount()).toBe(1);
    });

    it('drafts another person’s of the same subject', async () => {
      await drafted('one');
      expect(await drafted('bobs', { sub: 'bob', subjectId: 'ta-one' })).toMatchObject({ sub: 'bob' });
    });

    it('sets the seconds between polls, five at first, and the version stays', async () => {
      const one = await drafted('one');
      expect(one.interval).toBe(5);
      await store.setInterval('one', 10);
      expect(await store.get('one')).toEqual({ ...one, interval: 10 });
    });

    it('keeps what was written, whatever becomes of the caller’s object', async () => {
      const subject = { qty: '5', note: undefined };
      await drafted('one', { subject });
      subject.qty = '500';
      expect((await store.get('one'))?.subject).toStrictEqual({ qty: '5' });
    });

    it('changes none that it never had', async () => {
      const one = await drafted('one');
      await expect(change({ ...one, id: 'another' }, { state: 'cancelled' })).rejects.toThrow();
    });
  });
}
