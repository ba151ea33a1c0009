import { expect, it } from 'vitest';
import { type CancelPorts, cancelKind } from '../../../../src/approval/kinds/cancel/kind.ts';
import { describeOrderState } from '../../../../src/approval/kinds/order/kind.ts';
import { proposalFills } from '../../../../src/home/fills/fill.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import { fillableLegs, hasEnded } from '../../../../src/trading/order-legs.ts';
import type { Account, Order } from '../../../../src/trading/views.ts';

/** Alpaca: "will not receive further updates until the next trading day". */
const order = {
  id: 'order-1',
  client_order_id: 'ta-1',
  symbol: 'KO',
  side: 'sell',
  type: 'limit',
  time_in_force: 'gtc',
  qty: '5',
  limit_price: '70',
  filled_qty: '2',
  filled_avg_price: '70.01',
  filled_at: null,
  status: 'done_for_day',
} as Order;

it('an order that is done for the day is not over', () => {
  expect(hasEnded(order)).toBe(false);
  expect(fillableLegs(order)).toEqual([order]);
  expect(describeOrderState(order)).toBe('done for the day, 2 of 5 filled at $70.01');
});

it('an order that is done for the day can be cancelled', async () => {
  const account = { account: 'PA3ALICE01', environment: 'paper' } as Account;
  const kind = cancelKind({
    openOrder: async () => ({ order, account, protects: true }),
  } as unknown as CancelPorts);
  const completed = await kind.complete(
    { order_id: order.id } as Parameters<typeof kind.complete>[0],
    {
      proposer: { sub: 'alice', clientId: 'cli' } as never,
      subjectId: 'ta-cancel-1',
      expiresAt: '2030-01-01T00:00:00Z',
    } as Parameters<typeof kind.complete>[1],
  );
  expect(completed.subject).toMatchObject({ order: { id: 'order-1' }, protects: true });
});

it('an order that is done for the day has more to fill: its owner hears of the fill once it is over', () => {
  const proposal = {
    id: 'p1',
    sub: 'alice',
    kind: 'order',
    state: 'executed',
    subject: { account: 'PA3ALICE01', environment: 'paper' },
    shows: {},
    updatedAt: 0,
  };
  const fills = (status: string) =>
    proposalFills({ ...proposal, result: { ...order, status } } as unknown as StoredProposal).length;
  expect(fills('done_for_day')).toBe(0);
  expect(fills('canceled')).toBe(1);
});
