import { describe, expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

const json = (text: string) => JSON.parse(text);
const decide = (decision: 'approve' | 'deny') =>
  world.run(['phone', '--decide', decision, '--once', '--timeout', '20s', '--output', 'json']);
const detached = async (prompt: string) =>
  json((await world.run(['run', prompt, '--approval', 'detach', '--output', 'json'])).stdout);

describe('waiting for several approvals', () => {
  it('tells of each as it is decided, in threads of their own, and ends with the gravest exit code', async () => {
    const before = world.ordersAtBroker();
    const [first, second] = [await detached('buy 1 KO'), await detached('buy 2 JPM')];
    const ids = [second.approvals[0].id, first.approvals[0].id];
    const waiting = world.start(['approvals', 'wait', ...ids, '--output', 'json']);
    const yes = json((await decide('approve')).stdout);
    await waiting.says(/Bought/);
    const no = json((await decide('deny')).stdout);
    const { exitCode, stdout } = await waiting.done;
    expect(exitCode).toBe(6);
    const { schema, runs } = json(stdout);
    expect(schema).toBe('trade-agent.runs/1');
    const statusOf = (code: string) =>
      runs.find((run: { approvals: { code: string }[] }) => run.approvals[0]?.code === code).status;
    expect([statusOf(yes.code), statusOf(no.code)]).toEqual(['done', 'denied']);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });
});

describe('a detached resume', () => {
  it('tells what was carried out meanwhile', async () => {
    const before = world.ordersAtBroker();
    const { thread } = await detached('buy 1 KO');
    const early = await world.run(['resume', thread, '--approval', 'detach', '--output', 'json']);
    expect(early.exitCode).toBe(5);
    await decide('approve');
    const later = await world.run(['resume', thread, '--approval', 'detach', '--output', 'json']);
    expect(later.exitCode).toBe(0);
    expect(world.ordersAtBroker()).toBe(before + 1);
  });
});

describe('an order of unknown outcome', () => {
  it('is none where all is known', async () => {
    const nothing = await world.run(['approvals', 'reconcile']);
    expect(nothing).toMatchObject({ exitCode: 0, stdout: 'No approval is of unknown outcome.\n' });
  });
});

describe('waiting for all that are pending', () => {
  it('needs no id, and at its time limit says for each how to go on', async () => {
    const none = await world.run(['approvals', 'wait']);
    expect(none).toMatchObject({ exitCode: 0, stdout: 'No approval is pending.\n' });
    const pending = [await detached('buy 1 KO limit 60'), await detached('buy 1 KO limit 61')];
    const limited = await world.run(['approvals', 'wait', '--timeout', '1s']);
    expect(limited.exitCode).toBe(124);
    for (const { thread, approvals } of pending) {
      expect(limited.stderr).toContain(`still pending; go on with: trade-agent resume ${thread}`);
      await world.run(['approvals', 'cancel', approvals[0].id]);
    }
  });

  it('interrupted leaves them pending, and each says how to go on', async () => {
    const pending = [await detached('buy 1 KO limit 60'), await detached('buy 1 KO limit 61')];
    const waiting = world.start(['approvals', 'wait']);
    await waiting.says(/Approval needed[\s\S]*Approval needed/);
    waiting.interrupt();
    const { exitCode, stderr } = await waiting.done;
    expect(exitCode).toBe(130);
    const listed = json((await world.run(['approvals', '--output', 'json'])).stdout).approvals;
    for (const { thread, approvals } of pending) {
      expect(stderr).toContain(`trade-agent resume ${thread}`);
      const { id } = approvals[0];
      expect(listed.find((approval: { id: string }) => approval.id === id).status).toBe('requested');
      await world.run(['approvals', 'cancel', id]);
    }
  });
});
