import { expect, it } from 'vitest';
import { json, suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

it('a halt withdraws what waits, refuses what comes, and ends with the owner’s tap alone', async () => {
  await world.run(['run', 'buy 1 KO', '--approval', 'detach']);
  const halted = await world.json('halt');
  expect(halted.body).toMatchObject({ schema: 'trade-agent.halt/1', halted: true });
  const listed = (await world.json('approvals')).body.approvals;
  expect(listed).toMatchObject([{ status: 'cancelled' }]);
  const refused = await world.json('run', 'buy 1 KO');
  expect(refused).toMatchObject({ exitCode: 8, body: { status: 'blocked', error: { code: 'blocked' } } });

  const denied = world.start(['halt', '--lift']);
  await denied.says(/Approval needed/);
  await world.decide('deny');
  expect((await denied.done).exitCode).toBe(6);
  const lifted = world.start(['halt', '--lift', '--output', 'json']);
  await lifted.says(/Approval needed/);
  await world.decide('approve');
  const { exitCode, stdout } = await lifted.done;
  expect([exitCode, json(stdout)]).toMatchObject([0, { halted: false }]);
  expect(world.ordersAtBroker()).toBe(0);
});

it('a stop that protects a position is cancelled only once the phone approves it', async () => {
  const stop = world.start(['run', 'sell 2 MSFT stop 1 gtc', '--output', 'json']);
  await stop.says(/Approval needed/);
  await world.decide('approve');
  const [{ id }] = json((await stop.done).stdout).orders;
  const asked = world.start(['orders', 'cancel', id, '--output', 'json']);
  await asked.says(/Approval needed/);
  await world.decide('approve');
  const { exitCode, stdout } = await asked.done;
  expect([exitCode, json(stdout).order.status]).toEqual([0, expect.stringMatching(/cancel/)]);
});
