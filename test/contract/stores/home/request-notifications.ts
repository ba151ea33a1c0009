import { describe, expect, it, vi } from 'vitest';
import { createApprovalRequests } from '../../../../src/home/identity-provider/approval-requests.ts';
import { createRequestNotificationStore } from '../../../../src/store/home/request-notification-store.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

export function requestNotificationsContract(open: OpenHomeDatabase): void {
  describe('the notifications of requests', () => {
    const opened = homeDatabaseForEach(open);

    const start = async () => {
      const clock = new VirtualClock();
      const requests = createApprovalRequests(opened.database, clock);
      const { id } = await requests.add({
        authReqId: 'auth',
        user: 'alice',
        clientId: 'gateway',
        clientName: 'The gateway',
        code: 'K7QP',
        bindingMessage: undefined,
        details: { type: 'trade_order' },
        expiresAt: clock.now() + 300_000,
      });
      return {
        id,
        requests,
        clock,
        ours: createRequestNotificationStore(opened.database, () => clock.now()),
        anothers: createRequestNotificationStore(opened.another, () => clock.now()),
      };
    };

    it('are sent by one of two processes', async () => {
      const { id, clock, ours, anothers } = await start();
      const now = clock.now();
      expect(await anothers.unnotified(now)).toEqual([{ request: id, user: 'alice' }]);
      const claims = await Promise.all([ours.claim(id, 'notify'), anothers.claim(id, 'notify')]);
      expect(claims.sort()).toEqual([false, true]);
      // Until it is sent, every process still finds it, in case the sender dies.
      expect(await anothers.unnotified(now)).toHaveLength(1);
      await ours.pushed(id, now);
      expect(await anothers.unnotified(now)).toEqual([]);
      expect(await anothers.claim(id, 'notify')).toBe(false);
    });

    it('are sent by another process if the first one fails, or dies', async () => {
      const { id, ours, anothers } = await start();
      await ours.claim(id, 'notify');
      const failing = ours.hold(id, async () => {
        throw new Error('it failed');
      });
      await expect(failing).rejects.toThrow('it failed');
      expect(await anothers.claim(id, 'notify')).toBe(true);
      expect(await ours.claim(id, 'notify')).toBe(false);
      // As if the time of the claim had passed.
      await opened.database.run('UPDATE request_notifications SET claimed_until = 1');
      expect(await ours.claim(id, 'notify')).toBe(true);
    });

    it('keep their claim for as long as the work takes', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      try {
        const { id, ours, anothers } = await start();
        await ours.claim(id, 'notify');
        let finish = () => {};
        const work = ours.hold(id, () => new Promise<void>((resolve) => (finish = resolve)));
        await opened.database.run('UPDATE request_notifications SET claimed_until = 1');
        vi.advanceTimersByTime(5_000);
        await expect
          .poll(() => opened.database.all('SELECT request FROM request_notifications WHERE claimed_until > 1'))
          .toHaveLength(1);
        expect(await anothers.claim(id, 'notify')).toBe(false);
        finish();
        await work;
      } finally {
        vi.useRealTimers();
      }
    });

    it('are repeated once if nobody has seen the request', async () => {
      const { id, clock, ours, anothers } = await start();
      const now = clock.now();
      await ours.claim(id, 'notify');
      await ours.pushed(id, now);
      expect(await anothers.unseen(now, 60_000)).toEqual([{ request: id, due: now + 60_000 }]);
      expect(await anothers.unseen(now, 200_000)).toEqual([{ request: id, due: now + 100_000 }]);
      const claims = await Promise.all([ours.claim(id, 'remind'), anothers.claim(id, 'remind')]);
      expect(claims.sort()).toEqual([false, true]);
      await ours.pushedAgain(id, now);
      expect(await anothers.unseen(now, 60_000)).toEqual([]);
      expect(await anothers.claim(id, 'remind')).toBe(false);
    });

    it('are not repeated if a page has shown the request, even while another process sends the first one', async () => {
      const { id, clock, ours, anothers } = await start();
      const now = clock.now();
      await ours.claim(id, 'notify');
      await anothers.seen(id, now);
      expect(await anothers.claim(id, 'notify')).toBe(false);
      await ours.pushed(id, now);
      expect(await ours.unseen(now, 60_000)).toEqual([]);
      expect(await ours.claim(id, 'remind')).toBe(false);
    });

    it('are withdrawn by one process when the request is settled', async () => {
      const { id, clock, requests, ours, anothers } = await start();
      const now = clock.now();
      expect(await ours.nextExpiry(now)).toBe(now + 300_000);
      await ours.pushed(id, now);
      expect(await ours.settled(now)).toEqual([]);
      await requests.decide(id, 'deny');
      expect(await ours.settled(now)).toEqual([{ request: id, pushedAt: now }]);
      const claims = await Promise.all([ours.claim(id, 'withdraw'), anothers.claim(id, 'withdraw')]);
      expect(claims.sort()).toEqual([false, true]);
      await ours.remove(id);
      expect(await anothers.claim(id, 'withdraw')).toBe(false);
      expect([await anothers.settled(now), await anothers.nextExpiry(now)]).toEqual([[], undefined]);
    });
  });
}
