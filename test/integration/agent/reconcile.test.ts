import { describe, expect, it } from 'vitest';
import { createWorld, options, play } from './world.ts';

async function unknownOrder(execution: 'hold' | 'unknown') {
  const world = await createWorld();
  world.phone.executions = [execution];
  const agent = await world.agent();
  const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options('detach')));
  world.phone.decide('AAPL', 'approve');
  const { result: looked } = await play(agent.resume(result.thread, options('detach')));
  expect(looked).toMatchObject({ status: 'unknown', error: { code: 'outcome_unknown' } });
  return { world, agent, thread: result.thread, id: result.approvals[0]?.id ?? '' };
}

describe('reconciling', () => {
  it.each(['hold', 'unknown'] as const)(
    'asks the gateway (%s), and leaves the thread to be resumed once it knows',
    async (execution) => {
      const { world, agent, thread, id } = await unknownOrder(execution);
      const status = execution === 'hold' ? 'executing' : 'unknown';
      expect(await agent.reconcile()).toMatchObject([{ id, status }]);
      expect(await agent.threads()).toMatchObject([{ thread, status: 'unknown' }]);
      world.phone.settle('AAPL');
      expect(await agent.reconcile()).toMatchObject([{ id, status: 'executed', placed: { symbol: 'AAPL' } }]);
      expect(await agent.threads()).toMatchObject([{ thread, status: 'done' }]);
      expect(await agent.threads({ asKept: true })).toMatchObject([{ thread, status: 'done' }]);
      const resumed = await play(agent.resume(thread, options()));
      expect(resumed.result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
      expect(await agent.reconcile()).toEqual([]);
      expect(world.gateway.book).toHaveLength(1);
    },
  );

  it('tells of one that never reached the broker', async () => {
    const { world, agent, id } = await unknownOrder('unknown');
    world.phone.settle('AAPL', 'expired');
    expect(await agent.reconcile(id)).toMatchObject([{ id, status: 'expired' }]);
  });

  it('is refused while the gateway cannot be asked', async () => {
    const { world, agent, id } = await unknownOrder('unknown');
    world.gateway.down = true;
    await expect(agent.reconcile(id)).rejects.toMatchObject({ code: 'gateway_unreachable' });
  });

  it('is refused for an id that is none, and without a login', async () => {
    const { world, id } = await unknownOrder('unknown');
    await expect((await world.agent()).reconcile('pr_none')).rejects.toMatchObject({ code: 'not_found' });
    const nobody = await world.agent({ session: undefined });
    await expect(nobody.reconcile(id)).rejects.toMatchObject({ code: 'login_required' });
  });
});
