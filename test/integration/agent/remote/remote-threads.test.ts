import { describe, expect, it } from 'vitest';
import { createWorld, options, play } from '../world.ts';
import { remoteWorld } from './remote-world.ts';

async function both() {
  const world = await createWorld();
  const here = await world.agent();
  const { agent: there } = await remoteWorld(here);
  return { world, here, there };
}

describe('what an agent at a server kept', () => {
  it('is what it would tell here: threads, one whole, approvals and one of them', async () => {
    const { here, there } = await both();
    const { result } = await play(there.run({ prompt: 'buy 5 AAPL limit 180' }, options('detach')));
    expect(result.status).toBe('pending');
    expect(await there.threads()).toEqual(await here.threads());
    expect(await there.threads({ asKept: true })).toEqual(await here.threads({ asKept: true }));
    expect(await there.thread(result.thread)).toEqual(await here.thread(result.thread));
    const [approval] = await there.approvals();
    expect(approval).toMatchObject({
      kind: 'order',
      status: 'requested',
      order: { symbol: 'AAPL', qty: '5' },
    });
    expect(await there.approval(approval?.id ?? '')).toEqual(approval);
    expect(await there.reconcile()).toEqual(await here.reconcile());
  });

  it('is removed there, but for what is open', async () => {
    const { here, there } = await both();
    const open = await play(there.run({ prompt: 'buy 5 AAPL limit 180' }, options('detach')));
    const done = await play(there.run({ prompt: 'who am I' }, options()));
    const all = { olderThan: 0, keep: 0 };
    expect(await there.pruneThreads({ ...all, dryRun: true })).toEqual([done.result.thread]);
    await expect(there.deleteThread(open.result.thread)).rejects.toMatchObject({ code: 'approval_pending' });
    expect(await there.pruneThreads(all)).toEqual([done.result.thread]);
    const [{ id = '' } = {}] = await there.approvals();
    expect(await there.cancelApproval(id)).toMatchObject({ id, status: 'cancelled' });
    await there.deleteThread(open.result.thread);
    expect(await here.threads()).toEqual([]);
  });

  it.each([
    ['a thread', 'thread', 'not_found'],
    ['one to delete', 'deleteThread', 'not_found'],
    ['an approval to cancel', 'cancelApproval', 'not_found'],
  ] as const)('is %s that is not there: as here', async (_, method, code) => {
    const { there } = await both();
    await expect(there[method]('nothing')).rejects.toMatchObject({ code });
    expect(await there.approval('nothing')).toBeUndefined();
  });

  it('is not gone on with where there is nothing, and the thread is named where another run holds it', async () => {
    const { there } = await both();
    const { result } = await play(there.resume('nothing', options()));
    expect(result).toMatchObject({ thread: 'nothing', status: 'failed', error: { code: 'not_found' } });
  });
});
