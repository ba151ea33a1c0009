import { expect, it } from 'vitest';
import { checkJson, driftRules, extremes, onPhone, withCli, world } from './check-world.ts';

withCli();

it('a check buys back to its targets under a mandate, tells which, and asks nobody', async () => {
  const { least: last, percent } = extremes((await checkJson()).result);
  const rules = driftRules(percent(last, 7));
  const suggest = ['--rules', rules, '--suggest', '--approval', 'mandate'];
  const { result: refused, exitCode } = await checkJson(...suggest);
  expect(refused.proposals).toMatchObject([{ status: 'blocked', orders: [] }]);
  expect(JSON.stringify(refused.proposals)).toContain('MANDATE_NOT_FOUND');
  expect(exitCode).toBe(8);

  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '50000', '--total', '50000', '--orders', '3', '--every', 'week'];
  const adding = world.start(['mandates', 'add', last.name, ...terms, '--until', until, '--output', 'json']);
  await onPhone('approve');
  const { mandate } = JSON.parse((await adding.done).stdout) as { mandate: { id: string; slot: string } };

  const { proposals } = (await checkJson(...suggest)).result;
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
