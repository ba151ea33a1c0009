import { describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

const json = (text: string) => JSON.parse(text);
const decide = (decision: 'approve' | 'deny') =>
  world.run(['phone', '--decide', decision, '--once', '--timeout', '20s', '--output', 'json']);

describe('an order on the command line', () => {
  it('is left pending under --approval detach, and placed once it is approved, with nothing resumed', async () => {
    const before = world.ordersAtBroker();
    const detached = await world.run(['run', 'buy 5 AAPL', '--approval', 'detach', '--output', 'json']);
    expect(detached.exitCode).toBe(5);
    const pending = json(detached.stdout);
    expect(pending).toMatchObject({
      schema: 'trade-agent.run/1',
      status: 'pending',
      orders: [],
      approvals: [{ status: 'requested', code: expect.stringMatching(/^[0-9A-Z]{4}$/), order: { qty: '5' } }],
      resume: `trade-agent resume ${pending.thread}`,
    });
    expect(Date.parse(pending.approvals[0].expires_at)).toBeGreaterThan(Date.now());
    expect(world.ordersAtBroker()).toBe(before);

    const decided = await decide('approve');
    expect(json(decided.stdout)).toMatchObject({ code: pending.approvals[0].code, decision: 'approve' });

    await expect.poll(() => world.ordersAtBroker()).toBe(before + 1);
    const first = await world.run(['resume', pending.thread, '--output', 'json']);
    expect(first.exitCode).toBe(0);
    expect(json(first.stdout)).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', side: 'buy', qty: '5', status: 'filled', filled_qty: '5' }],
    });
    expect(world.ordersAtBroker()).toBe(before + 1);

    const second = await world.run(['resume', pending.thread, '--output', 'json']);
    expect(second.exitCode).toBe(0);
    expect(json(second.stdout).orders).toEqual(json(first.stdout).orders);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('shows the code, the order and where to approve while it waits, and ends 0 with the fill', async () => {
    const before = world.ordersAtBroker();
    const waiting = world.start(['run', 'buy 2 KO']);
    await waiting.says(/approve {3}http:\S+\/phone/);
    await decide('approve');
    const { exitCode, stdout, stderr } = await waiting.done;
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/code {6}[0-9A-Z]{4} /);
    expect(stderr).toContain('BUY 2 KO, market');
    expect(stderr).toContain('PA3ALICE01 PAPER');
    expect(stdout).toContain('Bought 2 KO at');
    expect(world.ordersAtBroker()).toBe(before + 1);
  });

  it('ends 6 with no order when the phone says no', async () => {
    const before = world.ordersAtBroker();
    const waiting = world.start(['run', 'buy 1 KO', '--output', 'json']);
    await waiting.says(/Approval needed/);
    await decide('deny');
    const { exitCode, stdout } = await waiting.done;
    expect(exitCode).toBe(6);
    expect(json(stdout)).toMatchObject({ status: 'denied', orders: [], error: { code: 'approval_denied' } });
    expect(world.ordersAtBroker()).toBe(before);
  });

  it('stays pending when the time limit passes (124) and when interrupted (130), and can be taken back', async () => {
    const before = world.ordersAtBroker();
    const limited = await world.run(['run', 'buy 1 KO limit 60', '--timeout', '1500ms', '--output', 'json']);
    expect(limited.exitCode).toBe(124);
    expect(json(limited.stdout)).toMatchObject({ status: 'pending', error: { code: 'timeout' } });

    const waiting = world.start(['run', 'buy 1 KO limit 61']);
    await waiting.says(/Approval needed/);
    waiting.interrupt();
    const interrupted = await waiting.done;
    expect(interrupted.exitCode).toBe(130);
    expect(interrupted.stderr).toMatch(/still pending; go on with: trade-agent resume th_/);

    const listed = json((await world.run(['approvals', '--output', 'json'])).stdout).approvals;
    const open = listed.filter(({ status }: { status: string }) => status === 'requested');
    expect(open).toHaveLength(2);
    for (const { id, thread } of open) {
      const cancelled = await world.run(['approvals', 'cancel', id, '--output', 'json']);
      expect(json(cancelled.stdout).approval).toMatchObject({ id, status: 'cancelled' });
      const resumed = await world.run(['resume', thread, '--output', 'json']);
      expect(resumed.exitCode).toBe(6);
    }
    // They are gone from the phone too: there is nothing left to approve.
    const phone = await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '1s']);
    expect(phone.exitCode).toBe(124);
    expect(world.ordersAtBroker()).toBe(before);
  });

  it('is taken back on the way out where --cancel-on-exit says so', async () => {
    const before = world.ordersAtBroker();
    const waiting = world.start(['run', 'buy 1 KO limit 62', '--cancel-on-exit', '--output', 'json']);
    await waiting.says(/Approval needed/);
    waiting.interrupt();
    const { exitCode, stdout } = await waiting.done;
    expect(exitCode).toBe(130);
    expect(json(stdout).approvals).toMatchObject([{ status: 'cancelled' }]);
    const phone = await world.run(['phone', '--decide', 'approve', '--once', '--timeout', '1s']);
    expect(phone.exitCode).toBe(124);
    expect(world.ordersAtBroker()).toBe(before);
  });

  it('waits for one approval by its id, and goes on with it', async () => {
    const before = world.ordersAtBroker();
    const detached = json(
      (await world.run(['run', 'buy 1 JPM', '--approval', 'detach', '--output', 'json'])).stdout,
    );
    const waiting = world.run(['approvals', 'wait', detached.approvals[0].id, '--timeout', '20s']);
    await decide('approve');
    expect((await waiting).exitCode).toBe(0);
    expect(world.ordersAtBroker()).toBe(before + 1);
    const shown = await world.run(['approvals', 'show', detached.approvals[0].id]);
    expect(shown.stdout).toContain('Bought');
  });

  it('is refused without asking anybody under --approval deny', async () => {
    const { exitCode, stderr } = await world.run(['run', 'buy 1 KO', '--approval', 'deny']);
    expect(exitCode).toBe(6);
    expect(stderr).not.toContain('Approval needed');
  });
});
