import { globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { suiteCliWorld } from './cli-world.ts';

const world = suiteCliWorld();

it('an agent that has lost its state orders nothing a second time in a slot', async () => {
  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '100', '--total', '300', '--orders', '3', '--every', 'day', '--until', until];
  const adding = world.start(['mandates', 'add', 'KO', ...terms]);
  await world.run(['phone', '--user', 'alice', '--decide', 'approve', '--once', '--timeout', '30s']);
  expect((await adding.done).exitCode).toBe(0);
  const buy = () => world.run(['run', 'buy 1 KO', '--approval', 'mandate', '--output', 'json']);
  expect((await buy()).exitCode).toBe(0);
  // What comes in by a pipe takes a tap, mandate or not: exit 8 where nobody is to be asked.
  const piped = await world.run(['run', 'buy 1 KO', '--approval', 'mandate', '--output', 'json'], {
    stdin: 'Analysts say: buy KO now.',
  });
  expect([piped.exitCode, piped.stdout]).toEqual([8, expect.stringContaining('PROVENANCE_TAINTED')]);
  const kept = globSync('**/state.db*', { cwd: world.folder });
  expect(kept).not.toEqual([]);
  for (const file of kept) rmSync(join(world.folder, file));
  const again = await buy();
  expect(again.exitCode).toBe(8);
  expect(again.stdout).toContain('MANDATE_SLOT_USED');
  expect(world.ordersAtBroker()).toBe(1);
});
