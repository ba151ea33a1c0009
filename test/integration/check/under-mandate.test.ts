import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkResultSchema } from '../../../src/check/result-schema.ts';
import { type CliWorld, openCliWorld } from '../cli/cli-world.ts';

let world: CliWorld;
beforeAll(async () => {
  world = await openCliWorld();
  await world.login();
});
afterAll(() => world.close());

const check = async (...args: string[]) => {
  const { stdout, exitCode } = await world.run(['check', ...args, '--output', 'json']);
  return { exitCode, ...checkResultSchema.parse(JSON.parse(stdout)) };
};

it('a check buys back to its targets under a mandate, tells which, and asks nobody', async () => {
  const { figures } = await check();
  const last = figures.by_symbol.at(-1);
  if (last === undefined) throw new Error('alice holds nothing');
  const rules = join(world.folder, 'rules.yaml');
  writeFileSync(
    rules,
    `targets: {${last.name}: ${(Number(last.weight) * 100 + 7).toFixed(2)}%}
rules:
  - {name: drift, kind: drift, band: 5%}
`,
  );
  const suggest = ['--rules', rules, '--suggest', '--approval', 'mandate'];
  const refused = await check(...suggest);
  expect(refused.proposals).toMatchObject([{ status: 'blocked', orders: [] }]);
  expect(JSON.stringify(refused.proposals)).toContain('MANDATE_NOT_FOUND');
  expect(refused.exitCode).toBe(8);

  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '50000', '--total', '50000', '--orders', '3', '--every', 'week'];
  const adding = world.start(['mandates', 'add', last.name, ...terms, '--until', until, '--output', 'json']);
  await world.run(['phone', '--user', 'alice', '--decide', 'approve', '--once', '--timeout', '30s']);
  const { mandate } = JSON.parse((await adding.done).stdout) as { mandate: { id: string; slot: string } };

  const { proposals } = await check(...suggest);
  expect(proposals).toMatchObject([
    {
      status: 'done',
      orders: [{ symbol: last.name, side: 'buy', status: 'filled' }],
      approvals: [{ status: 'executed', mandate_id: mandate.id, order: { slot: mandate.slot } }],
    },
  ]);
  expect(JSON.stringify(proposals)).toContain(`approved by mandate ${mandate.id}`);
  expect(world.ordersAtBroker()).toBe(1);
});
