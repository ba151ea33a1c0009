import { expect, it } from 'vitest';
import { checkJson, driftRules, extremes, onPhone, startCheck, withCli, world } from './check-world.ts';

withCli();

it('sells first, buys in a second round with what the sale brought, and finds no drift afterwards', async () => {
  const { result: before } = await checkJson();
  const { most, least, percent } = extremes(before);
  const rules = driftRules(
    `${percent(most, -8)}, ${percent(least, 7)}`,
    `suggest: {cash_reserve: "${before.figures.cash}"}\n`,
  );
  const { result: shown } = await checkJson('--rules', rules, '--suggest', '--approval', 'deny');
  expect(shown.suggestion).toMatchObject({
    orders: [{ symbol: most.name, side: 'sell', reason: 'drift' }],
    left: [{ symbol: least.name, reason: 'awaits_cash' }],
  });

  const running = startCheck('--rules', rules, '--suggest');
  for (const _ of ['sale', 'purchase']) expect((await onPhone('approve')).exitCode).toBe(0);
  const { result, exitCode } = await running();
  expect(result.proposals).toMatchObject([
    { status: 'done', orders: [{ symbol: most.name, side: 'sell', status: 'filled' }] },
    { status: 'done', orders: [{ symbol: least.name, side: 'buy', status: 'filled' }] },
  ]);
  expect(exitCode).toBe(0);
  const [sold = 0, bought = 0] = result.proposals.map(({ orders }) => {
    const [order] = orders as Record<string, string>[];
    return Number(order?.filled_qty) * Number(order?.filled_avg_price);
  });
  expect(bought).toBeGreaterThan(0);
  expect(bought).toBeLessThanOrEqual(sold);
  expect(world.ordersAtBroker()).toBe(2);

  const after = await checkJson('--rules', rules, '--suggest');
  expect(after.result).toMatchObject({ findings: [], ongoing: [], proposals: [] });
  expect(after.exitCode).toBe(0);
  expect(world.ordersAtBroker()).toBe(2);
});
