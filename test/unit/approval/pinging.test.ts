import { describe, expect, it } from 'vitest';
import type { PollResult } from '../../../src/approval/ciba/ciba-port.ts';
import { alice, failNext, kernelWorld, restarted } from './kernel-world.ts';

const pending: PollResult = { status: 'pending' };

describe('where the provider calls back', () => {
  it('polls nothing until it calls, then at once', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    const { id } = await world.propose();
    await world.sleep(12_000);
    expect(world.polls).toEqual([]);
    expect(await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '')).toBe(true);
    await world.until(id, 'executed');
    expect(world.times()).toEqual([12]);
  });

  it('a call that comes before the row has the question’s id counts all the same', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    const { request } = world.asking;
    Object.assign(world.asking, {
      request: async (question: Parameters<typeof request>[0]) => {
        const sent = await request(question);
        expect(await world.kernel.handlePing(sent.authReqId, question.notificationToken)).toBe(false);
        return sent;
      },
    });
    await world.proposed('executed');
    expect(world.times()).toEqual([0]);
  });

  it('an answer that is on its way when the gateway closes is kept: it is given once', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    const { id } = await world.propose();
    const answering = async (signal: AbortSignal): Promise<'approved'> => {
      await world.clock.sleep(2_000, signal);
      return 'approved';
    };
    world.answers.push(answering);
    await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
    await world.sleep(1_000);
    expect(world.polls).toHaveLength(1);
    await world.close();
    expect(await world.row(id)).toMatchObject({ state: 'approved', hasToken: true });
    world.start();
    await world.until(id, 'executed');
    expect(world.questions).toHaveLength(1);
  });

  it('a call that comes while the store is away is answered within the interval, not at the next poll without a call', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    const { get } = world.store;
    const { id } = await world.propose();
    world.answers.push(async () => {
      // After a poll without a call, the next look at the row fails; the call comes before the wait starts again.
      world.store.get = async () => {
        world.store.get = get;
        void world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
        throw new Error('the connection was closed');
      };
      return pending;
    }, 'approved');
    await world.until(id, 'executed');
    const [first = 0, second = 0] = world.times();
    expect(world.errors.join()).toContain('the connection was closed');
    expect(second - first).toBeLessThanOrEqual(3);
  });

  it('an answer that can’t be stored for a moment is kept: nobody is asked twice', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    const { id } = await world.propose();
    failNext(world.moves, 'move', 5, 'the connection was closed');
    await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
    const began = world.clock.now();
    await world.until(id, 'executed');
    expect(world.clock.now() - began).toBeLessThan(10_000);
    expect(world.polls).toHaveLength(1);
    expect(world.questions).toHaveLength(1);
  });

  it('a poll that the provider did not call for holds up nobody who closes', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    const { id } = await world.propose();
    const hanging = (signal: AbortSignal): Promise<'approved'> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    world.answers.push(hanging);
    await world.sleep(31_000);
    expect(world.polls).toHaveLength(1);
    const began = world.clock.now();
    await world.close();
    expect(world.clock.now() - began).toBeLessThanOrEqual(1_000);
    expect((await world.row(id)).state).toBe('requested');
  });

  it('an early call with another token counts for nothing', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    await world.kernel.handlePing('auth-1', 'a guess');
    await world.propose();
    await world.sleep(29_000);
    expect(world.polls).toEqual([]);
  });

  it('a call with another question’s token is nobody’s', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    await world.propose('1');
    await world.propose('2');
    const [, second] = world.questions;
    expect(await world.kernel.handlePing('auth-1', second?.notificationToken ?? '')).toBe(false);
    expect(await world.kernel.handlePing('auth-1', '')).toBe(false);
    await world.sleep(20_000);
    expect(world.polls).toEqual([]);
  });

  it('a call about a question that is asked again is nobody’s with the token of the one before', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: [{ status: 'lost' }, 'approved'] });
    const tokens = () => world.questions.map(({ notificationToken }) => notificationToken);
    const { request } = world.asking;
    Object.assign(world.asking, {
      request: async (question: Parameters<typeof request>[0]) => {
        const sent = await request(question);
        // Before the row has it as well as after.
        if (sent.authReqId === 'auth-2') await world.kernel.handlePing('auth-2', tokens()[0] ?? '');
        return sent;
      },
    });
    const { id } = await world.propose();
    expect(await world.kernel.handlePing('auth-1', tokens()[0] ?? '')).toBe(true);
    await world.sleep(5_000);
    const [first = '', second = ''] = tokens();
    expect(second).not.toBe(first);
    for (const token of [first, second.slice(0, -1), `${second}A`, ''])
      expect(await world.kernel.handlePing('auth-2', token)).toBe(false);
    await world.sleep(20_000);
    expect(world.polls.map((poll) => poll.id)).toEqual(['auth-1']);
    expect(await world.kernel.handlePing('auth-2', second)).toBe(true);
    await world.until(id, 'executed');
  });

  it('no token that went with a question is in the database, while it is open or afterwards', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: [{ status: 'lost' }, 'approved'] });
    const inDatabase = () =>
      world.questions.filter(({ notificationToken }) => world.database.serialize().includes(notificationToken));
    const { id } = await world.propose();
    await world.propose('6');
    expect(inDatabase()).toEqual([]);
    await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
    await world.sleep(1_000);
    expect(await world.kernel.handlePing('auth-3', world.questions[2]?.notificationToken ?? '')).toBe(true);
    await world.until(id, 'executed');
    expect(inDatabase()).toEqual([]);
  });

  it('a call that got lost is made up for by polls, after 30 seconds, then after twice as long each time', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    await world.proposed('expired', '5', { ttl: 3_600 });
    expect(world.times().slice(0, 7)).toEqual([30, 60, 120, 240, 480, 960, 1_560]);
  });

  it('a call that got lost among many that wait is made up for as soon as one among few', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    const people = Array.from({ length: 400 }, (_, n) => ({ ...alice, sub: `person-${n}` }));
    for (const by of people) await world.propose('5', { by, owner: by.sub, ttl: 3_600 });
    await world.sleep(36_000);
    expect(new Set(world.polls.map(({ id }) => id)).size).toBe(400);
  });

  it('a call while a poll is under way is heard after it', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    world.answers.push(async () => {
      await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
      return pending;
    }, 'approved');
    await world.proposed('executed');
    expect(world.times()).toEqual([30, 30]);
  });

  it('after a restart it asks at once, since nobody heard a call in between', async () => {
    const { world, id } = await restarted('requested', { delivery: 'ping', answers: ['approved'] });
    await world.until(id, 'executed');
    expect(world.times()).toEqual([0]);
  });

  it('a call after the end changes nothing', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    const { id } = await world.propose();
    const token = world.questions[0]?.notificationToken ?? '';
    await world.kernel.handlePing('auth-1', token);
    await world.until(id, 'executed');
    expect(await world.kernel.handlePing('auth-1', token)).toBe(false);
    expect(world.polls).toHaveLength(1);
    expect(world.book).toHaveLength(1);
  });

  it('calls with tokens that no gateway made are not stored, and those that nobody takes are dropped', async () => {
    const world = kernelWorld({ delivery: 'ping' });
    const stored = () => world.database.prepare('SELECT count(*) FROM early_pings').pluck().get();
    for (let number = 0; number < 100; number++) {
      expect(await world.kernel.handlePing(`guess-${number}`, 'x'.repeat(100_000))).toBe(false);
    }
    expect(stored()).toBe(0);
    const { id, notificationTokens } = { id: 'pr_none', ...world };
    const early = async (asked: number) =>
      await world.kernel.handlePing(`none-${asked}`, notificationTokens.of({ id, asked }));
    for (const asked of [1, 2, 3]) expect(await early(asked)).toBe(false);
    expect(stored()).toBe(3);
    await world.sleep(600_001);
    await early(4);
    expect(stored()).toBe(1);
  });
});
