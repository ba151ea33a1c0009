import { describe, expect, it } from 'vitest';
import { openPushSubscriptions } from '../../../../src/home/phone/push/push-subscriptions.ts';
import { loadVapidKeys } from '../../../../src/store/home/vapid-keys.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

export function pushSubscriptionsContract(open: OpenHomeDatabase): void {
  describe('push subscriptions', () => {
    const opened = homeDatabaseForEach(open);

    const start = () => {
      const clock = new VirtualClock();
      return {
        clock,
        ours: openPushSubscriptions(opened.database, clock),
        anothers: openPushSubscriptions(opened.another, clock),
      };
    };
    const owner = (user: string) => ({ user, session: `${user}s-session`, credential: `${user}s-key`, name: 'Safari' });
    const browser = (name: string, auth = 'secret') => ({
      endpoint: `https://web.push.apple.com/${name}`,
      keys: { p256dh: 'key', auth },
    });

    it('are bound to one key pair, even if two processes start at once', async () => {
      const [first, second] = await Promise.all([loadVapidKeys(opened.database), loadVapidKeys(opened.another)]);
      expect(second).toEqual(first);
      expect(await loadVapidKeys(opened.another)).toEqual(first);
      expect(Buffer.from(first.publicKey, 'base64url')).toHaveLength(65);
      expect(Buffer.from(first.privateKey, 'base64url')).toHaveLength(32);
    });

    it('belong to one person, even if two processes store the same browser at once', async () => {
      const { ours, anothers } = start();
      const added = await Promise.all([
        ours.add(owner('alice'), browser('phone')),
        anothers.add(owner('mallory'), browser('phone', 'guess')),
      ]);
      expect(added.sort()).toEqual(['kept', 'taken']);
      expect([...(await ours.of('alice')), ...(await ours.of('mallory'))]).toHaveLength(1);
    });

    it('move to the person who can prove that it is the same browser', async () => {
      const { ours, anothers } = start();
      await ours.add(owner('alice'), browser('shared'));
      expect(await anothers.add(owner('bob'), browser('shared'))).toBe('kept');
      expect([await ours.of('alice'), (await ours.of('bob')).length]).toEqual([[], 1]);
    });

    it('are ten at most, even if two processes store the last ones at once', async () => {
      const { ours, anothers } = start();
      for (let index = 0; index < 9; index++) await ours.add(owner('alice'), browser(`b-${index}`));
      const added = await Promise.all([
        ours.add(owner('alice'), browser('b-10')),
        anothers.add(owner('alice'), browser('b-11')),
      ]);
      expect(added.sort()).toEqual(['kept', 'too_many']);
      expect(await ours.of('alice')).toHaveLength(10);
      expect(await anothers.add(owner('alice'), browser('b-3'))).toBe('kept');
    });

    it('record successes, failures and the pause that a push service demands', async () => {
      const { ours, anothers, clock } = start();
      const { endpoint } = browser('phone');
      await ours.add(owner('alice'), browser('phone'));
      await ours.failed(endpoint, 5_000);
      await anothers.failed(endpoint, 1_000);
      expect(await ours.of('alice')).toMatchObject([{ failures: 2, restsUntil: 5_000, lastSuccessAt: undefined }]);
      await anothers.rang(endpoint);
      expect(await ours.of('alice')).toMatchObject([{ failures: 0, restsUntil: 0, lastSuccessAt: clock.now() }]);
    });

    it('end with their session, their passkey or their person', async () => {
      const { ours, anothers } = start();
      for (const user of ['alice', 'bob', 'carol', 'dora']) await ours.add(owner(user), browser(user));
      await anothers.endSession('alices-session');
      await anothers.endKey('bob', 'carols-key');
      await anothers.endKey('carol', 'carols-key');
      await anothers.endPerson('dora');
      const left = await Promise.all(['alice', 'bob', 'carol', 'dora'].map((user) => ours.of(user)));
      expect(left.map((list) => list.length)).toEqual([0, 1, 0, 0]);
      expect(await anothers.remove(browser('bob').endpoint, 'alice')).toBe(false);
      expect(await anothers.remove(browser('bob').endpoint)).toBe(true);
    });
  });
}
