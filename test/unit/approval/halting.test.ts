import { describe, expect, it } from 'vitest';
import { proposalRequestSchema } from '../../../src/trading/proposal.ts';
import { alice, type KernelWorld, kernelWorld } from './kernel-world.ts';

const lift = proposalRequestSchema.parse({ kind: 'lift', lift: {} });
const liftOf = (world: KernelWorld, key: string) =>
  world.clock.run(world.kernel.propose(alice, lift, key)).then(({ proposal }) => proposal);

describe('a halt', () => {
  it.each(['drafted', 'requested', 'approved'] as const)('takes back one that is %s', async (state) => {
    const world = kernelWorld();
    const { id } = await world.left(state);
    await world.kernel.halt(alice);
    expect(await world.row(id)).toMatchObject({
      state: 'cancelled',
      hasToken: false,
      reason: { code: 'policy_denied', members: { reason: 'TRADING_HALTED' } },
    });
    world.start();
    await world.sleep(60_000);
    expect([world.book, world.questions]).toEqual([[], []]);
  });

  it('between the approval and its execution wins', async () => {
    const world = kernelWorld({ answers: ['approved'] });
    const { verify } = world;
    world.verify = async (token, time) => {
      await world.kernel.halt(alice);
      return verify(token, time);
    };
    await world.proposed('cancelled');
    await world.sleep(60_000);
    expect(world.book).toEqual([]);
    expect(world.told.at(-1)).toMatchObject({ state: 'cancelled', text: 'trading is halted' });
  });

  it('that a process died in the middle of is completed by the next', async () => {
    const world = kernelWorld();
    const drafted = await world.left('drafted', '1');
    const approved = await world.left('approved', '2');
    await world.halts.halt('alice', 'trade-agent', world.clock.now());
    world.start();
    await world.until(drafted.id, 'cancelled');
    await world.until(approved.id, 'cancelled');
    expect([world.book, world.questions]).toEqual([[], []]);
  });

  it('takes back what changes in the moment that it is to be taken back', async () => {
    const world = kernelWorld();
    const { id } = await world.left('approved');
    await world.halts.halt('alice', 'trade-agent', world.clock.now());
    const { change } = world.store;
    let changes = 0;
    Object.assign(world.store, {
      change: async (...given: Parameters<typeof change>) =>
        changes++ === 0 ? { outcome: 'stale', proposal: await world.row(id) } : change(...given),
    });
    world.start();
    await world.until(id, 'cancelled');
    expect(world.book).toEqual([]);
  });

  it('lets what is on its way come to its end, and other people be', async () => {
    const world = kernelWorld();
    const { id } = await world.left('executing');
    await world.kernel.halt({ sub: 'bob', clientId: 'trade-agent' });
    const { id: approved } = await world.left('approved', '6');
    world.start();
    await world.until(id, 'executed');
    await world.until(approved, 'executed');
  });

  it('refuses proposals until it is lifted', async () => {
    const world = kernelWorld({ answers: ['approved', 'approved'] });
    const since = await world.kernel.halt(alice);
    world.clock.advance(1_000);
    expect(await world.kernel.halt(alice)).toBe(since);
    await expect(world.propose()).rejects.toMatchObject({
      status: 403,
      code: 'policy_denied',
      options: { members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] } },
    });
    await world.until((await liftOf(world, 'lift')).id, 'executed');
    expect((await world.kernel.trading('alice')).state).toBe('active');
    await world.proposed('executed');
  });

  it.each(['executing', 'unknown'] as const)(
    'sends nothing of what was %s before it: the broker is only asked about it',
    async (state) => {
      const world = kernelWorld();
      const { id } = await world.left(state);
      await world.kernel.halt(alice);
      world.start();
      await world.sleep(60_000);
      expect(world.looks.length).toBeGreaterThan(0);
      expect(await world.row(id)).toMatchObject({ state: 'unknown' });
      // The broker never received it.
      world.settled = undefined;
      await world.sleep(60_000);
      expect(await world.row(id)).toMatchObject({ state: 'cancelled' });
      expect(world.book).toEqual([]);
    },
  );

  it('is not lifted by anything else that is approved', async () => {
    const world = kernelWorld();
    const { id } = await world.left('executing');
    // Begun before the halt, it is only asked about.
    world.settled = { outcome: 'executed', result: {} };
    await world.kernel.halt(alice);
    world.start();
    await world.until(id, 'executed');
    expect((await world.kernel.trading('alice')).state).toBe('halted');
  });

  it('later than the question about an earlier one stays', async () => {
    const world = kernelWorld();
    const first = await world.kernel.halt(alice);
    const question = await liftOf(world, 'lift');
    await world.halts.lift('alice', first, world.clock.now());
    world.clock.advance(60_000);
    const second = await world.kernel.halt(alice);
    world.answers.push('approved');
    await world.until(question.id, 'executed');
    expect(await world.kernel.trading('alice')).toMatchObject({ state: 'halted', since: second });
  });

  it('that is over, or never was, needs no lifting', async () => {
    const world = kernelWorld();
    await expect(liftOf(world, 'lift')).rejects.toMatchObject({ status: 409, code: 'not_halted' });
  });
});
