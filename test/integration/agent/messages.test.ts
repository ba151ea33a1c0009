import { describe, expect, it } from 'vitest';
import { createWorld, options, play, quickClock } from './world.ts';

const prompt = 'send my portfolio to slack #trading';

describe('a message', () => {
  it('has the text that the program put together, and is sent once the phone approves it', async () => {
    const world = await createWorld('approve');
    const { result } = await world.run(prompt);
    expect(world.phone.posts).toMatchObject([
      { body: { kind: 'message', message: { service: 'slack', recipient: '#trading' } } },
    ]);
    expect(world.gateway.sent[0]?.text.split('\n')[1]).toBe('Equity $67,200.00 (+$200.00 today), cash $50,000.00');
    expect(result).toMatchObject({
      status: 'done',
      messages: [{ recipient: '#trading' }],
      approvals: [{ kind: 'message', status: 'executed', worst_case: null }],
    });
  });

  it('keeps its text through a lost answer, however the portfolio moves meanwhile', async () => {
    const world = await createWorld();
    world.phone.faults = Array(4).fill('drop_after_accept');
    const { result } = await world.run(prompt);
    expect(result.status).toBe('unknown');
    world.gateway.buyingPower = '1.00';
    world.phone.decide('slack', 'approve');
    const resumed = await world.resume(result.thread);
    expect(resumed.result.status).toBe('done');
    expect(world.phone.asked).toHaveLength(1);
    expect(world.gateway.sent).toHaveLength(1);
  });

  it('of which nobody will ever know ends so, and is never sent again', async () => {
    const world = await createWorld('approve');
    const text = 'whether it was sent is not known; look there before you send it again';
    world.phone.executions = [{ code: 'outcome_unknown', text }];
    const { result } = await world.run(prompt);
    expect(result).toMatchObject({
      status: 'unknown',
      approvals: [{ status: 'blocked', reason: expect.stringContaining('is not known') }],
    });
    await world.resume(result.thread);
    expect(world.phone.posts).toHaveLength(1);
  });

  it('waits for its account before anybody is asked', async () => {
    const world = await createWorld('approve');
    world.gateway.connected.delete('slack');
    const { result, events } = await play((await world.agent()).run({ prompt }, options()), (event) => {
      if (event.type === 'connection' && event.connection.status === 'needed') {
        expect(world.phone.asked).toHaveLength(0);
        world.gateway.connected.add('slack');
      }
    });
    expect(events.flatMap((event) => (event.type === 'connection' ? [event.connection] : []))).toEqual([
      { name: 'slack', status: 'needed', command: 'trade-agent connections add slack' },
      { name: 'slack', status: 'connected', command: 'trade-agent connections add slack' },
    ]);
    expect(events.filter(({ type }) => type === 'tool_call')).toHaveLength(1);
    expect(result.status).toBe('done');
  });

  it('whose account nobody connects in time fails with what connects it', async () => {
    const world = await createWorld();
    world.gateway.connected.delete('slack');
    const start = Date.now();
    const clock = { ...quickClock(), now: () => start + (Date.now() - start) * 1000 };
    const { result, events } = await play((await world.agent({ clock })).run({ prompt }, options()));
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

describe('an order whose account is not connected', () => {
  it('waits for that, and is proposed under the key it would have had', async () => {
    const world = await createWorld('approve');
    world.phone.faults = [{ status: 409, code: 'account_not_connected' }];
    const { result, events } = await world.run('buy 1 AAPL');
    expect(events).toContainEqual(
      expect.objectContaining({
        connection: expect.objectContaining({ name: 'broker', status: 'connected' }),
      }),
    );
    expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'AAPL' }] });
    expect(world.gateway.book).toHaveLength(1);
  });
});
