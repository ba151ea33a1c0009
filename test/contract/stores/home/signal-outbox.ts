import { describe, expect, it } from 'vitest';
import {
  createSecurityEventOutbox,
  SEND_CLAIM_MS,
  type SecurityEventOutbox,
  type SecurityEventSubject,
} from '../../../../src/store/home/signal-outbox.ts';
import { homeDatabaseForEach, type OpenHomeDatabase } from './open-home-database.ts';

const NOW = Date.parse('2026-11-24T15:00:00Z');
const session: SecurityEventSubject = { kind: 'session', id: 's', user: 'alice', endsAt: NOW + 1000, detail: '' };
const key: SecurityEventSubject = { kind: 'key', id: 'k', user: 'alice', endsAt: null, detail: 'multiDevice' };
const event = (endpoint: string, token: string) => ({ endpoint: `https://${endpoint}.example/events`, token });

export function signalOutboxContract(open: OpenHomeDatabase): void {
  describe('the outbox of security events', () => {
    const opened = homeDatabaseForEach(open);
    const outboxes = () =>
      [opened.database, opened.another].map((database) => createSecurityEventOutbox(database)) as [
        SecurityEventOutbox,
        SecurityEventOutbox,
      ];
    const tokens = (events: readonly { readonly token: string }[]) => events.map(({ token }) => token).sort();
    /** Moves all rows in time, because some databases use their own clock. */
    const pass = (ms: number) => opened.database.run('UPDATE signal_outbox SET due_at = due_at - @ms', { ms });

    it('has seen nothing before the first check, and then what the last check found', async () => {
      const [ours, anothers] = outboxes();
      expect(await ours.seen()).toEqual({ version: null, subjects: [] });
      expect(await ours.keep(null, [session, key], [], NOW)).toBe(true);
      const first = await anothers.seen();
      expect([...first.subjects].sort((a, b) => a.kind.localeCompare(b.kind))).toEqual([key, session]);
      expect(await anothers.keep(first.version, [key], [], NOW)).toBe(true);
      const second = await ours.seen();
      expect(second.subjects).toEqual([key]);
      expect(second.version).not.toBe(first.version);
    });

    it('keeps the changes that one of several processes found first', async () => {
      const [ours, anothers] = outboxes();
      const firsts = await Promise.all([ours.keep(null, [session], [], NOW), anothers.keep(null, [session], [], NOW)]);
      expect(firsts.filter(Boolean)).toHaveLength(1);
      const { version } = await ours.seen();
      const kept = await Promise.all([
        ours.keep(version, [], [event('one', 'ours')], NOW),
        anothers.keep(version, [], [event('one', 'anothers')], NOW),
      ]);
      expect(kept.filter(Boolean)).toHaveLength(1);
      expect(tokens(await ours.claim(NOW))).toEqual(kept[0] ? ['ours'] : ['anothers']);
      expect(await ours.keep(version, [session], [], NOW)).toBe(false);
      expect((await ours.seen()).subjects).toEqual([]);
    });

    it('gives each endpoint’s events to one process at a time, in order', async () => {
      const [ours, anothers] = outboxes();
      await ours.keep(null, [], [event('one', '1'), event('one', '2'), event('two', '3')], NOW);
      const both = await Promise.all([ours.claim(NOW), anothers.claim(NOW)]);
      expect(tokens(both.flat())).toEqual(['1', '3']);
      expect(await anothers.claim(NOW)).toEqual([]);
      for (const sent of both.flat()) await ours.done(sent);
      expect(tokens(await anothers.claim(NOW))).toEqual(['2']);
    });

    it('gives an event to another process if the one that claimed it does not answer', async () => {
      const [ours, anothers] = outboxes();
      await ours.keep(null, [], [event('one', '1')], NOW);
      const [stale] = await ours.claim(NOW);
      if (stale === undefined) throw new Error('nothing was due');
      await pass(SEND_CLAIM_MS);
      expect(tokens(await anothers.claim(NOW + 1))).toEqual(['1']);
      // The first process no longer has the claim.
      await ours.release(stale, NOW + 1);
      await ours.later(stale, 0, NOW + 1);
      expect(await ours.claim(NOW + 1)).toEqual([]);
    });

    it('retries a failed event after its delay, and a released one immediately', async () => {
      const [ours] = outboxes();
      await ours.keep(null, [], [event('one', '1'), event('one', '2')], NOW);
      const [first] = await ours.claim(NOW);
      if (first === undefined) throw new Error('nothing was due');
      expect(first).toMatchObject({ tries: 0, made_at: NOW });
      await ours.release(first, NOW);
      const [again] = await ours.claim(NOW);
      if (again === undefined) throw new Error('nothing was due');
      await ours.later(again, 60_000, NOW);
      expect(await ours.claim(NOW)).toEqual([]);
      await pass(60_000);
      expect(await ours.claim(NOW)).toMatchObject([{ token: '1', tries: 1 }]);
    });
  });
}
