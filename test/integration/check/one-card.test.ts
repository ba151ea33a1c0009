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

it('a rebalancing of several orders is one question, approved by one tap', async () => {
  const read = async (...args: string[]) =>
    checkResultSchema.parse(JSON.parse((await world.run(['check', ...args, '--output', 'json'])).stdout));
  const { figures } = await read();
  const [most] = figures.by_symbol;
  const other = figures.by_symbol.at(-1);
  if (most === undefined || other === undefined) throw new Error('alice holds nothing');
  const percent = (weight: string, more: number) => `${(Number(weight) * 100 + more).toFixed(2)}%`;
  const rules = join(world.folder, 'rules.yaml');
  writeFileSync(
    rules,
    `targets: {${most.name}: ${percent(most.weight, -8)}, ${other.name}: ${percent(other.weight, 7)}}
rules:
  - {name: drift, kind: drift, band: 5%}
`,
  );
  const running = world.start(['check', '--rules', rules, '--suggest', '--output', 'json']);
  const phone = await world.run([
    'phone',
    '--user',
    'alice',
    '--decide',
    'approve',
    '--once',
    '--timeout',
    '30s',
  ]);
  expect(phone.exitCode).toBe(0);
  const { stdout, exitCode } = await running.done;
  // What it found stood when it looked.
  expect(exitCode).toBe(3);
  const { proposals } = checkResultSchema.parse(JSON.parse(stdout));
  expect(proposals).toMatchObject([
    {
      status: 'done',
      approvals: [{ kind: 'batch' }],
      orders: [
        { symbol: most.name, side: 'sell', status: 'filled' },
        { symbol: other.name, side: 'buy', status: 'filled' },
      ],
    },
  ]);
  expect(world.ordersAtBroker()).toBe(2);
});
