import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_STEP_DELAY_MS } from '../../../src/store/proposal-queue.ts';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { proposalsIn } from './drafted-proposals.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

const HOUR_MS = 3_600_000;

/** What every queue of proposals promises. */
export function proposalQueueContract(open: OpenStores): void {
  const opened = openForEach(open);
  const queue = opened.the('queue');
  const proposals = proposalsIn(opened.the('proposals'));
  // A database that several processes share goes by its own clock.
  const now = Date.now();
  const due = async (limit = 10, at = now) => (await queue.claimDue(limit, at)).ids;
  const waiting = async (id: string, ms: number | undefined): Promise<StoredProposal> => {
    const drafted = await proposals.drafted(id, {}, now);
    expect(await queue.claim(id, false)).toBe(true);
    await queue.release(id, ms, now);
    return drafted;
  };

  describe('a queue of proposals', () => {
    it('has the time of the next step of each, and hands out those that are due, the longest due first', async () => {
      await waiting('later', HOUR_MS / 60);
      await waiting('second', -1000);
      await waiting('first', -2000);
      await waiting('third', 0);
      expect(await due(2)).toEqual(['first', 'second']);
      const { ids, nextMs = 0 } = await queue.claimDue(10, now);
      expect(ids).toEqual(['third']);
      // The claims end before the next step is due.
      expect(nextMs).toBeGreaterThan(0);
      expect(nextMs).toBeLessThanOrEqual(HOUR_MS / 60);
      expect(await due()).toEqual([]);
    });

    it('says for how long the one that is due the longest has been due, unless it is claimed', async () => {
      expect(await queue.overdueMs(now)).toBe(0);
      await waiting('later', 60_000);
      expect(await queue.overdueMs(now)).toBe(0);
      await waiting('second', -20_000);
      await waiting('first', -60_000);
      const oldest = await queue.overdueMs(now);
      expect(oldest).toBeGreaterThanOrEqual(60_000);
      expect(await due(1)).toEqual(['first']);
      const next = await queue.overdueMs(now);
      expect(next).toBeGreaterThanOrEqual(20_000);
      expect(next).toBeLessThan(oldest);
    });

    it('says whether what is released is due', async () => {
      await proposals.drafted('one', {}, now);
      await queue.claim('one', false);
      expect(await queue.release('one', 10_000.4, now)).toBe(false);
      await queue.claim('one', false);
      expect(await queue.release('one', 0, now)).toBe(true);
      expect(await due()).toEqual(['one']);
    });

    it('hands out nothing for which no step is planned, until all that is open is made due', async () => {
      await waiting('one', undefined);
      expect(await due()).toEqual([]);
      await queue.makeAllDue(now);
      expect(await due()).toEqual(['one']);
    });

    it('hands out one whose time was set by a clock that has been set back since', async () => {
      await waiting('one', MAX_STEP_DELAY_MS + HOUR_MS);
      await waiting('two', MAX_STEP_DELAY_MS - 1000);
      expect(await due()).toEqual(['one']);
    });

    it('keeps what this process has claimed, and may release it again', async () => {
      await waiting('one', 0);
      expect(await due()).toEqual(['one']);
      expect(await queue.renew(['one'])).toEqual([]);
      expect(await queue.claim('one', false)).toBe(true);
      await queue.release('one', 0, now);
      expect(await due()).toEqual(['one']);
    });

    describe('of what has ended', () => {
      let ended: StoredProposal;
      beforeEach(async () => {
        const drafted = await waiting('one', 0);
        expect(await due()).toEqual(['one']);
        const change = { state: 'executed', authReqId: 'auth-1' } as const;
        ended = (await proposals.change(drafted, change, now)).proposal;
      });

      it('hands out what the phone may not have been notified of, after a while', async () => {
        await queue.release('one', undefined, now);
        const { ids, nextMs = 0 } = await queue.claimDue(10, now);
        expect(ids).toEqual([]);
        expect(nextMs).toBeGreaterThan(0);
      });

      it('hands out nothing more once the phone was notified', async () => {
        await opened.stores.proposals.markReported('one', ended.version);
        await queue.release('one', undefined, now);
        expect(await queue.claimDue(10, now)).toEqual({ ids: [] });
        await queue.makeAllDue(now);
        expect(await queue.claimDue(10, now)).toEqual({ ids: [] });
      });
    });
  });
}
