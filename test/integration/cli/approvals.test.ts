import { describe, expect, it } from 'vitest';
import { json, suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

const detached = async (prompt: string) => {
  const { exitCode, body } = await world.json('run', prompt, '--approval', 'detach');
  expect(exitCode).toBe(5);
  return { ...body, id: body.approvals[0].id };
};
const cancel = (id: string) => world.json('approvals', 'cancel', id);

describe('an order on the command line', () => {
  it('is left pending under --approval detach, and placed once it is approved, with nothing resumed', async () => {
    const before = world.ordersAtBroker();
    const pending = await detached('buy 5 AAPL');
    expect(pending).toMatchObject({
      schema: 'trade-agent.run/1',
      status: 'pending',
      orders: [],
      approvals: [{ status: 'requested', code: expect.stringMatching(/^[0-9A-Z]{4}$/), order: { qty: '5' } }],
      resume: `trade-agent resume ${pending.thread}`,
    });
    expect(Date.parse(pending.approvals[0].expires_at)).toBeGreaterThan(Date.now());
    expect(world.ordersAtBroker()).toBe(before);
    const early = await world.json('resume', pending.thread, '--approval', 'detach');
    expect(early.exitCode).toBe(5);

    const decided = await world.decide('approve');
    expect(decided).toMatchObject({ code: pending.approvals[0].code, decision: 'approve' });
    await expect.poll(() => world.ordersAtBroker()).toBe(before + 1);
    const first = await world.json('resume', pending.thread);
    expect(first).toMatchObject({
      exitCode: 0,
      body: {
        status: 'done',
        orders: [{ symbol: 'AAPL', side: 'buy', qty: '5', status: 'filled', filled_qty: '5' }],
      },
    });
    const second = await world.json('resume', pending.thread);
    expect(second).toMatchObject({ exitCode: 0, body: { orders: first.body.orders } });
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('stays pending when the time limit passes (124) and when interrupted (130), and can be taken back', async () => {
    const before = world.ordersAtBroker();
    const limited = await world.json('run', 'buy 1 KO limit 60', '--timeout', '1500ms');
    expect(limited).toMatchObject({
      exitCode: 124,
      body: { status: 'pending', error: { code: 'timeout' } },
    });

    const waiting = world.start(['run', 'buy 1 KO limit 61']);
    await waiting.says(/Approval needed/);
    waiting.interrupt();
    const interrupted = await waiting.done;
    expect(interrupted.exitCode).toBe(130);
    expect(interrupted.stderr).toMatch(/still pending; resume with: trade-agent resume th_/);

    const listed = (await world.json('approvals')).body.approvals;
    const open = listed.filter(({ status }: { status: string }) => status === 'requested');
    expect(open).toHaveLength(2);
    for (const { id, thread } of open) {
      expect((await cancel(id)).body.approval).toMatchObject({ id, status: 'cancelled' });
      expect((await world.json('resume', thread)).exitCode).toBe(6);
    }
    // They are gone from the phone too: there is nothing left to approve.
    const phone = await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '1s']);
    expect(phone.exitCode).toBe(124);
    expect(world.ordersAtBroker()).toBe(before);
  });
});

describe('approvals wait', () => {
  it('waits for one by its id, and goes on with it', async () => {
    const before = world.ordersAtBroker();
    const { id } = await detached('buy 1 JPM');
    const waiting = world.run(['approvals', 'wait', id, '--timeout', '20s']);
    await world.decide('approve');
    expect((await waiting).exitCode).toBe(0);
    expect(world.ordersAtBroker()).toBe(before + 1);
    expect((await world.run(['approvals', 'show', id])).stdout).toContain('Bought');
  });

  it('tells of each as it is decided, in threads of their own, and ends with the gravest exit code', async () => {
    const before = world.ordersAtBroker();
    const [first, second] = [await detached('buy 1 KO'), await detached('buy 2 JPM')];
    const waiting = world.start(['approvals', 'wait', second.id, first.id, '--output', 'json']);
    const yes = await world.decide('approve');
    await waiting.says(/Bought/);
    const no = await world.decide('deny');
    const { exitCode, stdout } = await waiting.done;
    expect(exitCode).toBe(6);
    const { schema, runs } = json(stdout);
    expect(schema).toBe('trade-agent.runs/1');
    const statusOf = (code: string) =>
      runs.find((run: { approvals: { code: string }[] }) => run.approvals[0]?.code === code).status;
    expect([statusOf(yes.code), statusOf(no.code)]).toEqual(['done', 'denied']);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('needs no id, and at its time limit says for each how to go on', async () => {
    const none = await world.run(['approvals', 'wait']);
    expect(none).toMatchObject({ exitCode: 0, stdout: 'No approval is pending.\n' });
    const pending = [await detached('buy 1 KO limit 60'), await detached('buy 1 KO limit 61')];
    const limited = await world.run(['approvals', 'wait', '--timeout', '1s']);
    expect(limited.exitCode).toBe(124);
    for (const { thread, id } of pending) {
      expect(limited.stderr).toContain(`still pending; resume with: trade-agent resume ${thread}`);
      await cancel(id);
    }
  });

  it('interrupted leaves them pending, and each says how to go on', async () => {
    const pending = [await detached('buy 1 KO limit 60'), await detached('buy 1 KO limit 61')];
    const waiting = world.start(['approvals', 'wait']);
    await waiting.says(/Approval needed[\s\S]*Approval needed/);
    waiting.interrupt();
    const { exitCode, stderr } = await waiting.done;
    expect(exitCode).toBe(130);
    const listed = (await world.json('approvals')).body.approvals;
    for (const { thread, id } of pending) {
      expect(stderr).toContain(`trade-agent resume ${thread}`);
      expect(listed.find((approval: { id: string }) => approval.id === id).status).toBe('requested');
      await cancel(id);
    }
  });
});

it('approvals reconcile says so where no outcome is unknown', async () => {
  const nothing = await world.run(['approvals', 'reconcile']);
  expect(nothing).toMatchObject({ exitCode: 0, stdout: 'No approval has an unknown outcome.\n' });
});
