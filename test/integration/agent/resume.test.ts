import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import { asHere } from '../../shipped/modules.ts';
import { sessionOf } from './session.ts';
import { createWorld, options, play, quickClock, type World } from './world.ts';

async function detached(world: World, prompt = 'buy 5 AAPL'): Promise<string> {
  const agent = await world.agent();
  const { result } = await play(agent.run({ prompt }, options('detach')));
  expect(result.status).toBe('pending');
  await agent.close();
  return result.thread;
}

describe('a detached run', () => {
  it('ends pending with its approval asked for, and looks at nothing', async () => {
    const world = await createWorld();
    const agent = await world.agent();
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options('detach')));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    expect(result).not.toHaveProperty('error');
    expect(world.phone.looks).toBe(0);
    expect(await agent.approvals()).toMatchObject([
      { id: result.approvals[0]?.id, status: 'requested', thread: result.thread },
    ]);
    expect(await agent.threads()).toMatchObject([{ thread: result.thread, status: 'pending', prompt: 'buy 5 AAPL' }]);
  });

  it('has its order carried out with nothing resumed; a resume then only tells, and so does the next', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    world.phone.decide('AAPL', 'approve');
    expect(world.gateway.book).toHaveLength(1);
    const first = await world.resume(thread);
    expect(first.result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL', status: 'filled' }] });
    const second = await world.resume(thread);
    expect(second.result).toEqual(first.result);
    expect(second.events.map(({ type }) => type)).toEqual(['thread', 'result']);
    expect(world.gateway.book).toHaveLength(1);
    expect(world.phone.posts).toHaveLength(1);
  });

  it('reports a denial at each resume', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    world.phone.decide('AAPL', 'deny');
    for (let time = 0; time < 2; time++) {
      const { result } = await world.resume(thread);
      expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_denied' } });
    }
    expect(world.gateway.book).toEqual([]);
  });

  it('with two orders goes on with the one decided and keeps the other pending', async () => {
    const world = await createWorld();
    const thread = await detached(world, 'buy 5 AAPL and sell 2 MSFT');
    world.phone.decide('MSFT', 'approve');
    const stop = new AbortController();
    const first = await world.resume(thread, { signal: stop.signal }, (event) => {
      if (event.type === 'approval' && event.approval.status === 'executed') stop.abort();
    });
    expect(first.result.status).toBe('pending');
    expect(first.result.orders.map(({ symbol }) => symbol)).toEqual(['MSFT']);
    world.phone.decide('AAPL', 'approve');
    const second = await world.resume(thread);
    expect(second.result.status).toBe('done');
    expect(world.gateway.book.map(({ symbol }) => symbol)).toEqual(['MSFT', 'AAPL']);
  });

  it('takes no new prompt before it has heard what became of its approval', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const { result } = await world.run('quote AAPL', { thread });
    expect(result).toMatchObject({
      status: 'pending',
      error: { code: 'approval_pending', hint: expect.stringContaining(thread) },
    });
    world.phone.decide('AAPL', 'approve');
    const agent = await world.agent();
    // Whoever lists them learns that it is done; the conversation has not heard of it.
    await agent.approvals();
    const unheard = await play(agent.run({ prompt: 'quote AAPL', thread }, options()));
    expect(unheard.result).toMatchObject({ status: 'unknown', error: { code: 'outcome_unknown' } });
    const resumed = await world.resume(thread);
    expect(resumed.result.status).toBe('done');
    const next = await world.run('quote AAPL', { thread });
    expect(next.result).toMatchObject({ status: 'done', approvals: [], orders: [] });
  });

  it('whose approval is taken back has no order, even if the phone taps later', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const agent = await world.agent();
    const [pending] = await agent.approvals();
    const cancelled = await agent.cancelApproval(pending?.id ?? '');
    expect(cancelled.status).toBe('cancelled');
    world.phone.decide('AAPL', 'approve');
    const { result } = await play(agent.resume(thread, options()));
    expect(result).toMatchObject({ status: 'denied', error: { code: 'approval_cancelled' } });
    expect(world.gateway.book).toEqual([]);
    expect(await agent.cancelApproval(pending?.id ?? '')).toMatchObject({ status: 'cancelled' });
    await expect(agent.cancelApproval('pr_nothere')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('can be taken back by another process while this one waits', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const other = await world.agent();
    const { result } = await world.resume(thread, {}, (event) => {
      if (event.type === 'approval' && event.approval.status === 'requested') {
        void other.cancelApproval(event.approval.id);
      }
    });
    expect(result).toMatchObject({ error: { code: 'approval_cancelled' } });
  });

  it('is taken back by a resume that may not ask', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const { result } = await world.resume(thread, 'deny');
    expect(result).toMatchObject({ status: 'denied', approvals: [{ status: 'cancelled' }] });
    expect(world.phone.asked).toMatchObject([{ state: 'cancelled' }]);
  });
});

describe('a run that is stopped while it waits', () => {
  const stopped = async (world: World, cancelOnExit: boolean) => {
    const stop = new AbortController();
    return await world.run('buy 5 AAPL', { signal: stop.signal, cancelOnExit }, (event) => {
      if (event.type === 'approval' && event.approval.status === 'requested') {
        stop.abort(new TradeAgentError('timeout', 'the time given to the run is over'));
      }
    });
  };

  it('leaves the approval with the gateway, which carries it out', async () => {
    const world = await createWorld();
    const { result } = await stopped(world, false);
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'requested' }] });
    world.phone.decide('AAPL', 'approve');
    expect(world.gateway.book).toHaveLength(1);
    const resumed = await world.resume(result.thread);
    expect(resumed.result.status).toBe('done');
    expect(world.phone.asked).toHaveLength(1);
  });

  it('takes it back where it was told to', async () => {
    const world = await createWorld();
    const { result } = await stopped(world, true);
    expect(result).toMatchObject({ error: { code: 'timeout' }, approvals: [{ status: 'cancelled' }] });
    world.phone.decide('AAPL', 'approve');
    expect(world.gateway.book).toEqual([]);
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
    const { result } = await (await createWorld()).resume('th_nothere');
    expect(result).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
  });

  it('of another user does not exist', async () => {
    const world = await createWorld();
    const thread = await detached(world);
    const bob = await world.agent({ session: sessionOf(world.profile, 'bob') });
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
    const stop = new AbortController();
    let second: Promise<unknown> | undefined;
    const first = await world.resume(thread, { signal: stop.signal }, (event) => {
      if (event.type !== 'approval' || second !== undefined) return;
      second = world.resume(thread).finally(() => stop.abort());
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

describe('a proposal whose answer is lost', () => {
  it('is posted again under the same key, and asked about once', async () => {
    const world = await createWorld('approve');
    world.phone.faults = ['drop_after_accept'];
    const { result, events } = await world.run('buy 5 AAPL');
    expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(events).toContainEqual(expect.objectContaining({ type: 'notice' }));
    expect(new Set(world.phone.posts.map(({ key }) => key)).size).toBe(1);
    expect(world.gateway.book).toHaveLength(1);
  });

  it('again and again leaves the run unknown; a resume goes on with that very proposal', async () => {
    const world = await createWorld();
    world.phone.faults = Array(4).fill('drop_after_accept');
    const agent = await world.agent();
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options()));
    expect(result).toMatchObject({
      status: 'unknown',
      error: { code: 'outcome_unknown', hint: expect.stringContaining('resume t') },
    });
    const next = await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options()));
    expect(next.result).toMatchObject({ error: { code: 'outcome_unknown' } });
    expect(world.phone.asked).toHaveLength(1);
    world.phone.decide('AAPL', 'approve');
    // Another time of day, another program: the request stands as it was.
    const resumed = await play(agent.resume('t', { ...options(), requestedBy: 'chat', ttl: 900 }));
    expect(resumed.result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.phone.asked).toHaveLength(1);
    expect(world.gateway.book).toHaveLength(1);
  });

  it('that never reached the gateway is a refusal: nothing can come of it', async () => {
    const world = await createWorld();
    const neverSent = async () => {
      throw new TradeAgentError('gateway_unreachable', 'connection refused', { details: { sent: false } });
    };
    const offline = await world.agent({ session: { ...world.session, fetch: neverSent } });
    const { result } = await play(offline.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'gateway_unreachable' }, approvals: [] });
  });
});

describe('waiting', () => {
  it('outlasts a gateway that is gone for a while', async () => {
    const world = await createWorld();
    const { result, events } = await world.run('buy 5 AAPL', {}, (event) => {
      if (event.type === 'approval' && event.approval.status === 'requested') world.gateway.down = true;
      if (event.type === 'notice' && /cannot be reached/.test(event.message)) {
        world.gateway.down = false;
        world.phone.decide('AAPL', 'approve');
      }
    });
    expect(result.status).toBe('done');
    expect(events.flatMap((event) => (event.type === 'notice' ? [event.message] : []))).toEqual([
      'The gateway cannot be reached; still waiting for your decision.',
      'The gateway is reachable again.',
    ]);
  });

  it('ends unknown where nobody learns what became of it, and a resume tells once that is known', async () => {
    const world = await createWorld('approve');
    world.phone.executions = ['unknown'];
    const start = Date.now();
    const now = () => start + (Date.now() - start) * 50;
    const clock = { ...quickClock(), now, monotonic: now };
    const agent = await world.agent({ clock });
    const { result } = await play(agent.run({ prompt: 'buy 5 AAPL' }, options()));
    expect(result).toMatchObject({
      status: 'unknown',
      error: { code: 'outcome_unknown' },
      approvals: [{ status: 'unknown' }],
    });
    const cancelling = agent.cancelApproval(result.approvals[0]?.id ?? '');
    await expect(cancelling).rejects.toMatchObject({ code: 'outcome_unknown' });
    world.phone.settle('AAPL');
    const resumed = await play(agent.resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
    expect(world.gateway.book).toHaveLength(1);
  });

  it('needs a session', async () => {
    const world = await createWorld();
    await world.run('buy 5 AAPL', { approval: 'detach', thread: 't' });
    const ended = async () => {
      throw new TradeAgentError('login_required', 'the session has ended');
    };
    const stranger = await world.agent({ session: { ...world.session, fetch: ended } });
    const { result } = await play(stranger.resume('t', options()));
    expect(result).toMatchObject({ error: { code: 'login_required' }, approvals: [{ status: 'requested' }] });
  });
});

it('a run that is killed while it waits leaves an order that is carried out, and told by the next', async () => {
  const world = await createWorld();
  const thread = await detached(world);
  const { gateway, folder, key } = world;
  const env = { GATEWAY: gateway.url, FOLDER: folder, KEY: key.toString('hex'), THREAD: thread };
  const program = fileURLToPath(new URL('./resuming-run.ts', import.meta.url));
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  const child = spawn(process.execPath, [...asHere, program], { env, stdio: [...stdio] });
  const exited = once(child, 'exit');
  world.gateway.onRequest = async (request) => {
    if (request.method !== 'GET' || !request.url?.includes('wait=')) return;
    world.gateway.onRequest = undefined;
    child.kill('SIGKILL');
    await exited;
  };
  expect((await exited)[1]).toBe('SIGKILL');
  world.phone.decide('AAPL', 'approve');
  const { result } = await world.resume(thread);
  expect(result).toMatchObject({ status: 'done', orders: [{ status: 'filled' }] });
  expect(world.gateway.book).toHaveLength(1);
});
