import { expect, it } from 'vitest';
import { composeAnswer } from '../../../src/agent/planner/answer.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { getPortfolio } from '../../../src/tools/get-portfolio.ts';
import { anAccount, aPosition } from '../../fixtures/builders.ts';

const account = anAccount({ equity: '2100.00', last_equity: '2100.00' });
/** From 100 to 110 since the last close. */
const held = aPosition({
  ...{ avg_entry_price: '112.00', current_price: '110.00', lastday_price: '100.00', market_value: '1100.00' },
  ...{ cost_basis: '1120.00', unrealized_pl: '-20.00', unrealized_plpc: '-0.0179', change_today: '0.1' },
});
const fill = {
  ...{ id: 'f', kind: 'fill', type: 'FILL', symbol: 'AAPL', side: 'buy', qty: '10', price: '112.00' },
  ...{ at: '2026-11-25T15:00:00Z', amount: null },
};

async function asked(activities: GatewayClient['activities']) {
  const gateway = {
    account: async () => account,
    positions: async () => [held],
    clock: async () => ({ timestamp: '2026-11-25T17:00:00Z' }),
    activities,
  } as unknown as GatewayClient;
  const { content } = await getPortfolio.execute({ session: undefined, gateway }, {});
  const found = JSON.parse(content) as Record<string, unknown>;
  return { found, told: composeAnswer([{ tool: 'get_portfolio', args: {}, content: found }]) };
}

it('tells what was traded today, and so the day of what was bought today from its own price', async () => {
  const { found, told } = await asked(async ({ after }) => {
    expect(after).toBe(Date.parse('2026-11-25T05:00:00Z') - 1);
    return [fill] as never;
  });
  expect(found.traded_today).toEqual([{ symbol: 'AAPL', qty: '10', paid: '1120' }]);
  expect(told).toMatch(/\| AAPL \|.*\| -\$20\.00 \| -\$20\.00 \|/);
});

it.each([
  ['nothing was traded', async () => []],
  [
    'the broker tells of no trades',
    async () => {
      throw new TradeAgentError('gateway_refused', 'not offered');
    },
  ],
])('counts from the last close where %s', async (_, activities) => {
  const { found, told } = await asked(activities);
  expect(found).not.toHaveProperty('traded_today');
  expect(told).toMatch(/\| AAPL \|.*\| \+\$100\.00 \| -\$20\.00 \|/);
});
