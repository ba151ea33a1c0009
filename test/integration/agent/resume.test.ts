import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openStateDatabase } from '../../../src/agent/state-database.ts';
import { TradeAgentError } from '../../../src/trading/errors.ts';
import { createWorld, options, play, quickClock, type World } from './world.ts';

/** Leaves "buy 5 AAPL" pending on a new agent, and closes that. */
async function detached(world: World, prompt = 'buy 5 AAPL'): Promise<string> {
  const agent = await world.agent();
  const { result } = await play(agent.run({ prompt }, options('detach')));
  expect(result.status).toBe('pending');
  await agent.close();
  return result.thread;
}

describe('a detached run', () => {
  it('ends pending with its approval asked for', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options('detach')));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    expect(result).not.toHaveProperty('error');
    expect(world.phone.polls).toBe(0);
    expect(await agent.approvals()).toMatchObject([{ id: result.approvals[0]?.id, status: 'requested' }]);
    expect(await agent.threads()).toMatchObject([
      { thread: result.thread, status: 'pending', prompt: 'buy 5 AAPL' },
    ]);
  });

  it('is resumed by a new process, which places the order once; a second resume places nothing', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    world.phone.decide('AAPL', 'approve');
    const first = await play((await world.agent()).resume(thread, options()));
    expect(first.result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
    const second = await play((await world.agent()).resume(thread, options()));
    expect(second.result).toEqual(first.result);
    expect(second.events.map(({ type }) => type)).toEqual(['thread', 'result']);
    expect(world.gateway.posts).toHaveLength(1);
    expect(world.phone.asked).toHaveLength(1);
  });

  it('reports a denial at each resume', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    world.phone.decide('AAPL', 'deny');
    for (let time = 0; time < 2; time++) {
      const { result } = await play((await world.agent()).resume(thread, options()));
      expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_denied' } });
    }
    expect(world.gateway.posts).toEqual([]);
  });

  it('with two orders goes on with the one decided and keeps the other pending', async () => {
    const world = await createWorld();
    const thread = await detached(world, 'buy 5 AAPL and sell 2 MSFT');
    world.phone.decide('MSFT', 'approve');
    const stop = new AbortController();
    const first = await play((await world.agent()).resume(thread, options('wait', stop.signal)), (event) => {
      if (event.type === 'approval' && event.approval.status === 'executed') stop.abort();
    });
    expect(first.result.status).toBe('pending');
    expect(first.result.orders.map(({ symbol }) => symbol)).toEqual(['MSFT']);
    world.phone.decide('AAPL', 'approve');
    const second = await play((await world.agent()).resume(thread, options()));
    expect(second.result.status).toBe('done');
    expect(world.gateway.posts.map(({ symbol }) => symbol)).toEqual(['MSFT', 'AAPL']);
  });

  it('takes no new prompt before its approval is settled', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const { result } = await play((await world.agent()).run({ prompt: 'quote AAPL', thread }, options()));
    expect(result).toMatchObject({
      status: 'pending',
      error: { code: 'approval_pending', hint: expect.stringContaining(thread) },
    });
    world.phone.decide('AAPL', 'approve');
    const resumed = await play((await world.agent()).resume(thread, options()));
    expect(resumed.result.status).toBe('done');
    const next = await play((await world.agent()).run({ prompt: 'quote AAPL', thread }, options()));
    expect(next.result).toMatchObject({ status: 'done', approvals: [], orders: [] });
  });

  it('whose approval is taken back places nothing, even if approved later', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const agent = await world.agent();
    const [pending] = await agent.approvals();
    const cancelled = await agent.cancelApproval(pending?.id ?? '');
    expect(cancelled.status).toBe('cancelled');
    world.phone.decide('AAPL', 'approve');
    const { result } = await play(agent.resume(thread, options()));
    expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_cancelled' } });
    expect(world.gateway.posts).toEqual([]);
    await expect(agent.cancelApproval('ap_nothere')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('can be taken back by another process while this one waits', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const other = await world.agent();
    const { result } = await play((await world.agent()).resume(thread, options()), (event) => {
      if (event.type === 'approval' && event.approval.status === 'requested') {
        void other.cancelApproval(event.approval.id);
      }
    });
    expect(result).toMatchObject({ error: { code: 'approval_cancelled' } });
  });
});

describe('a run that is stopped while it waits', () => {
  it('leaves the approval pending', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const stop = new AbortController();
    const { result } = await play(
      agent.run({ prompt: 'buy 5 AAPL' }, options('wait', stop.signal)),
      (event) => {
        if (event.type === 'approval' && event.approval.status === 'requested') {
          stop.abort(new TradeAgentError('timeout', 'the time given to the run is over'));
        }
      },
    );
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    world.phone.decide('AAPL', 'approve');
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(world.phone.asked).toHaveLength(1);
  });

  it('ends when its reader leaves', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    for await (const event of agent.run({ prompt: 'buy 5 AAPL' }, options())) {
      if (event.type === 'approval' && event.approval.status === 'requested') break;
    }
    expect(await agent.approvals()).toMatchObject([{ status: 'requested' }]);
  });
});

describe('a thread', () => {
  it('that does not exist cannot be resumed', async () => {
    const { result } = await play((await (await createWorld()).agent()).resume('th_nothere', options()));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
  });

  it('of another user does not exist', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const bob = await world.agent({
      session: { ...world.session, user: { sub: 'bob', name: 'Bob', email: undefined } },
    });
    const { result } = await play(bob.resume(thread, options()));
    expect(result).toMatchObject({ error: { code: 'not_found' }, approvals: [] });
    expect(await bob.approvals()).toEqual([]);
    expect(await bob.threads()).toEqual([]);
    const [alices] = await (await world.agent()).approvals();
    expect(await bob.approval(alices?.id ?? '')).toBeUndefined();
    await expect(bob.cancelApproval(alices?.id ?? '')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is driven by one run at a time', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const agent = await world.agent();
    const stop = new AbortController();
    let second: Promise<unknown> | undefined;
    const first = await play(agent.resume(thread, options('wait', stop.signal)), (event) => {
      if (event.type !== 'approval' || second !== undefined) return;
      second = world
        .agent()
        .then((other) => play(other.resume(thread, options())))
        .finally(() => stop.abort());
    });
    expect(first.result.status).toBe('pending');
    expect(await second).toMatchObject({
      events: [{ type: 'thread', thread }, { type: 'result' }],
      result: { thread, status: 'failed', error: { code: 'busy' } },
    });
  });

  it('remembers what was said before', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const first = await play(agent.run({ prompt: 'quote AAPL', thread: 'mine' }, options()));
    expect(first.result.thread).toBe('mine');
    await play(agent.run({ prompt: 'quote MSFT', thread: 'mine' }, options()));
    expect(await agent.threads()).toMatchObject([{ thread: 'mine', prompt: 'quote AAPL', status: 'done' }]);
    const bad = await play(agent.run({ prompt: 'quote MSFT', thread: '../x' }, options()));
    expect(bad.result).toMatchObject({ error: { code: 'usage' } });
  });
});

describe('an order whose outcome is unknown', () => {
  it('is asked about by its client_order_id, and found', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['drop_after_accept'];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.gateway.posts).toHaveLength(1);
  });

  it('stays unknown while nobody knows it, and is settled by a resume without a second order', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['drop_after_accept'];
    world.gateway.hiddenLookups = 3;
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({
      status: 'unknown',
      error: { code: 'outcome_unknown' },
      approvals: [{ status: 'unknown' }],
    });
    const agent = await world.agent();
    await expect(agent.cancelApproval(result.approvals[0]?.id ?? '')).rejects.toMatchObject({
      code: 'outcome_unknown',
    });
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.gateway.posts).toHaveLength(1);
    expect(world.gateway.book).toHaveLength(1);
  });

  it('that never arrived is sent again by a resume, since it was approved', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['drop_before_accept'];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result.status).toBe('unknown');
    const resumed = await play((await world.agent()).resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(world.gateway.book).toHaveLength(1);
    expect(new Set(world.gateway.posts.map(({ client_order_id }) => client_order_id)).size).toBe(1);
  });

  it('is not settled by the refusal of a second sending', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['answer_503', { status: 401, code: 'token_expired' }];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result.status).toBe('unknown');
    const resumed = await play((await world.agent()).resume(result.thread, options()));
    expect(resumed.result.status).toBe('unknown');
  });

  it('that neither gateway nor broker knows long after its deadline was never placed', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    world.gateway.faults = ['drop_before_accept'];
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    const soon = await play((await world.agent({ clock: quickClock(310) })).resume(result.thread, options()));
    expect(soon.result.status).toBe('unknown');
    const long = await play((await world.agent({ clock: quickClock(400) })).resume(result.thread, options()));
    expect(long.result).toMatchObject({ status: 'expired', error: { code: 'approval_expired' } });
    expect(world.gateway.posts).toHaveLength(1);
  });
});

describe('an approved order', () => {
  it('that could not be sent stays approved and is sent by a resume', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    world.phone.auto = () => {
      world.gateway.down = true;
      return 'approve';
    };
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'approved' }] });
    expect(world.gateway.posts).toEqual([]);
    world.gateway.down = false;
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(world.gateway.book).toHaveLength(1);
  });

  it.each(['broker_busy', 'provider_unreachable', 'closing'])(
    'that the gateway did not take for now (%s) stays approved, not unknown',
    async (code) => {
      const world = await createWorld();
      world.phone.auto = () => 'approve';
      world.gateway.faults = [{ status: 503, code }];
      const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
      expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'approved' }] });
      const resumed = await play((await world.agent()).resume(result.thread, options()));
      expect(resumed.result.status).toBe('done');
      expect(world.gateway.book).toHaveLength(1);
    },
  );

  it('that certainly never left this machine stays approved, not unknown', async () => {
    const world = await createWorld();
    world.phone.auto = () => 'approve';
    const neverSent = async () => {
      throw new TradeAgentError('gateway_unreachable', 'connection refused', { details: { sent: false } });
    };
    const offline = await world.agent({ session: { ...world.session, fetchWithApproval: neverSent } });
    const { result, events } = await play(offline.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'approved' }] });
    expect(events).toContainEqual({ type: 'notice', message: expect.stringContaining('not sent') });
    const resumed = await play((await world.agent()).resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(world.gateway.posts).toHaveLength(1);
  });

  it('on its way is waited for, though another order of the message breaks off the run', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    world.phone.auto = ({ details }) => {
      world.gateway.down = details.symbol === 'MSFT' || world.gateway.down;
      return 'approve';
    };
    const prompt = 'buy 5 AAPL and sell 2 MSFT';
    const { result } = await play(agent.run({ prompt }, options()));
    expect(result.approvals.map(({ status }) => status)).toEqual(['approved', 'approved']);
    world.gateway.down = false;
    const [apple] = result.approvals;
    const database = openStateDatabase(join(world.folder, 'state.db'), world.key);
    database
      .prepare(`UPDATE approvals SET lease_owner = 'elsewhere|1|x', lease_until = ? WHERE id = ?`)
      .run(Date.now() + 60_000, apple?.id);
    database.close();
    // A slow gateway: the other order has broken off the run long before it answers.
    world.gateway.onPost = () => new Promise((resolve) => setTimeout(resolve, 300));
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'failed', error: { code: 'busy' } });
    expect(resumed.result.approvals.map(({ status }) => status)).toEqual(['approved', 'executed']);
  });

  it('is not sent after its time ran out', async () => {
    const world = await createWorld();
    world.phone.auto = () => {
      world.gateway.down = true;
      return 'approve';
    };
    const { result } = await play((await world.agent()).run({ prompt: 'buy 5 AAPL' }, options()));
    world.gateway.down = false;
    const resumed = await play(
      (await world.agent({ clock: quickClock(301) })).resume(result.thread, options()),
    );
    expect(resumed.result).toMatchObject({ status: 'expired' });
    expect(world.gateway.posts).toEqual([]);
  });

  it('that was being sent when the process died is settled by the next, once', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    world.phone.decide('AAPL', 'approve');
    // Killed while the gateway takes the order: nothing after the intent is written.
    const child = spawn(process.execPath, [fileURLToPath(new URL('./dying-run.ts', import.meta.url))], {
      env: {
        GATEWAY: world.gateway.url,
        FOLDER: world.folder,
        KEY: world.key.toString('hex'),
        THREAD: thread,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exited = once(child, 'exit');
    world.gateway.onPost = async () => {
      world.gateway.onPost = undefined;
      child.kill('SIGKILL');
      await exited;
    };
    expect((await exited)[1]).toBe('SIGKILL');
    await world.gateway.untilBooked(1);
    const agent = await world.agent();
    expect(await agent.approvals()).toMatchObject([{ status: 'executing' }]);
    const { result } = await play(agent.resume(thread, options()));
    expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.gateway.book).toHaveLength(1);
    expect(world.gateway.posts).toHaveLength(1);
  });
});
