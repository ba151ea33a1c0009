import { describe, expect, it } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import type { PollResult } from '../../../src/auth/ciba.ts';
import { createWorld, options, play, quickClock } from './world.ts';

const prompts = { AAPL: 'buy 5 AAPL', MSFT: 'sell 2 MSFT', NVDA: 'buy 1 NVDA' } as const;
type Symbol = keyof typeof prompts;

/** A thread for each symbol, each with its approval pending. */
async function threeThreads(agent: Agent): Promise<void> {
  for (const [thread, prompt] of Object.entries(prompts)) {
    await play(agent.run({ prompt, thread }, options('detach')));
  }
}

describe('approvals pending across threads', () => {
  it.each<[Symbol[]]>([[['AAPL', 'MSFT', 'NVDA']], [['NVDA', 'MSFT', 'AAPL']], [['MSFT', 'NVDA', 'AAPL']]])(
    'are carried out as each is decided: %s',
    async (order) => {
      const world = await createWorld();
      const agent = await world.agent();
      await threeThreads(agent);
      const runs = new Map(
        Object.keys(prompts).map((thread) => [thread, play(agent.resume(thread, options()))]),
      );
      for (const [index, symbol] of order.entries()) {
        world.phone.decide(symbol, 'approve');
        expect((await runs.get(symbol))?.result.status).toBe('done');
        // The others still wait.
        expect(world.gateway.book.map((placed) => placed.symbol)).toEqual(order.slice(0, index + 1));
      }
      expect(world.phone.overlapping).toBe(false);
    },
  );
});

describe('approvals pending in one thread', () => {
  it('are carried out in whatever order they are decided, each by a detached resume', async () => {
    const world = await createWorld();
    const prompt = 'buy 5 AAPL and sell 2 MSFT and buy 1 NVDA';
    await play((await world.agent()).run({ prompt, thread: 't' }, options('detach')));
    expect(world.phone.asked).toHaveLength(3);
    for (const [symbol, decision, left] of [
      ['NVDA', 'approve', 2],
      ['MSFT', 'deny', 1],
      ['AAPL', 'approve', 0],
    ] as const) {
      world.phone.decide(symbol, decision);
      await play((await world.agent()).resume('t', options('detach')));
      const approvals = await (await world.agent()).approvals();
      expect(approvals.filter(({ status }) => status === 'requested')).toHaveLength(left);
    }
    expect(world.gateway.book.map(({ symbol }) => symbol)).toEqual(['NVDA', 'AAPL']);
  });
});

describe('a detached resume', () => {
  it('carries out what was approved already, asking once', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    world.phone.decide('AAPL', 'approve');
    const { result } = await play(agent.resume('t', options('detach')));
    expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.phone.polls).toBe(1);
  });

  it('leaves an undecided one pending, after one question', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    expect(world.phone.polls).toBe(0);
    const { result, events } = await play(agent.resume('t', options('detach')));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    expect(world.phone.polls).toBe(1);
    expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
  });
});

describe('an approval whose time ran out while nobody looked', () => {
  const listedLate = async (answer: PollResult) => {
    const world = await createWorld();
    await play((await world.agent()).run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    world.phone.scripted.push(answer);
    return { world, late: await world.agent({ clock: quickClock(400) }) };
  };

  it('is listed as overdue, and asked about by nobody for that', async () => {
    const { world, late } = await listedLate({ status: 'expired' });
    expect(await late.approvals()).toMatchObject([{ status: 'requested', overdue: true }]);
    expect(world.phone.polls).toBe(0);
    expect((await (await world.agent()).approvals())[0]?.overdue).toBeUndefined();
  });

  it('is named as what it is when the thread is asked for something new', async () => {
    const { late } = await listedLate({ status: 'expired' });
    const { result } = await play(late.run({ prompt: 'who am I', thread: 't' }, options()));
    expect(result.error?.message).toContain('time ran out');
  });

  it.each([
    ['expired', { status: 'expired' }],
    ['denied', { status: 'denied' }],
    ['expired', { status: 'unreachable', reason: 'no connection' }],
  ] as const)('is settled as %s by a detached resume', async (status, answer) => {
    const { world, late } = await listedLate(answer);
    const { result } = await play(late.resume('t', options('detach')));
    expect(result).toMatchObject({ status, approvals: [{ status }] });
    expect(world.phone.polls).toBe(1);
    expect((await late.approvals())[0]?.overdue).toBeUndefined();
  });
});
