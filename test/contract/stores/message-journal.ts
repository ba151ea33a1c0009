import { describe, expect, it } from 'vitest';
import type { MessageJournalEntry } from '../../../src/store/message-journal.ts';
import type { MessageDraft, SentMessage } from '../../../src/trading/message.ts';
import type { Problem } from '../../../src/trading/views.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every journal of messages promises. */
export function messageJournalContract(open: OpenStores): void {
  const opened = openForEach(open);
  const journal = opened.the('messages');

  const approvalOf = (jti: string) => ({ issuer: 'https://issuer.example', jti });
  const draft = { service: 'slack', text: 'Hello.' } as MessageDraft;
  const claim = { sub: 'alice', id: 'ta-00000001', digest: 'digest', approval: approvalOf('jti-1'), draft };
  const unlimited = { since: 0, max: 100 };
  const message = { service_id: '17.1' } as SentMessage;
  const problem = { code: 'message_rejected', status: 422 } as Problem;
  const claimed = async (): Promise<MessageJournalEntry> => {
    const { outcome, ...more } = await journal.claim(claim, unlimited, 1000);
    if (outcome !== 'claimed' || !('entry' in more)) throw new Error(outcome);
    return more.entry;
  };
  const found = () => journal.find('alice', 'ta-00000001');

  describe('a journal of messages', () => {
    it('writes the intent and uses the approval in one', async () => {
      expect(await claimed()).toMatchObject({ state: 'intent', digest: 'digest', message: undefined });
      expect(await found()).toEqual(expect.objectContaining({ state: 'intent' }));
    });

    it('keeps each user’s ids apart', async () => {
      await claimed();
      const bobs = await journal.claim({ ...claim, sub: 'bob', approval: approvalOf('jti-2') }, unlimited, 1000);
      expect(bobs.outcome).toBe('claimed');
    });

    it('lets an approval be used once, and a refused claim leaves no trace', async () => {
      await claimed();
      expect(await journal.claim({ ...claim, id: 'ta-00000002' }, unlimited, 1001)).toEqual({
        outcome: 'approval_used',
      });
      expect(await journal.find('alice', 'ta-00000002')).toBeUndefined();
    });

    it('gives a claim to one of many at once, in this process and another', async () => {
      const claims = await opened.atOnce(20, ({ messages }, n) =>
        messages.claim({ ...claim, approval: approvalOf(`jti-${n}`) }, unlimited, 1000),
      );
      const outcomes = claims.map((one) => one?.outcome);
      expect(outcomes.toSorted()).toEqual(['claimed', ...Array(19).fill('known')]);
    });

    it.each([
      ['sent', { state: 'sent', message } as const],
      ['refused', { state: 'refused', problem } as const],
      ['unknown', { state: 'unknown' } as const],
    ])('keeps that it was %s, for good', async (state, result) => {
      const entry = await claimed();
      const after = await journal.finish(entry, result, 1001);
      expect(after).toMatchObject({ outcome: 'moved', entry: { state } });
      expect(await journal.finish(after.entry, { state: 'unknown' }, 1002)).toEqual({
        outcome: 'stale',
        entry: after.entry,
      });
      expect(await journal.reclaim(after.entry, unlimited, 1002)).toMatchObject({ outcome: 'stale' });
      expect(await found()).toEqual(after.entry);
    });

    it('gives the right to send again what was not taken to one of many at once', async () => {
      const { entry } = await journal.finish(await claimed(), { state: 'ready' }, 1001);
      expect(entry.state).toBe('ready');
      const rights = await opened.atOnce(10, ({ messages }) => messages.reclaim(entry, unlimited, 1002));
      const outcomes = rights.map((one) => one?.outcome);
      expect(outcomes.toSorted()).toEqual(['moved', ...Array(9).fill('stale')]);
      expect(await found()).toMatchObject({ state: 'intent' });
    });

    it('hears no late word about an earlier handing over', async () => {
      const first = await claimed();
      const { entry: ready } = await journal.finish(first, { state: 'ready' }, 1001);
      const reclaimed = await journal.reclaim(ready, unlimited, 1002);
      if (reclaimed.outcome === 'over_limit') throw new Error(reclaimed.outcome);
      const { entry: second } = reclaimed;
      expect(await journal.finish(first, { state: 'unknown' }, 1003)).toEqual({
        outcome: 'stale',
        entry: second,
      });
      expect(await journal.finish(second, { state: 'sent', message }, 1004)).toMatchObject({
        outcome: 'moved',
        entry: { state: 'sent', message },
      });
    });

    const nth = (n: number, sub = 'alice') => ({
      ...{ ...claim, sub, id: `ta-1000000${n}` },
      approval: approvalOf(`${sub} ${n}`),
    });
    const claimNth = async (n: number, now: number, limit = { since: 1000, max: 2 }) =>
      journal.claim(nth(n), limit, now);
    const entryOf = async (n: number): Promise<MessageJournalEntry> => {
      const entry = await journal.find('alice', nth(n).id);
      if (entry === undefined) throw new Error('no such message');
      return entry;
    };

    it('sends no more than a day’s messages of each person, and forgets what it refused', async () => {
      await claimNth(1, 999);
      expect((await claimNth(2, 1000)).outcome).toBe('claimed');
      expect((await claimNth(3, 1001)).outcome).toBe('claimed');
      expect(await claimNth(4, 1002)).toEqual({ outcome: 'over_limit' });
      expect(await journal.find('alice', nth(4).id)).toBeUndefined();
      expect((await journal.claim(nth(4, 'bob'), { since: 1000, max: 2 }, 1002)).outcome).toBe('claimed');
      // The refused claim used no approval, and the next day has messages of its own.
      expect((await claimNth(4, 2000, { since: 2000, max: 2 })).outcome).toBe('claimed');
      expect(await journal.countSince('alice', 1000)).toBe(3);
    });

    it('tells of a message it knows, also past the limit', async () => {
      await claimNth(1, 1000);
      expect((await claimNth(1, 1001, { since: 1000, max: 1 })).outcome).toBe('known');
    });

    it('counts what was sent or may have been, and not what was not', async () => {
      const results = [
        { state: 'sent', message },
        { state: 'unknown' },
        { state: 'refused', problem },
        { state: 'ready' },
      ] as const;
      for (const [n, result] of results.entries()) {
        await claimNth(n, 1000, unlimited);
        await journal.finish(await entryOf(n), result, 1001);
      }
      expect(await journal.countSince('alice', 1000)).toBe(2);
    });

    it('sends nothing again past the limit that others have reached meanwhile', async () => {
      await claimNth(1, 1000);
      const { entry: ready } = await journal.finish(await entryOf(1), { state: 'ready' }, 1001);
      await claimNth(2, 1002);
      await claimNth(3, 1003);
      expect(await journal.reclaim(ready, { since: 1000, max: 2 }, 1004)).toEqual({ outcome: 'over_limit' });
      expect(await entryOf(1)).toEqual(ready);
      expect(await journal.reclaim(ready, { since: 1000, max: 3 }, 1005)).toMatchObject({ outcome: 'moved' });
      expect(await journal.reclaim(ready, { since: 1000, max: 3 }, 1006)).toMatchObject({ outcome: 'stale' });
    });

    it('gives a day’s places to as many as there are of many at once, in this process and another', async () => {
      const claims = await opened.atOnce(20, ({ messages }, n) =>
        messages.claim({ ...claim, id: `ta-2000${n}`, approval: approvalOf(`${n}`) }, { since: 0, max: 5 }, 1000),
      );
      const outcomes = claims.map(({ outcome }) => outcome).toSorted();
      expect(outcomes).toEqual([...Array(5).fill('claimed'), ...Array(15).fill('over_limit')]);
      expect(await journal.countSince('alice', 0)).toBe(5);
    });
  });
}
