import { expect, it } from 'vitest';
import { createComposedOrderMessages } from '../../../../src/agent/graph/composed-orders.ts';
import { createPromptMessage } from '../../../../src/agent/graph/message-history.ts';
import { createProposalQuota } from '../../../../src/agent/graph/proposal-quota.ts';
import { orderRequestSchema } from '../../../../src/trading/order.ts';

const order = orderRequestSchema.parse({ symbol: 'AAPL', side: 'buy', qty: '1' });

it('a program’s orders are counted by its calls, whatever the words say', () => {
  const [, calls] = createComposedOrderMessages({ orders: Array(7).fill(order), composedBy: 'check' });
  if (calls === undefined) throw new Error('there are no calls');
  const messages = [createPromptMessage('buy 1 AAPL', 'check'), calls];
  expect(createProposalQuota({ messages, outcomes: [], prompt: 1 })(6)).toEqual({
    ordinal: 7,
    most: 7,
    denied: false,
  });
  // What a model calls for in answer to the same words is held to them.
  const asked = [createPromptMessage('buy 1 AAPL')];
  expect(createProposalQuota({ messages: asked, outcomes: [], prompt: 1 })(0).most).toBe(5);
});
