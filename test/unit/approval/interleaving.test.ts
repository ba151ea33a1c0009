import { describe, expect, it } from 'vitest';
import type { StoredProposal } from '../../../src/store/proposal-store.ts';
import { proposalRequestSchema } from '../../../src/trading/proposal.ts';
import { alice, type KernelWorld, kernelWorld, TOKEN_MS } from './kernel-world.ts';

/** Something that happens while an answer of the store is on its way back, once. */
function whileAnswering<Name extends 'get' | 'byAuthReqId' | 'keyed'>(
  { store }: KernelWorld,
  name: Name,
  happens: (answer: unknown) => Promise<unknown> | undefined,
): void {
  const method = store[name] as (...given: unknown[]) => Promise<unknown>;
  let over = false;
  Object.assign(store, {
    [name]: async (...given: unknown[]) => {
      const answer = await method.apply(store, given);
      const happening = over ? undefined : happens(answer);
      if (happening === undefined) return answer;
      over = true;
      await happening;
      return answer;
    },
  });
}

const buy = (qty: string, ttl = 300) =>
  proposalRequestSchema.parse({ kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty }, ttl });
const other = { sub: 'alice', clientId: 'another', accessToken: 'T' } as const;

describe('what happens between a look at the store and what follows from it', () => {
  it('a change that comes while a watcher reads is heard at once', async () => {
    const world = kernelWorld();
    world.start();
    const { id, version } = await world.propose();
    whileAnswering(world, 'get', () => world.kernel.withdraw('alice', id));
    const before = world.clock.now();
    const change = world.kernel.awaitChange(id, version, 60_000, new AbortController().signal);
    expect(await world.clock.run(change)).toMatchObject({ state: 'cancelled' });
    expect(world.clock.now() - before).toBeLessThan(60_000);
  });

  it('a call that comes while its question’s answer is written is not lost', async () => {
    const world = kernelWorld({ delivery: 'ping', answers: ['approved'] });
    world.start();
    const { id } = await world.propose();
    const { byAuthReqId } = world.store;
    let looks = 0;
    Object.assign(world.store, {
      byAuthReqId: async (authReqId: string) => (looks++ === 0 ? undefined : byAuthReqId(authReqId)),
    });
    const before = world.clock.now();
    expect(await world.kernel.handlePing('auth-1', world.questions[0]?.notificationToken ?? '')).toBe(true);
    await world.until(id, 'executed');
    expect(world.clock.now() - before).toBeLessThan(30_000);
  });

  it('a withdrawal that comes just before a poll lets none begin', async () => {
    const world = kernelWorld();
    world.start();
    const { id } = await world.propose();
    const { length } = world.polls;
    whileAnswering(world, 'get', (row) =>
      // The one look that a poll follows.
      (row as { state?: string })?.state === 'requested'
        ? world.kernel.withdraw('alice', id).catch(() => undefined)
        : undefined,
    );
    await world.sleep(20_000);
    expect(await world.row(id)).toMatchObject({ state: 'cancelled' });
    expect(world.polls).toHaveLength(length);
  });

  it('a withdrawal that meets the approval still takes the order back', async () => {
    const world = kernelWorld();
    const { id } = await world.left('requested');
    whileAnswering(world, 'get', (row) => {
      const token = { value: `token ${id}`, expiresAt: world.clock.now() + TOKEN_MS };
      return world.moves.move(row as StoredProposal, 'approved', { token });
    });
    expect(await world.kernel.withdraw('alice', id)).toMatchObject({ state: 'cancelled', hasToken: false });
    world.start();
    await world.sleep(60_000);
    expect(world.book).toEqual([]);
  });

  it('of many proposed at once no more than the quota allows are taken in', async () => {
    const world = kernelWorld();
    world.start();
    const proposing = ['1', '2', '3', '4', '5'].map((qty) => world.kernel.propose(other, buy(qty), `k${qty}`));
    const outcomes = await world.clock.run(Promise.allSettled(proposing));
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(refused).toEqual(['too_many_open', 'too_many_open']);
    expect(await world.store.list({ state: 'all' })).toHaveLength(3);
  });

  it('the same proposed at once under many keys is one', async () => {
    const world = kernelWorld();
    world.start();
    const proposing = ['a', 'b', 'c'].map((key) => world.kernel.propose(other, buy('5'), key));
    const proposed = await world.clock.run(Promise.all(proposing));
    expect(new Set(proposed.map(({ proposal }) => proposal.id)).size).toBe(1);
    expect(proposed.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  it('the same request at once is completed once', async () => {
    const world = kernelWorld();
    world.start();
    const { snapshot } = world.store;
    let looks = 0;
    Object.assign(world.store, {
      snapshot: (...of: Parameters<typeof snapshot>) => {
        looks += 1;
        return snapshot(...of);
      },
    });
    const proposing = [1, 2, 3].map(() => world.kernel.propose(alice, buy('5'), 'key'));
    const proposed = await world.clock.run(Promise.all(proposing));
    expect(new Set(proposed.map(({ proposal }) => proposal.id)).size).toBe(1);
    expect(proposed.map(({ isNew }) => isNew)).toEqual([true, false, false]);
    expect(world.questions).toHaveLength(1);
    // Before it is completed, and with its row.
    expect(looks).toBe(2);
  });

  it('a halt that comes while a proposal is completed keeps it out', async () => {
    const world = kernelWorld();
    world.start();
    let halted = false;
    whileAnswering(world, 'keyed', () => {
      // The second look, with the row.
      if (halted) return world.kernel.halt(alice);
      halted = true;
      return undefined;
    });
    await expect(world.propose()).rejects.toMatchObject({ code: 'policy_denied' });
    expect(await world.store.list({ state: 'all' })).toEqual([]);
  });
});
