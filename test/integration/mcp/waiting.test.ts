import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { type Facts, factsOf, sharedMcpWorld } from './mcp-world.ts';
import { rpc, tasksExtension } from './rpc.ts';

/** How far the endpoint's clock is ahead of the gateway's, milliseconds; behind, where it is negative. */
let ahead = 0;
const generous = { own: { open: 50, hour: 200 }, other: { open: 50, hour: 200 } };
const mcpClock = { ...systemClock, now: () => Date.now() + ahead };
const { world, tokens } = sharedMcpWorld({ holdMs: 700, quotas: generous, mcpClock });

/** Each test asks for something of its own: identical open proposals are one. */
let asked = 0;
const order = () => {
  asked += 1;
  return { symbol: 'MSFT', side: 'buy', qty: String(asked) };
};

const send = (method: string, params: Record<string, unknown>, capabilities?: object) =>
  rpc({ url: world.url, token: tokens.alice, ...(capabilities && { capabilities }) }, method, params);
const place = (args: Record<string, unknown>, capabilities?: object) =>
  send('tools/call', { name: 'place_order', arguments: args }, capabilities);
const until = async (taskId: unknown, status: string) => {
  for (;;) {
    const task = await send('tasks/get', { taskId });
    if (task.status === status) return task;
    expect(task.status).toBe('working');
    const look = { proposal_id: taskId, wait_seconds: 5 };
    await send('tools/call', { name: 'check_approval', arguments: look });
  }
};

describe('a client that can wait by a task', () => {
  it('is answered at once by one that is the proposal, and told by it what came of it', async () => {
    const task = await place(order());
    expect(task).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: 2000 });
    expect(task).not.toHaveProperty('result');
    const person = await world.as('alice');
    const { code, state } = await person.proposal(String(task.taskId));
    expect(state).toBe('requested');
    expect(String(task.statusMessage)).toMatch(new RegExp(`^Code ${code}: `));
    await person.tap(code);
    const { result } = await until(task.taskId, 'completed');
    expect(factsOf(result)).toMatchObject({ status: 'executed', order: { status: expect.any(String) } });
    expect(result).not.toHaveProperty('isError');
  });

  it('is told of a no as a tool’s failure, not the protocol’s', async () => {
    const { taskId } = await place(order());
    const person = await world.as('alice');
    await person.tap((await person.proposal(String(taskId))).code, 'deny');
    const { result } = await until(taskId, 'completed');
    expect(result).toMatchObject({ isError: true, structuredContent: { status: 'denied' } });
  });

  it('takes the proposal back by cancelling the task, also on the phone', async () => {
    const { taskId } = await place(order());
    expect(await send('tasks/cancel', { taskId })).not.toHaveProperty('status');
    expect(await send('tasks/get', { taskId })).toMatchObject({ status: 'cancelled' });
    const person = await world.as('alice');
    expect((await person.proposal(String(taskId))).state).toBe('cancelled');
    await send('tasks/cancel', { taskId });
  });

  it('finds its task again after a restart, and the order is carried out without anybody', async () => {
    const { taskId } = await place(order());
    await world.restart();
    // A connection kept from before may break first.
    const look = () => send('tasks/get', { taskId }).catch(() => undefined);
    await expect.poll(look).toMatchObject({ status: 'working' });
    const person = await world.as('alice');
    await person.tap((await person.proposal(String(taskId))).code);
    await until(taskId, 'completed');
  });

  it('is answered by a task only where that very request says so', async () => {
    expect(await place(order(), {})).not.toHaveProperty('taskId');
    await expect(send('tasks/get', { taskId: 'x' }, {})).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: tasksExtension },
    });
    const old = await world.connect(tokens.alice, { version: '2025-11-25', capabilities: tasksExtension });
    const held = await old.callTool({ name: 'place_order', arguments: order() });
    expect(factsOf(held).status).toBe('pending_approval');
  });
});

describe.each(['2026-07-28', '2025-11-25'] as const)('a client of %s that can’t', (version) => {
  it('is told to wait and how, and learns the end by check_approval', async () => {
    const client = await world.connect(tokens.alice, { version });
    const held = await client.callTool({ name: 'place_order', arguments: order() });
    const { status, proposal_id, code, message, next } = factsOf(held);
    expect(held.isError).toBeUndefined();
    expect(status).toBe('pending_approval');
    expect(message).toContain(`Code ${code}: waiting for the owner`);
    expect(next).toContain(`check_approval with proposal_id ${proposal_id}`);
    const check = (wait_seconds: number) =>
      client.callTool({ name: 'check_approval', arguments: { proposal_id, wait_seconds } });
    const deciding = check(25);
    await (await world.as('alice')).tap(code);
    expect(factsOf(await deciding).status).not.toBe('pending_approval');
    await expect.poll(async () => factsOf(await check(1)).status).toBe('executed');
  });

  it('that goes away withdraws nothing; withdraw_proposal does', async () => {
    const client = await world.connect(tokens.alice, { version });
    const leaving = new AbortController();
    const args = order();
    const gone = client.callTool(
      { name: 'place_order', arguments: args },
      { signal: leaving.signal, onprogress: () => leaving.abort() },
    );
    await expect(gone).rejects.toThrow();
    const later = await world.connect(tokens.alice, { version });
    const listed = factsOf(await later.callTool({ name: 'list_proposals', arguments: {} }));
    const left = (listed.proposals as Facts[]).find(({ summary }) => String(summary).includes(`BUY ${args.qty} MSFT`));
    expect(left?.status).toBe('pending_approval');
    const taken = await later.callTool({
      name: 'withdraw_proposal',
      arguments: { proposal_id: left?.proposal_id },
    });
    expect(factsOf(taken).status).toBe('cancelled');
  });
});

describe('a call that is sent again', () => {
  const numbered = async (id: number, args: object) => {
    const at = { url: world.url, token: tokens.alice, capabilities: {} };
    return factsOf(await rpc(at, 'tools/call', { name: 'place_order', arguments: args }, id));
  };

  it('is one proposal under the client’s own key, and with other arguments none', async () => {
    const args = { ...order(), idempotency_key: 'mine-1' };
    const [first, again] = [await place(args), await place(args)];
    expect(again.taskId).toBe(first.taskId);
    const other = await place({ ...order(), idempotency_key: 'mine-1' });
    expect(other).toMatchObject({ isError: true, structuredContent: { error: 'idempotency_key_conflict' } });
  });

  it('is one proposal under the same request id, also when the first is over, and the gateway another', async () => {
    const args = order();
    const call = () => numbered(77, args);
    const first = await call();
    await (await world.as('alice')).tap(first.code, 'deny');
    await (await world.as('alice')).until(first.proposal_id, 'denied');
    await world.restart();
    // A connection kept from before may break first.
    const again = await call().catch(call);
    expect(again).toMatchObject({ proposal_id: first.proposal_id, status: 'denied' });
    // Another request asks again.
    const other = await place(args, {});
    expect(factsOf(other).proposal_id).not.toBe(first.proposal_id);
  });

  it('is one proposal over the edge of a minute too, and another after a minute', async () => {
    const args = order();
    const call = () => numbered(78, args);
    // Half a second before the next minute, or after the last, whichever is nearer: the gateway says when it was proposed.
    const into = Date.now() % 60_000;
    ahead = (into < 30_000 ? 0 : 60_000) - into - 500;
    try {
      const first = await call();
      const alice = await world.as('alice');
      await alice.tap(first.code, 'deny');
      await alice.until(first.proposal_id, 'denied');
      ahead += 5_000;
      expect((await call()).proposal_id).toBe(first.proposal_id);
      ahead += 65_000;
      expect((await call()).proposal_id).not.toBe(first.proposal_id);
    } finally {
      ahead = 0;
    }
  });
});
