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

const approveOne = () =>
  world.run(['phone', '--user', 'alice', '--decide', 'approve', '--once', '--timeout', '30s']);
const check = async (...args: string[]) => {
  const running = world.start(['check', ...args, '--output', 'json']);
  return { running, result: async () => checkResultSchema.parse(JSON.parse((await running.done).stdout)) };
};

it('sells first, buys in a second round with what the sale brought, and finds no drift afterwards', async () => {
  const { figures } = await (await check()).result();
  const [most] = figures.by_symbol;
  const other = figures.by_symbol.at(-1);
  if (most === undefined || other === undefined) throw new Error('alice holds nothing');
  const percent = (weight: string, more: number) => `${(Number(weight) * 100 + more).toFixed(2)}%`;
  const rules = join(world.folder, 'rules.yaml');
  // All the cash there is stays, so that a purchase waits for a sale.
  writeFileSync(
    rules,
    `targets: {${most.name}: ${percent(most.weight, -8)}, ${other.name}: ${percent(other.weight, 7)}}
suggest: {cash_reserve: "${figures.cash}"}
rules:
  - {name: drift, kind: drift, band: 5%}
`,
  );
  const shown = await (await check('--rules', rules, '--suggest', '--approval', 'deny')).result();
  expect(shown.suggestion).toMatchObject({
    orders: [{ symbol: most.name, side: 'sell', reason: 'drift' }],
    left: [{ symbol: other.name, reason: 'awaits_cash' }],
  });

  const { running, result } = await check('--rules', rules, '--suggest');
  expect((await approveOne()).exitCode).toBe(0);
  // The second request comes only once the sale was filled.
  expect((await approveOne()).exitCode).toBe(0);
  const { proposals } = await result();
  expect(proposals).toMatchObject([
    { status: 'done', orders: [{ symbol: most.name, side: 'sell', status: 'filled' }] },
    { status: 'done', orders: [{ symbol: other.name, side: 'buy', status: 'filled' }] },
  ]);
  expect((await running.done).exitCode).toBe(0);
  const [sale, purchase] = proposals.map(({ orders }) => (orders as Record<string, string>[])[0]);
  const amount = (order: Record<string, string> | undefined) =>
    Number(order?.filled_qty) * Number(order?.filled_avg_price);
  expect(amount(purchase)).toBeGreaterThan(0);
  expect(amount(purchase)).toBeLessThanOrEqual(amount(sale));
  expect(world.ordersAtBroker()).toBe(2);

  const after = await check('--rules', rules, '--suggest');
  expect(await after.result()).toMatchObject({ findings: [], ongoing: [], proposals: [] });
  expect((await after.running.done).exitCode).toBe(0);
  expect(world.ordersAtBroker()).toBe(2);
});
