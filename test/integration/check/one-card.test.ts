import { expect, it } from 'vitest';
import { checkJson, driftRules, extremes, onPhone, startCheck, withCli, world } from './check-world.ts';

withCli();

it('a rebalancing of several orders is one question, approved by one tap', async () => {
  const { most, least, percent } = extremes((await checkJson()).result);
  const rules = driftRules(`${percent(most, -8)}, ${percent(least, 7)}`);
  const running = startCheck('--rules', rules, '--suggest');
  expect((await onPhone('approve')).exitCode).toBe(0);
  const { result, exitCode } = await running();
  expect(exitCode).toBe(3);
  const orders = [
    { symbol: most.name, side: 'sell', status: 'filled' },
    { symbol: least.name, side: 'buy', status: 'filled' },
  ];
  expect(result.proposals).toMatchObject([{ status: 'done', approvals: [{ kind: 'batch' }], orders }]);
  expect(world.ordersAtBroker()).toBe(2);
});
