import { describe, expect, it } from 'vitest';
import { createTokenSeal } from '../../../src/secrets/token-seal.ts';
import { HttpProblem } from '../../../src/trading/http-problem.ts';
import { kernelWorld, restarted, TOKEN_MS } from './kernel-world.ts';

const HOUR_MS = 3_600_000;
const outOfReach = new HttpProblem(503, 'provider_unreachable', 'no keys');
const notYetValid = new HttpProblem(401, 'token_not_yet_valid', 'the access token was issued in the future');

describe('after a restart', () => {
  it('one that was drafted is asked', async () => {
    const { world, id } = await restarted('drafted', { answers: ['approved'] });
    await world.until(id, 'executed');
    expect(world.questions).toHaveLength(1);
    expect(world.questions[0]?.bindingMessage).toBe(`BUY 5 AAPL ${(await world.row(id)).code}`);
  });

  it('one that was drafted too long ago is expired, and nobody is asked', async () => {
    const world = kernelWorld();
    const { id } = await world.left('drafted');
    world.clock.advance(TOKEN_MS - 4_000);
    world.start();
    await world.until(id, 'expired');
    expect(world.questions).toEqual([]);
  });

  it('one that was asked is waited for by the same question', async () => {
    const { world, id } = await restarted('requested', { answers: ['approved'] });
    await world.until(id, 'executed');
    expect(world.polls.map((poll) => poll.id)).toEqual([`left-${id}`]);
    expect(world.questions).toEqual([]);
  });

  it('one that was approved is carried out', async () => {
    const { world, id } = await restarted('approved');
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
    expect(world.polls).toEqual([]);
  });

  it.each<[string, number, number, string]>([
    ['is past its deadline', TOKEN_MS, TOKEN_MS, ''],
    ['has a token that ran out', 8 * HOUR_MS, HOUR_MS, 'token expired'],
  ])('one that was approved and %s is not carried out', async (_, ttl, later, text) => {
    const world = kernelWorld();
    const { id } = await world.left('approved', '5', ttl);
    world.clock.advance(later);
    world.start();
    expect((await world.until(id, 'expired')).reason).toMatchObject({
      code: 'approval_expired',
      text: expect.stringContaining(text),
    });
    expect(world.book).toEqual([]);
  });

  it('the phone is told what came of one whose gateway died before it said so, and once', async () => {
    const { world, id } = await restarted('executed');
    await world.sleep(1);
    const told = [{ authReqId: `left-${id}`, state: 'executed', text: 'placed' }];
    expect(world.told).toEqual(told);
    await world.close();
    world.start();
    await world.sleep(1);
    expect(world.told).toEqual(told);
  });

  it('the phone is told again until the provider hears of it', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    world.listens = false;
    world.start();
    await world.until(id, 'executed');
    await world.sleep(2_000);
    world.listens = true;
    await world.sleep(5_000);
    expect(world.told.map(({ state }) => state)).toEqual(['executed']);
  });

  it('what came of one is followed by its own approval, since whoever proposed it is not known', async () => {
    const { world, id } = await restarted('approved');
    await world.until(id, 'executed');
    await world.sleep(1_000);
    expect(world.followedWith).toEqual([`token ${id}`]);
  });

  it.each([
    ['executing', 0],
    ['unknown', 0],
    ['executing', TOKEN_MS + 60_000],
  ] as const)('one that was %s is not placed a second time %i ms later', async (state, later) => {
    const world = kernelWorld();
    const { id, subject } = await world.left(state);
    world.place(subject as Parameters<typeof world.place>[0]);
    world.clock.advance(later);
    world.start();
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
  });

  it.each(['executing', 'unknown'] as const)('one that was %s and never reached the desk is placed', async (state) => {
    const { world, id } = await restarted(state);
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
  });

  it.each(['approved', 'executing', 'unknown'] as const)(
    'one that was %s waits for the provider’s keys',
    async (state) => {
      const world = kernelWorld();
      const { id } = await world.left(state);
      const { verify } = world;
      let fails = 4;
      world.verify = async (token, time) => {
        if (fails-- > 0) throw outOfReach;
        return verify(token, time);
      };
      world.start();
      await world.sleep(5_000);
      expect((await world.row(id)).state).toBe(state);
      await world.until(id, 'executed');
      expect(world.book).toHaveLength(1);
    },
  );

  it('one whose token is from a moment that has not come by this clock waits until it has', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    const { verify } = world;
    const issued = world.clock.now() + 10_000;
    world.verify = async (token, time) => {
      if (world.clock.now() < issued) throw notYetValid;
      return verify(token, time);
    };
    world.start();
    await world.until(id, 'executed');
    expect(world.clock.now()).toBeGreaterThanOrEqual(issued);
    expect(world.book).toHaveLength(1);
  });

  it.each([
    ['for the provider’s keys', outOfReach],
    ['for a token’s time', notYetValid],
  ])('one that was approved does not wait %s beyond its deadline', async (_, refusal) => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    world.verify = async () => {
      throw refusal;
    };
    const began = world.clock.now();
    world.start();
    await world.until(id, 'expired');
    expect(world.clock.now() - began).toBeLessThanOrEqual(TOKEN_MS + 30_000);
  });

  it('one under way whose token is refused is unknown, for its owner’s next visit', async () => {
    const world = kernelWorld();
    const { id } = await world.left('executing');
    world.verify = async () => {
      throw new HttpProblem(401, 'token_signature', 'the provider has another key now');
    };
    world.start();
    expect((await world.until(id, 'unknown')).reason?.code).toBe('outcome_unknown');
    expect(world.book).toEqual([]);
  });

  it.each([
    ['approved', 'blocked', 'state_corrupt'],
    ['executing', 'unknown', 'outcome_unknown'],
  ] as const)('one that was %s under another key of the gateway is %s', async (state, ends, code) => {
    const world = kernelWorld();
    const { id } = await world.left(state);
    const sealed = createTokenSeal('another key').seal('token', 'elsewhere');
    world.database.prepare('UPDATE proposals SET sealed_token = ? WHERE id = ?').run(sealed, id);
    world.start();
    expect((await world.until(id, ends)).reason?.code).toBe(code);
    expect(world.book).toEqual([]);
  });

  it.each(['executed', 'denied', 'expired', 'cancelled', 'blocked'] as const)(
    'one that was %s is left alone',
    async (state) => {
      const world = kernelWorld({ answers: ['approved'] });
      const before = await world.left(state);
      world.start();
      await world.sleep(HOUR_MS);
      expect(await world.row(before.id)).toEqual(before);
      expect([world.questions, world.polls, world.book]).toEqual([[], [], []]);
    },
  );

  it('started twice in one process, each is looked after once', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    world.steps.push(async (subject) => {
      await world.clock.sleep(10_000);
      return world.place(subject);
    });
    world.start();
    world.kernel.start();
    await world.until(id, 'executed');
    expect(world.book).toHaveLength(1);
    expect(world.errors).toEqual([]);
  });
});
