import { beforeEach, describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld({ hasty: true });

const TICKET = /phone connect ([\w-]+)/;

/** Starts `connections add`, and gives the ticket it shows. */
async function add(name = 'broker', more: readonly string[] = []) {
  const command = world.start(['connections', 'add', name, ...more]);
  const ticket = TICKET.exec(await command.says(TICKET))?.[1] ?? '';
  return { command, ticket };
}
const answer = (ticket: string, more: readonly string[] = []) =>
  world.run(['phone', ...more, 'connect', ticket, '--user', 'alice']);

async function connect(name = 'broker'): Promise<void> {
  const { command, ticket } = await add(name);
  await answer(ticket);
  const { exitCode, stderr } = await command.done;
  if (exitCode !== 0) throw new Error(stderr);
}

describe('connections', () => {
  beforeEach(async () => {
    const { body } = await world.json('connections', 'add', 'broker', '--timeout', '1s');
    if (body.already !== true) await connect();
  });

  it('lists what is connected and what could be, with what each may do', async () => {
    const { exitCode, body } = await world.json('connections');
    expect(exitCode).toBe(0);
    expect(body).toMatchObject({
      schema: 'trade-agent.connections/1',
      connections: [
        {
          name: 'broker',
          provider_name: 'paper-broker',
          connected: true,
          scopes: ['account:write', 'trading'],
          connected_at: expect.stringMatching(/^\d{4}-/),
        },
        { name: 'slack', connected: false, scopes: ['chat:write'], connected_at: null },
        { name: 'gmail', connected: false, connected_at: null },
      ],
    });
  });

  it('really disconnects: the account can’t be read any more, and again once it is connected', async () => {
    expect((await world.run(['portfolio'])).exitCode).toBe(0);
    expect((await world.run(['connections', 'remove', 'broker'])).stdout).toBe(
      'Disconnected your brokerage account.\n',
    );
    for (const command of [['portfolio'], ['quote', 'AAPL'], ['orders'], ['check']]) {
      const { exitCode, body } = await world.json(...command);
      expect(exitCode).toBe(4);
      expect(body.error).toMatchObject({
        code: 'connection_required',
        hint: expect.stringContaining('trade-agent connections add broker'),
      });
    }
    await connect();
    expect((await world.run(['portfolio'])).exitCode).toBe(0);
  });
});

describe('an agent that needs an account which is not connected', () => {
  const disconnect = () => world.run(['connections', 'remove', 'broker']);

  it('stands still and says so, and goes on by itself once it is connected', async () => {
    await disconnect();
    const run = world.start(['run', 'what do I own']);
    await run.says(/"broker" is not connected; waiting\. In another terminal: trade-agent connections add broker/);
    await connect();
    const { exitCode, stdout, stderr } = await run.done;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('AAPL');
    expect(stderr.match(/Read your portfolio/g)).toHaveLength(1);
    expect(stderr).toContain('broker is connected');
  });

  it('detached, ends as pending with what connects it; resume goes on', async () => {
    await disconnect();
    const { exitCode, body } = await world.json('run', 'what do I own; buy 1 AAPL', '--approval', 'detach');
    expect(exitCode).toBe(5);
    expect(body).toMatchObject({
      status: 'pending',
      connections: [{ name: 'broker', command: 'trade-agent connections add broker' }],
      approvals: [],
      resume: expect.stringMatching(/^trade-agent resume th_/),
    });
    expect(body.error).toBeUndefined();

    const still = await world.json('resume', body.thread, '--approval', 'detach');
    expect([still.exitCode, still.body.connections]).toMatchObject([5, [{ name: 'broker' }]]);

    await connect();
    const asked = await world.json('resume', body.thread, '--approval', 'detach');
    expect([asked.exitCode, asked.body]).toMatchObject([
      5,
      { connections: [], approvals: [{ status: 'requested', order: { symbol: 'AAPL' } }] },
    ]);
    const before = world.ordersAtBroker();
    await world.run(['phone', '--decide', 'approve', '--once']);
    const done = await world.json('resume', body.thread);
    expect([done.exitCode, done.body.orders]).toMatchObject([0, [{ symbol: 'AAPL' }]]);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('after its order was approved leaves the approval standing, and places the order once it is connected', async () => {
    const before = world.ordersAtBroker();
    const asked = await world.json('run', 'buy 1 KO', '--approval', 'detach');
    await disconnect();
    await world.run(['phone', '--decide', 'approve', '--once']);
    const refused = await world.json('resume', asked.body.thread, '--approval', 'detach');
    expect([refused.exitCode, refused.body.approvals]).toMatchObject([5, [{ status: 'approved' }]]);
    expect(refused.stderr).toContain('trade-agent connections add broker');
    expect(world.ordersAtBroker()).toBe(before);
    await connect();
    const done = await world.json('resume', asked.body.thread);
    expect([done.exitCode, done.body.orders]).toMatchObject([0, [{ symbol: 'KO' }]]);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('fails at once where it may ask for nothing', async () => {
    await disconnect();
    const { exitCode, body } = await world.json('run', 'what do I own', '--approval', 'deny');
    expect([exitCode, body]).toMatchObject([
      4,
      { status: 'failed', connections: [], error: { code: 'connection_required' } },
    ]);
    await connect();
  });

  it('that is told to stop meanwhile leaves its thread to be resumed', async () => {
    await disconnect();
    const { exitCode, body } = await world.json('run', 'what do I own', '--timeout', '3s');
    expect([exitCode, body]).toMatchObject([
      124,
      { status: 'pending', connections: [{ name: 'broker' }], error: { code: 'timeout' } },
    ]);
    await connect();
    const done = await world.json('resume', body.thread);
    expect([done.exitCode, done.body.status]).toEqual([0, 'done']);
  });
});
