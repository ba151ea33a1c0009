import { describe, expect, it } from 'vitest';
import type { Agent } from '../../../src/agent/agent.ts';
import { createWorld, options, play, quickClock, type World } from './world.ts';

const prompts = { AAPL: 'buy 5 AAPL', MSFT: 'sell 2 MSFT', NVDA: 'buy 1 NVDA' } as const;
type Symbol = keyof typeof prompts;

const detach = (world: World) => world.run(prompts.AAPL, { approval: 'detach', thread: 't' });

async function threeThreads(agent: Agent): Promise<void> {
  for (const [thread, prompt] of Object.entries(prompts)) {
    await play(agent.run({ prompt, thread }, options('detach')));
  }
}

describe('approvals pending across threads', () => {
  it.each<[Symbol[]]>([[['AAPL', 'MSFT', 'NVDA']], [['NVDA', 'MSFT', 'AAPL']], [['MSFT', 'NVDA', 'AAPL']]])(
    'are told of as each is decided: %s',
    async (order) => {
      const world = await createWorld();
      const agent = await world.agent();
      await threeThreads(agent);
      const runs = new Map(Object.keys(prompts).map((thread) => [thread, play(agent.resume(thread, options()))]));
      for (const [index, symbol] of order.entries()) {
        world.phone.decide(symbol, 'approve');
        expect((await runs.get(symbol))?.result.status).toBe('done');
        // The others still wait.
        expect(world.gateway.book.map((placed) => placed.symbol)).toEqual(order.slice(0, index + 1));
      }
    },
  );
});

describe('an order that another thread already asked about', () => {
  it('is pending in the second thread too, which names the approval', async () => {
    const world = await createWorld();
    const run = async (thread: string) => (await world.run(prompts.AAPL, { approval: 'detach', thread })).result;
    const first = await run('first');
    const second = await run('second');
    expect(world.phone.asked).toHaveLength(1);
    const id = first.approvals[0]?.id;
    expect(second).toMatchObject({ status: 'pending', approvals: [{ id, thread: 'second' }] });
    const agent = await world.agent();
    expect(await agent.approvals()).toMatchObject([{ id, thread: 'first' }]);
    expect(await agent.threads()).toMatchObject([{ status: 'pending' }, { status: 'pending' }]);
  });

  it('is in the result and the events of both runs that wait for it', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const first = play(agent.run({ prompt: prompts.AAPL, thread: 'first' }, options()));
    const [asked] = await world.phone.untilAsked(1);
    let told: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (told = resolve));
    const second = world.run(prompts.AAPL, { thread: 'second' }, ({ type }) => {
      if (type === 'approval') told();
    });
    await waits;
    world.phone.decide('AAPL', 'approve');
    const runs = await Promise.all([first, second]);
    for (const { result, events } of runs) {
      expect(result).toMatchObject({
        status: 'done',
        orders: [{ symbol: 'AAPL' }],
        approvals: [{ id: asked?.id, status: 'executed' }],
      });
      expect(events.filter(({ type }) => type === 'order')).toHaveLength(1);
    }
    expect(world.gateway.book).toHaveLength(1);
  });
});

describe('approvals pending in one thread', () => {
  it('are told of in whatever order they are decided, each by a detached resume', async () => {
    const world = await createWorld();
    const prompt = 'buy 5 AAPL and sell 2 MSFT and buy 1 NVDA';
    await world.run(prompt, { approval: 'detach', thread: 't' });
    expect(world.phone.asked).toHaveLength(3);
    for (const [symbol, decision, left] of [
      ['NVDA', 'approve', 2],
      ['MSFT', 'deny', 1],
      ['AAPL', 'approve', 0],
    ] as const) {
      world.phone.decide(symbol, decision);
      const { result } = await world.resume('t', 'detach');
      expect(result.approvals.filter(({ status }) => status === 'requested')).toHaveLength(left);
    }
    expect(world.gateway.book.map(({ symbol }) => symbol)).toEqual(['NVDA', 'AAPL']);
  });
});

describe('a detached resume', () => {
  it('tells of what was carried out already, after one look', async () => {
    const world = await createWorld();
    await detach(world);
    world.phone.decide('AAPL', 'approve');
    const { result } = await world.resume('t', 'detach');
    expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.phone.looks).toBe(1);
  });

  it('leaves an undecided one pending, after one look', async () => {
    const world = await createWorld();
    await detach(world);
    const { result, events } = await world.resume('t', 'detach');
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    expect(world.phone.looks).toBe(1);
    expect(events.filter(({ type }) => type === 'notice')).toEqual([]);
  });

  it('of a gateway that is gone says so, and waits for nobody', async () => {
    const world = await createWorld();
    await detach(world);
    world.gateway.down = true;
    const { result, events } = await world.resume('t', 'detach');
    expect(result.status).toBe('pending');
    const message = 'The gateway cannot be reached; your decision is not known yet.';
    expect(events).toContainEqual({ type: 'notice', message });
  });
});

describe('approvals that are listed', () => {
  it('are the gateway’s, with those of other clients by their name', async () => {
    const world = await createWorld();
    await detach(world);
    const agent = await world.agent();
    const order = { symbol: 'NVDA', side: 'buy', qty: '1' };
    await world.phone.foreign('alice-sub', { kind: 'order', order }, 'some-other-app');
    world.phone.decide('AAPL', 'approve');
    expect(await agent.approvals()).toMatchObject([
      { thread: '', client: 'some-other-app', status: 'requested' },
      { thread: 't', client: 'trade-agent', status: 'executed', placed: { symbol: 'AAPL' } },
    ]);
  });

  it('are as they were last seen, and say so, where the gateway cannot be reached', async () => {
    const world = await createWorld();
    await detach(world);
    world.gateway.down = true;
    const agent = await world.agent();
    const [stale] = await agent.approvals();
    expect(stale).toMatchObject({ status: 'requested', stale: true });
    expect(stale).not.toHaveProperty('overdue');
    expect(await agent.approval(stale?.id ?? '')).toMatchObject({ stale: true });
    const late = await world.agent({ clock: quickClock(400) });
    expect(await late.approvals()).toMatchObject([{ status: 'requested', stale: true, overdue: true }]);
  });
});

describe('a thread whose approval expired', () => {
  const ttl = 400;

  it('is expired, also when its run ended after the approval did', async () => {
    const world = await createWorld();
    const late = await world.agent({ clock: quickClock(ttl) });
    await play(late.run({ prompt: 'buy 5 AAPL', thread: 't' }, options('detach')));
    world.phone.expire('AAPL');
    expect(await late.threads()).toMatchObject([{ thread: 't', status: 'expired' }]);
    expect(await late.thread('t')).toMatchObject({ status: 'expired', approvals: [{ status: 'expired' }] });
  });

  it('is expired, also when more approvals came since than the gateway lists', async () => {
    const world = await createWorld();
    await detach(world);
    const agent = await world.agent();
    world.phone.expire('AAPL');
    for (let qty = 1; qty <= 200; qty += 1) {
      const order = { symbol: 'NVDA', side: 'buy', qty: String(qty) };
      await world.phone.foreign('alice-sub', { kind: 'order', order }, 'some-other-app');
    }
    expect(await agent.threads()).toMatchObject([{ thread: 't', status: 'expired' }]);
    expect(await agent.approvals()).toContainEqual(expect.objectContaining({ thread: 't', status: 'expired' }));
  });

  it('is expired when the gateway does not have the approval any more', async () => {
    const world = await createWorld();
    await detach(world);
    const { profile, session } = await createWorld();
    const soon = await world.agent({ profile, session });
    expect(await soon.threads()).toMatchObject([{ thread: 't', status: 'pending' }]);
    const late = await world.agent({ profile, session, clock: quickClock(ttl) });
    expect(await late.threads()).toMatchObject([{ thread: 't', status: 'expired' }]);
    expect(await late.approvals()).toMatchObject([
      { status: 'expired', reason: 'the approval expired, and the gateway no longer has it' },
    ]);
    await late.deleteThread('t');
  });
});
