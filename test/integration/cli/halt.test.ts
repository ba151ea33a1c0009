import { expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

const json = (text: string) => JSON.parse(text);
const decide = (decision: 'approve' | 'deny') =>
  world.run(['phone', '--decide', decision, '--once', '--timeout', '20s', '--output', 'json']);

it('a halt withdraws what waits, refuses what comes, and ends with the owner’s tap alone', async () => {
  await world.run(['run', 'buy 1 KO', '--approval', 'detach']);
  const halted = await world.run(['halt', '--output', 'json']);
  expect(json(halted.stdout)).toMatchObject({ schema: 'trade-agent.halt/1', halted: true });
  const listed = json((await world.run(['approvals', '--output', 'json'])).stdout).approvals;
  expect(listed).toMatchObject([{ status: 'cancelled' }]);
  const refused = await world.run(['run', 'buy 1 KO', '--output', 'json']);
  expect(refused.exitCode).toBe(8);
  expect(json(refused.stdout)).toMatchObject({ status: 'blocked', error: { code: 'blocked' } });

  const denied = world.start(['halt', '--lift']);
  await denied.says(/Approval needed/);
  await decide('deny');
  expect((await denied.done).exitCode).toBe(6);
  const lifted = world.start(['halt', '--lift', '--output', 'json']);
  await lifted.says(/Approval needed/);
  await decide('approve');
  const { exitCode, stdout } = await lifted.done;
  expect([exitCode, json(stdout)]).toMatchObject([0, { halted: false }]);
  expect(world.ordersAtBroker()).toBe(0);
});

it('a stop that protects a position is cancelled only once the phone approves it', async () => {
  const stop = world.start(['run', 'sell 2 MSFT stop 1 gtc', '--output', 'json']);
  await stop.says(/Approval needed/);
  await decide('approve');
  const [{ id }] = json((await stop.done).stdout).orders;
  const asked = world.start(['orders', 'cancel', id, '--output', 'json']);
  await asked.says(/Approval needed/);
  await decide('approve');
  const { exitCode, stdout } = await asked.done;
  expect([exitCode, json(stdout).order.status]).toEqual([0, expect.stringMatching(/cancel/)]);
});
