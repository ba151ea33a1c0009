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
  const message = { service_id: '17.1' } as SentMessage;
  const problem = { code: 'message_rejected', status: 422 } as Problem;
  const claimed = async (): Promise<MessageJournalEntry> => {
    const { outcome, ...more } = await journal.claim(claim, 1000);
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
      const bobs = await journal.claim({ ...claim, sub: 'bob', approval: approvalOf('jti-2') }, 1000);
      expect(bobs.outcome).toBe('claimed');
    });

    it('lets an approval be used once, and a refused claim leaves no trace', async () => {
      await claimed();
      expect(await journal.claim({ ...claim, id: 'ta-00000002' }, 1001)).toEqual({
        outcome: 'approval_used',
      });
      expect(await journal.find('alice', 'ta-00000002')).toBeUndefined();
    });

    it('gives a claim to one of many at once, in this process and another', async () => {
      const claims = await opened.atOnce(20, ({ messages }, n) =>
        messages.claim({ ...claim, approval: approvalOf(`jti-${n}`) }, 1000),
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
      expect(await journal.reclaim(after.entry, 1002)).toMatchObject({ outcome: 'stale' });
      expect(await found()).toEqual(after.entry);
    });

    it('gives the right to send again what was not taken to one of many at once', async () => {
      const { entry } = await journal.finish(await claimed(), { state: 'ready' }, 1001);
      expect(entry.state).toBe('ready');
      const rights = await opened.atOnce(10, ({ messages }) => messages.reclaim(entry, 1002));
      const outcomes = rights.map((one) => one?.outcome);
      expect(outcomes.toSorted()).toEqual(['moved', ...Array(9).fill('stale')]);
      expect(await found()).toMatchObject({ state: 'intent' });
    });

    it('hears no late word about an earlier handing over', async () => {
      const first = await claimed();
      const { entry: ready } = await journal.finish(first, { state: 'ready' }, 1001);
      const { entry: second } = await journal.reclaim(ready, 1002);
      expect(await journal.finish(first, { state: 'unknown' }, 1003)).toEqual({
        outcome: 'stale',
        entry: second,
      });
      expect(await journal.finish(second, { state: 'sent', message }, 1004)).toMatchObject({
        outcome: 'moved',
        entry: { state: 'sent', message },
      });
    });
  });
}
