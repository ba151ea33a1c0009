import { describe, expect, it } from 'vitest';
import type { PollResult } from '../../../src/approval/ciba/ciba-port.ts';
import { failNext, kernelWorld } from './kernel-world.ts';

const pending: PollResult = { status: 'pending' };
const unreachable: PollResult = { status: 'unreachable', reason: 'ECONNREFUSED' };
const hang = (signal: AbortSignal) =>
  new Promise<PollResult>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('waiting for a decision', () => {
  it('polls at once, then at the interval counted from when the poll was sent', async () => {
    const world = kernelWorld();
    world.answers.push(
      pending,
      async () => {
        await world.clock.sleep(1_500);
        return pending;
      },
      'approved',
    );
    await world.proposed('executed');
    expect(world.times()).toEqual([0, 2, 4]);
    expect(world.book).toHaveLength(1);
  });

  it('counts the interval from when the request went out, not from when it was prepared', async () => {
    const world = kernelWorld();
    world.answers.push(async (_, onSend) => {
      await world.clock.sleep(1_500);
      onSend();
      return pending;
    }, 'approved');
    await world.proposed('executed');
    expect(world.times()).toEqual([0, 3.5]);
  });

  it('polls again at once after a long poll', async () => {
    const world = kernelWorld();
    world.answers.push(async () => {
      await world.clock.sleep(25_000);
      return pending;
    }, 'approved');
    await world.proposed('executed');
    expect(world.times()).toEqual([0, 25.001]);
  });

  it('has one poll of a proposal under way at a time', async () => {
    let inProgress = 0;
    let most = 0;
    const world = kernelWorld();
    world.answers.push(
      ...Array.from({ length: 5 }, () => async (): Promise<PollResult> => {
        most = Math.max(most, ++inProgress);
        await world.clock.sleep(7_000);
        inProgress--;
        return pending;
      }),
      'approved',
    );
    const { id } = await world.propose();
    await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '');
    world.kernel.start();
    await world.until(id, 'executed');
    expect(most).toBe(1);
  });

  it('waits five seconds longer from each slow_down on, also after a restart', async () => {
    const world = kernelWorld({ answers: [{ status: 'slow_down' }, { status: 'slow_down' }, pending] });
    const { id } = await world.propose();
    await world.sleep(20_000);
    expect(world.times()).toEqual([0, 7, 19]);
    await world.close();
    world.start();
    expect((await world.row(id)).interval).toBe(12);
    world.answers.push(pending, 'approved');
    await world.until(id, 'executed');
    const [restarted = 0, next] = world.times().slice(3);
    expect(next).toBe(restarted + 12);
  });

  it('keeps the interval where the store is away right after a poll', async () => {
    const world = kernelWorld();
    world.answers.push(async () => {
      failNext(world.store, 'get', 1, 'terminating connection due to administrator command');
      return pending;
    }, 'approved');
    await world.proposed('executed');
    expect(world.errors.join()).toContain('terminating connection');
    expect(world.times()).toEqual([0, 2]);
  });

  it('backs off while the provider cannot be reached, up to 30 seconds', async () => {
    const world = kernelWorld({ answers: [...Array<PollResult>(7).fill(unreachable), pending, 'approved'] });
    await world.proposed('executed');
    expect(world.times()).toEqual([0, 2, 4, 8, 16, 32, 62, 92, 94]);
  });

  it.each([
    ['Retry-After', 12],
    ['a Retry-After that is longer than its own patience', 90],
  ])('honours %s', async (_, retryAfter) => {
    const world = kernelWorld({ answers: [{ ...unreachable, retryAfter }, 'approved'] });
    await world.proposed('executed');
    expect(world.times()).toEqual([0, retryAfter]);
  });

  it('keeps a long interval also after the provider could not be reached', async () => {
    const world = kernelWorld({ answers: [unreachable, 'approved'], interval: 45 });
    await world.proposed('executed');
    expect(world.times()).toEqual([0, 45]);
  });

  it('ends at the absolute deadline, however long the provider said nothing', async () => {
    const world = kernelWorld({ answers: Array<PollResult>(50).fill(unreachable) });
    const { reason } = await world.proposed('expired');
    expect(reason).toMatchObject({ code: 'approval_expired' });
    expect(world.times().at(-1)).toBeLessThanOrEqual(300);
  });

  it('ends at the provider’s own deadline where that comes first', async () => {
    const world = kernelWorld();
    const { id } = await world.propose('5', { ttl: 3_600 });
    world.database.prepare('UPDATE proposals SET expires_at = expires_at - 3_000_000').run();
    await world.until(id, 'expired');
    expect(world.times().at(-1)).toBeLessThanOrEqual(600);
  });

  it('after the deadline asks once, to tell a denial from an expiry', async () => {
    for (const [answer, state] of [
      [{ status: 'denied' }, 'denied'],
      [unreachable, 'expired'],
    ] as const) {
      const world = kernelWorld({ answers: [answer] });
      const { id } = await world.left('requested');
      world.clock.advance(400_000);
      world.start();
      await world.until(id, state);
      expect(world.polls).toHaveLength(1);
    }
  });

  it('ends soon after the deadline when a poll hangs', async () => {
    const world = kernelWorld({ answers: [hang] });
    const { id } = await world.propose();
    const began = world.clock.now();
    await world.until(id, 'expired');
    expect(world.clock.now() - began).toBeLessThanOrEqual(306_000);
  });

  it.each([
    [{ status: 'denied' }, 'denied', 'approval_denied'],
    [{ status: 'expired' }, 'expired', 'approval_expired'],
    [{ status: 'failed', error: 'invalid_request' }, 'blocked', 'provider_error'],
  ] as const)('never polls again after %o', async (answer, state, code) => {
    const world = kernelWorld({ answers: [answer] });
    const { id } = await world.propose();
    expect(await world.until(id, state)).toMatchObject({ reason: { code } });
    await world.sleep(400_000);
    expect(world.polls).toHaveLength(1);
  });

  it('asks once more, saying why, when the answer was lost', async () => {
    const world = kernelWorld({ answers: [{ status: 'lost' }, 'approved'] });
    await world.proposed('executed');
    expect(world.polls.map((poll) => poll.id)).toEqual(['auth-1', 'auth-2']);
    expect((await world.events()).map(({ event }) => event)).toContain('asked_again');
    const [first, second] = world.questions;
    expect(second?.details).toEqual(first?.details);
    expect(second?.notificationToken).not.toBe(first?.notificationToken);
  });

  it('asks three times at most', async () => {
    const world = kernelWorld({ answers: Array<PollResult>(5).fill({ status: 'lost' }) });
    expect(await world.proposed('blocked')).toMatchObject({ reason: { code: 'provider_error' }, asked: 3 });
    expect(world.polls).toHaveLength(3);
  });

  it('ends by a denial that arrives after the row has changed, and nobody is asked again', async () => {
    const world = kernelWorld();
    const { id } = await world.propose();
    world.answers.push(async () => {
      // Another gateway on the same database lost the answer meanwhile, and asked again.
      const drafted = await world.moves.move(await world.row(id), 'drafted');
      await world.moves.move(drafted.proposal, 'requested', { authReqId: 'auth-of-another', asked: 2 });
      return { status: 'denied' };
    });
    await world.sleep(20_000);
    expect(await world.row(id)).toMatchObject({ state: 'denied', reason: { code: 'approval_denied' } });
    expect(world.polls.map((poll) => poll.id)).not.toContain('auth-of-another');
    expect(world.questions).toHaveLength(1);
  });

  it('ends by a denial that arrives while another gateway is about to ask again', async () => {
    const world = kernelWorld();
    const { id } = await world.propose();
    world.answers.push(async () => {
      await world.moves.move(await world.row(id), 'drafted');
      return { status: 'denied' };
    });
    await world.sleep(20_000);
    expect(await world.row(id)).toMatchObject({ state: 'denied', reason: { code: 'approval_denied' } });
    expect(world.questions).toHaveLength(1);
  });

  it('keeps an approval that arrives while the store is unavailable, and does not ask again', async () => {
    const world = kernelWorld();
    const { id } = await world.propose();
    world.answers.push(async () => {
      failNext(world.store, 'change', 3, 'the store is unavailable');
      return 'approved';
    });
    // The provider gives the token out once: then its answer is lost, and it takes another question to get one.
    const later = async () => (world.questions.length > 1 ? 'approved' : ({ status: 'lost' } as const));
    world.answers.push(...Array<typeof later>(10).fill(later));
    await world.until(id, 'executed');
    expect(world.questions).toHaveLength(1);
    expect(world.book).toHaveLength(1);
  });

  it('ends when it is withdrawn during a long poll, and drops a token that comes after', async () => {
    const world = kernelWorld();
    world.answers.push(
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('approved'))),
    );
    const { id } = await world.propose();
    const began = world.clock.now();
    expect(await world.kernel.withdraw('alice', id)).toMatchObject({ state: 'cancelled', hasToken: false });
    await world.sleep(10);
    await world.close();
    expect(world.clock.now() - began).toBeLessThanOrEqual(1_000);
    expect(await world.row(id)).toMatchObject({ state: 'cancelled', hasToken: false });
    expect(world.book).toEqual([]);
    expect(world.told).toEqual([expect.objectContaining({ authReqId: 'auth-1', state: 'cancelled' })]);
  });

  it('leaves the proposal as it is when the gateway closes', async () => {
    const world = kernelWorld({ answers: [hang] });
    const { id } = await world.propose();
    await world.close();
    expect((await world.row(id)).state).toBe('requested');
    expect(world.errors).toEqual([]);
  });

  it('a clock set back does not hold it up: the next poll comes an interval later', async () => {
    const world = kernelWorld();
    world.answers.push(async () => {
      world.clock.advance(-3_600_000);
      return pending;
    }, 'approved');
    await world.proposed('executed');
    expect(world.times()).toEqual([0, -3_598]);
  });

  it('a clock set forward past the deadline lets it expire after one more question', async () => {
    const world = kernelWorld({ answers: [pending] });
    const { id } = await world.propose();
    world.clock.advance(3_600_000);
    await world.until(id, 'expired');
    expect(world.polls.length).toBeLessThanOrEqual(2);
  });

  it('says with each poll what was asked for, so that other details are refused', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    const { id } = await world.proposed('executed');
    const [poll] = world.polls;
    expect(poll?.expected).toMatchObject({
      sub: 'alice',
      details: { type: 'trade_order', proposal: id, subject: { qty: '5' } },
    });
    expect(poll?.expected.details).toEqual(world.questions[0]?.details);
  });

  it('goes on after an error that nobody foresaw', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    failNext(world.moves, 'move', 2, 'the disk is full');
    world.start();
    await world.until(id, 'executed');
    expect(world.errors).toEqual(['Error: the disk is full', 'Error: the disk is full']);
    expect(world.book).toHaveLength(1);
  });
});
