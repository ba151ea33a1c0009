import { describe, expect, it } from 'vitest';
import { checkPolicy } from '../../../../src/app/policy/policy-cases.ts';
import type { GatewayClient } from '../../../../src/tools/gateway/gateway-client.ts';

const decision = { effect: 'ask', reasons: ['APPROVAL_MISSING'], texts: ['…'], policy: 'A'.repeat(43) };
const app = (asked: unknown[] = []) => ({
  gateway: async () =>
    ({
      positions: async () => [{ symbol: 'MSFT', qty: '10', qty_available: '8' }],
      checkPolicy: async (order: unknown) => {
        asked.push(order);
        return decision;
      },
    }) as unknown as GatewayClient,
});

describe('trying an order out', () => {
  it('asks about the order that the sentence says', async () => {
    const asked: unknown[] = [];
    expect(await checkPolicy(app(asked), 'buy 5 AAPL limit 180')).toMatchObject({ decision });
    expect(asked).toMatchObject([{ symbol: 'AAPL', side: 'buy', qty: '5', type: 'limit', limit_price: '180' }]);
  });

  it('takes a part of what is held', async () => {
    const asked: unknown[] = [];
    await checkPolicy(app(asked), 'sell half my MSFT');
    expect(asked).toMatchObject([{ symbol: 'MSFT', side: 'sell', qty: '5' }]);
    await expect(checkPolicy(app(), 'sell half my KO')).rejects.toMatchObject({ code: 'invalid_order' });
  });

  it.each(['what do I own', 'buy 5 AAPL and sell 2 MSFT', 'buy low sell high', 'cancel all orders'])(
    'refuses "%s", which is not one order',
    async (sentence) => {
      await expect(checkPolicy(app(), sentence)).rejects.toMatchObject({ code: 'usage' });
    },
  );
});
