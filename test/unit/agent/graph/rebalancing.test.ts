import { ToolMessage } from '@langchain/core/messages';
import { describe, expect, it } from 'vitest';
import { attributeRebalancing, findLatestRebalancing } from '../../../../src/agent/graph/rebalancing.ts';
import type { OrderRequest } from '../../../../src/trading/order.ts';

const order: OrderRequest = {
  ...{ symbol: 'VTI', side: 'buy', qty: '3', type: 'limit', limit_price: '300.00' },
  ...{ time_in_force: 'day', extended_hours: false },
};
const answer = (more: object = {}) =>
  new ToolMessage({
    tool_call_id: 'tc_1',
    name: 'suggest_rebalance',
    content: JSON.stringify({
      orders: [order],
      targets: [
        { symbol: 'VTI', target: '0.6', weight: '0' },
        { symbol: 'BND', target: '0.4', weight: '0' },
      ],
      ...more,
    }),
  });
const said = ['rebalance to 60% VTI 40% BND'];
const sources = (turns: readonly string[], orders: readonly OrderRequest[]) =>
  attributeRebalancing(
    {
      fields: {
        symbol: { source: 'user' },
        qty: { source: 'other', from: 'model' },
        max_slippage: { source: 'other', from: 'model' },
      },
    },
    findLatestRebalancing([answer()]),
    turns,
    orders,
  ).fields;

describe('orders of a rebalancing', () => {
  it('are the rule’s where they are to the letter what was worked out for the person’s own targets', () => {
    const { extended_hours, ...rest } = order;
    expect(sources(said, [{ extended_hours, ...rest }])).toEqual({
      symbol: { source: 'user' },
      qty: { source: 'computed', from: 'rebalancing to the targets you named' },
      max_slippage: { source: 'default' },
    });
  });

  it.each([
    ['another quantity', said, [{ ...order, qty: '4' }]],
    ['an order more', said, [order, { ...order, symbol: 'BND' }]],
    ['other targets than were said', ['rebalance to 50% VTI 50% BND'], [order]],
    ['no targets said', ['buy some VTI'], [order]],
    ['nothing said by a person', [], [order]],
  ])('stay the model’s with %s', (_, turns, orders) => {
    expect(sources(turns, orders).qty).toEqual({ source: 'other', from: 'model' });
  });

  it('are none where the answer is another’s shape', () => {
    expect(findLatestRebalancing([answer({ orders: 'all' })])).toBeUndefined();
    expect(findLatestRebalancing([])).toBeUndefined();
  });
});
