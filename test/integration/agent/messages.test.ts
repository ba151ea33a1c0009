import { describe, expect, it } from 'vitest';
import type { CreateAgentOptions } from '../../../src/agent/create-agent.ts';
import { startMessageGateway } from './message-gateway.ts';
import { createWorld, options, play, quickClock } from './world.ts';

const prompt = 'send my portfolio to slack #trading';

async function messageWorld() {
  const world = await createWorld();
  world.phone.auto = () => 'approve';
  const gateway = await startMessageGateway(world);
  const agent = (more: Partial<CreateAgentOptions> = {}) =>
    world.agent({ session: gateway.session, ...more });
  return { ...world, gatewayOfOrders: world.gateway, gateway, agent };
}

describe('a message whose answer the agent loses', () => {
  it('is asked about, and found', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('drop_after_accept');
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(result).toMatchObject({ status: 'done', messages: [{ recipient: '#trading' }] });
    expect([gateway.posts.length, gateway.sent.length]).toEqual([1, 1]);
  });

  it('and about which nobody can be asked stays unknown; a resume asks before anything else', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('drop_after_accept');
    // Three look-ups, each asked twice over a connection that breaks.
    gateway.hiddenLookups = 6;
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(result).toMatchObject({
      status: 'unknown',
      error: { code: 'outcome_unknown', hint: expect.stringContaining('Do not send it again') },
      approvals: [{ kind: 'message', status: 'unknown' }],
    });
    const resumed = await play((await agent()).resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', messages: [{ recipient: '#trading' }] });
    expect([gateway.posts.length, gateway.sent.length]).toEqual([1, 1]);
  });

  it('and that the gateway never had is sent by the resume, under the same id', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('drop_before_accept');
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(result.status).toBe('unknown');
    expect(gateway.sent).toHaveLength(0);
    const resumed = await play((await agent()).resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(gateway.posts).toHaveLength(2);
    expect(gateway.posts[0]).toEqual(gateway.posts[1]);
    expect(gateway.sent).toHaveLength(1);
  });

  it('is settled by a reconcile, which sends nothing', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('drop_before_accept');
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(await (await agent()).reconcile()).toMatchObject([{ status: 'unknown' }]);
    const late = await agent({ clock: quickClock(400) });
    expect(await late.reconcile(result.approvals[0]?.id)).toMatchObject([{ status: 'expired' }]);
    expect(gateway.posts).toHaveLength(1);
  });

  it('is sent once by two runs that resume it at the same moment', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('drop_before_accept');
    const { result } = await play((await agent()).run({ prompt }, options()));
    const agents = await Promise.all([agent(), agent()]);
    const both = await Promise.all(agents.map((one) => play(one.resume(result.thread, options()))));
    expect(both.map((run) => run.result.status).sort()).toContain('done');
    expect(gateway.sent).toHaveLength(1);
  });
});

describe('a message that the gateway does not send', () => {
  it('for now, leaves its approval standing for the next resume', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('answer_503');
    const { result, events } = await play((await agent()).run({ prompt }, options()));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'approved' }] });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'notice', message: expect.stringContaining('was not sent') }),
    );
    const resumed = await play((await agent()).resume(result.thread, options()));
    expect(resumed.result.status).toBe('done');
    expect(gateway.sent).toHaveLength(1);
  });

  it('because it differs from what was approved, is blocked', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push({ status: 403, code: 'details_mismatch' });
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(result).toMatchObject({ status: 'failed', approvals: [{ status: 'blocked' }] });
  });

  it('and of which nobody will ever know, ends, and is never sent again', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push({ status: 504, code: 'outcome_unknown', final: true });
    const { result } = await play((await agent()).run({ prompt }, options()));
    expect(result).toMatchObject({
      status: 'unknown',
      approvals: [{ status: 'blocked', reason: expect.stringContaining('is not known') }],
    });
    await play((await agent()).resume(result.thread, options()));
    expect(gateway.posts).toHaveLength(1);
  });

  it('before its time ran out, is not sent later', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.faults.push('answer_503');
    const { result } = await play((await agent()).run({ prompt }, options()));
    const late = await agent({ clock: quickClock(400) });
    const resumed = await play(late.resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'expired', approvals: [{ status: 'expired' }] });
    expect(gateway.posts).toHaveLength(1);
  });
});

describe('a model’s message', () => {
  it('has the text that the program put together, and at most a note of the model’s under it', async () => {
    const { agent, gateway, phone } = await messageWorld();
    await play((await agent()).run({ prompt }, options()));
    const [asked] = phone.asked;
    expect(asked?.details).toMatchObject({
      type: 'message_send',
      actions: ['send'],
      service: 'slack',
      recipient: '#trading',
      text: gateway.sent[0]?.text,
      identifier: gateway.sent[0]?.client_message_id,
    });
    expect(asked?.bindingMessage).toBe(`SEND slack #trading ${asked?.code}`);
    expect(gateway.sent[0]?.text.split('\n')[1]).toBe('Equity $67,200.00 (+$200.00 today), cash $50,000.00');
  });

  it('is not proposed in a run that only reads', async () => {
    const { agent, gateway, phone } = await messageWorld();
    const { result } = await play((await agent({ readOnly: true })).run({ prompt }, options()));
    expect(result).toMatchObject({ status: 'blocked', error: { code: 'blocked' } });
    expect([phone.asked.length, gateway.posts.length]).toEqual([0, 0]);
  });

  it('waits for its account before anybody is asked', async () => {
    const { agent, gateway, phone } = await messageWorld();
    gateway.connected = false;
    const running = play((await agent()).run({ prompt }, options()), (event) => {
      if (event.type === 'connection' && event.connection.status === 'needed') {
        expect(phone.asked).toHaveLength(0);
        gateway.connected = true;
      }
    });
    const { result, events } = await running;
    expect(events.flatMap((event) => (event.type === 'connection' ? [event.connection] : []))).toEqual([
      { name: 'slack', status: 'needed', command: 'trade-agent connections add slack' },
      { name: 'slack', status: 'connected', command: 'trade-agent connections add slack' },
    ]);
    expect(events.filter(({ type }) => type === 'tool_call')).toHaveLength(1);
    expect(result.status).toBe('done');
  });

  it('whose account nobody connects in time fails with what connects it', async () => {
    const { agent, gateway } = await messageWorld();
    gateway.connected = false;
    const start = Date.now();
    const clock = { ...quickClock(), now: () => start + (Date.now() - start) * 1000 };
    const { result, events } = await play((await agent({ clock })).run({ prompt }, options()));
    expect(events).toContainEqual(
      expect.objectContaining({ connection: expect.objectContaining({ status: 'missing' }) }),
    );
    expect(result).toMatchObject({
      status: 'failed',
      error: { code: 'connection_required', hint: expect.stringContaining('connections add slack') },
      connections: [],
    });
  });
});

describe('an order whose account was disconnected at the last moment', () => {
  it('was certainly not placed: its approval stands, and the next resume places it', async () => {
    const { agent, gateway: _, ...world } = await messageWorld();
    world.gatewayOfOrders.faults = [{ status: 409, code: 'account_not_connected' }];
    const { result, events } = await play((await agent()).run({ prompt: 'buy 1 AAPL' }, options()));
    expect(result).toMatchObject({ status: 'pending', approvals: [{ status: 'approved' }] });
    expect(events).toContainEqual({
      type: 'notice',
      message: expect.stringContaining('trade-agent connections add broker'),
    });
    const resumed = await play((await agent()).resume(result.thread, options()));
    expect(resumed.result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL' }] });
    expect(world.gatewayOfOrders.book).toHaveLength(1);
  });
});
