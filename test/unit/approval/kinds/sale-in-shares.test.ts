import { expect, it } from 'vitest';
import { type OrderPorts, orderKind } from '../../../../src/approval/kinds/order/kind.ts';
import type { OrderProposalRequest } from '../../../../src/trading/kinds/order.ts';
import type { Account, Position, Quote } from '../../../../src/trading/views.ts';

/** A sale for an amount, where shares can be ordered to so many decimals and one is worth $180. */
const sale = async (notional: string, shareDecimals: number) => {
  const kind = orderKind({
    maxSlippage: '0.01',
    orderContext: async () => ({
      shareDecimals,
      account: {
        account: 'PA1',
        environment: 'paper',
        cash: '0',
        equity: '1800',
        buying_power: '0',
      } as Account,
      quote: { symbol: 'AAPL', name: null, bid: '180', ask: '181', last: '180' } as Quote,
      positions: [{ symbol: 'AAPL', side: 'long', qty: '10', qty_available: '10' } as Position],
      market: { is_open: true },
      requireAllowed: async () => ({ needsSecond: false }),
    }),
  } as unknown as OrderPorts);
  const asked: OrderProposalRequest = {
    symbol: 'AAPL',
    side: 'sell',
    notional,
    type: 'market',
    time_in_force: 'day',
    extended_hours: false,
  };
  const about = { subjectId: 'ta-00000001', expiresAt: '2026-11-24T15:00:00Z' };
  const { subject } = await kind.complete(asked, about as Parameters<typeof kind.complete>[1]);
  return subject.qty;
};

it('is proposed as the shares that are worth it, to the decimals that the broker takes', async () => {
  expect(await sale('500', 9)).toBe('2.777777777');
  expect(await sale('500', 0)).toBe('2');
});

it('is refused where it is worth less than the broker sells', async () => {
  await expect(sale('100', 0)).rejects.toMatchObject({
    status: 400,
    code: 'invalid_order',
    options: { fields: ['notional'] },
  });
});
