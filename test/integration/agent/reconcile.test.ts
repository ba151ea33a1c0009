import { describe, expect, it } from 'vitest';
import { createWorld, options, play, quickClock } from './world.ts';

/** A world with one order whose outcome the agent doesn't know. */
async function unknownOrder(fault: 'drop_after_accept' | 'drop_before_accept') {
  const world = await createWorld();
  world.phone.auto = () => 'approve';
  world.gateway.faults = [fault];
  world.gateway.hiddenLookups = 3;
  const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
  expect(result.status).toBe('unknown');
  return { world, thread: result.thread, id: result.approvals[0]?.id ?? '' };
}

describe('reconciling', () => {
  it('finds an order that the broker has, settles its approval, and leaves the thread to be resumed', async () => {
    const { world, thread, id } = await unknownOrder('drop_after_accept');
    const agent = await world.agent();
    expect(await agent.reconcile()).toMatchObject([{ id, status: 'executed', placed: { symbol: 'AAPL' } }]);
    expect(await agent.threads()).toMatchObject([{ thread, status: 'pending' }]);
    const resumed = await play(agent.resume(thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.gateway.posts).toHaveLength(1);
    expect(await agent.reconcile()).toEqual([]);
  });

  it('sends nothing: an order that nobody knows stays unknown, and the next resume sends it', async () => {
    const { world, thread, id } = await unknownOrder('drop_before_accept');
    const agent = await world.agent();
    expect(await agent.reconcile(id)).toMatchObject([{ id, status: 'unknown' }]);
    expect(world.gateway.posts).toHaveLength(1);
    expect(await agent.threads()).toMatchObject([{ thread, status: 'unknown' }]);
    expect((await play(agent.resume(thread, options()))).result.status).toBe('done');
    expect(world.gateway.book).toHaveLength(1);
  });

  it('ends an order as never placed once its time is certainly over', async () => {
    const { world, id } = await unknownOrder('drop_before_accept');
    const late = await world.agent({ clock: quickClock(400) });
    expect(await late.reconcile(id)).toMatchObject([{ id, status: 'expired' }]);
    expect(world.gateway.posts).toHaveLength(1);
  });

  it('leaves an order unknown while the gateway cannot be asked', async () => {
    const { world, id } = await unknownOrder('drop_after_accept');
    world.gateway.down = true;
    expect(await (await world.agent()).reconcile(id)).toMatchObject([{ id, status: 'unknown' }]);
  });

  it('keeps off an order that another run is carrying out', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    const other = await world.agent();
    const posted = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    world.gateway.onPost = () => {
      posted.resolve();
      return answered.promise;
    };
    const running = play(other.run({ prompt: 'buy 5 AAPL' }, options()));
    await posted.promise;
    const agent = await world.agent();
    expect(await agent.reconcile()).toMatchObject([{ status: 'executing' }]);
    answered.resolve();
    expect((await running).result.status).toBe('done');
    expect(await agent.approvals()).toMatchObject([{ status: 'executed' }]);
  });

  it('is refused for an id that is none, and without a login', async () => {
    const { world, id } = await unknownOrder('drop_after_accept');
    await expect((await world.agent()).reconcile('ap_none')).rejects.toMatchObject({ code: 'not_found' });
    const nobody = await world.agent({ session: undefined });
    await expect(nobody.reconcile(id)).rejects.toMatchObject({ code: 'login_required' });
  });
});
