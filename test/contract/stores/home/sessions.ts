import { describe, expect, it } from 'vitest';
import { createPeopleStore } from '../../../../src/store/home/people.ts';
import { createSessionStore, SESSION_LIFETIME_MS, type SessionStore } from '../../../../src/store/home/sessions.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const KEY = 'k'.repeat(43);
const MINUTE = 60_000;

export function sessionsContract(open: OpenHomeDatabase): void {
  describe('sessions', () => {
    const opened = homeDatabaseForEach(open);

    const start = async () => {
      const clock = new VirtualClock();
      const people = createPeopleStore(opened.database, () => clock.now());
      await people.addMissing(['alice', 'bob'].map((username) => ({ username, name: username, email: '' })));
      const [ours, anothers] = [opened.database, opened.another].map((database) =>
        createSessionStore({ database, clock, formKey: 'of the test' }),
      ) as [SessionStore, SessionStore];
      return { clock, people, ours, anothers };
    };
    const signIn = (sessions: SessionStore, username: string, credentialId = 'passkey') =>
      sessions.open({ username, by: 'passkey', credentialId, synced: true, browser: 'Safari on iPhone', key: KEY });
    const opening = { key: KEY, isTheirs: true };

    it('finds a session in every process by its cookie and the browser’s origin key', async () => {
      const { ours, anothers, clock } = await start();
      const cookie = await signIn(ours, 'alice');
      const session = await anothers.find(cookie, opening);
      expect(session).toMatchObject({ username: 'alice', by: 'passkey', credentialId: 'passkey', synced: true });
      expect(session?.expiresAt).toBe(clock.now() + SESSION_LIFETIME_MS);
      expect(await anothers.find(cookie, { ...opening, key: undefined })).toEqual(session);
      expect(await anothers.find(cookie, { ...opening, key: 'x'.repeat(43) })).toBeUndefined();
      expect(await anothers.find('x', opening)).toBeUndefined();
      expect(await anothers.find(undefined, opening)).toBeUndefined();
    });

    it('ends a session after half an hour without activity, and after eight hours', async () => {
      const { ours, clock } = await start();
      const [active, idle] = [await signIn(ours, 'alice'), await signIn(ours, 'alice')];
      const { id = '' } = (await ours.find(idle, opening)) ?? {};
      for (let minutes = 0; minutes < 8 * 60 - 20; minutes += 20) {
        expect(await ours.find(active, opening)).toBeDefined();
        await ours.find(idle, { ...opening, isTheirs: false });
        clock.advance(20 * MINUTE);
      }
      expect(await ours.find(idle, opening)).toBeUndefined();
      expect(await ours.isOpen(id)).toBe(false);
      expect(await ours.list('alice')).toHaveLength(1);
      clock.advance(20 * MINUTE);
      expect(await ours.find(active, opening)).toBeUndefined();
      expect(await ours.list('alice')).toEqual([]);
    });

    it('ends in every process at once', async () => {
      const { ours, anothers } = await start();
      const cookie = await signIn(ours, 'alice');
      const { id = '' } = (await ours.find(cookie, opening)) ?? {};
      expect(await anothers.isOpen(id)).toBe(true);
      expect(await anothers.end('bob', id)).toBe(false);
      expect(await anothers.end('alice', id)).toBe(true);
      expect(await ours.end('alice', id)).toBe(false);
      expect(await ours.isOpen(id)).toBe(false);
      expect(await ours.find(cookie, opening)).toBeUndefined();
    });

    it('ends the sessions of one passkey', async () => {
      const { ours } = await start();
      const [lost, kept] = [await signIn(ours, 'alice', 'lost'), await signIn(ours, 'alice', 'kept')];
      const others = await signIn(ours, 'bob', 'lost');
      await ours.endOf('alice', 'lost');
      expect(await ours.find(lost, opening)).toBeUndefined();
      expect(await ours.find(kept, opening)).toBeDefined();
      expect(await ours.find(others, opening)).toBeDefined();
    });

    it('ends a person’s sessions and the one-time links that they have not used', async () => {
      const { ours } = await start();
      const cookie = await signIn(ours, 'alice');
      const [hers = '', his = ''] = [await ours.issueTicket('alice'), await ours.issueTicket('bob')];
      await ours.endAll('alice');
      expect(await ours.find(cookie, opening)).toBeUndefined();
      expect(await ours.redeemTicket(hers)).toBeUndefined();
      expect(await ours.redeemTicket(his)).toBe('bob');
    });

    it('recognizes no session and no link of a removed person', async () => {
      const { ours, people } = await start();
      const cookie = await signIn(ours, 'alice');
      const { id = '' } = (await ours.find(cookie, opening)) ?? {};
      const ticket = await ours.issueTicket('alice');
      await people.remove('alice');
      expect(await ours.find(cookie, opening)).toBeUndefined();
      expect(await ours.isOpen(id)).toBe(false);
      expect(await ours.redeemTicket(ticket ?? '')).toBeUndefined();
      expect(await ours.issueTicket('alice')).toBeUndefined();
      expect(await ours.issueTicket('carol')).toBeUndefined();
    });

    it('redeems a one-time link once, whichever process it reaches', async () => {
      const { ours, anothers } = await start();
      const ticket = (await ours.issueTicket('alice')) ?? '';
      const redeemed = await Promise.all([ours.redeemTicket(ticket), anothers.redeemTicket(ticket)]);
      expect(redeemed.filter((username) => username !== undefined)).toEqual(['alice']);
    });

    it('does not redeem a link after ten minutes', async () => {
      const { ours, clock } = await start();
      const ticket = (await ours.issueTicket('alice')) ?? '';
      clock.advance(10 * MINUTE);
      expect(await ours.redeemTicket(ticket)).toBeUndefined();
    });
  });
}
