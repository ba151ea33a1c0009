import { describe, expect, it } from 'vitest';
import type { RunInput, RunOptions } from '../../../../src/agent/agent.ts';
import { resolveRunScopes } from '../../../../src/agent/remote/run-scopes.ts';
import { orderRequestSchema } from '../../../../src/trading/order.ts';

const prompt: RunInput = { prompt: 'what do I own' };
const order = orderRequestSchema.parse({ symbol: 'KO', side: 'buy', notional: '10' });
const orders: RunInput = { orders: [order], composedBy: 'check' };
const mandates = [{ symbols: ['KO'], sides: ['buy'] as const, mandate: 'any' }];
const reading = ['market:read', 'portfolio:read', 'orders:read'];
const unasked = [...reading, 'orders:cancel', 'watchlist:write'];

describe('what a run at a server may do in the person’s name', () => {
  it.each<[string, Pick<RunOptions, 'approval' | 'mandates'>, boolean, RunInput | undefined, string[]]>([
    ['reading alone reads', { approval: 'wait' }, true, prompt, reading],
    ['asking nobody proposes nothing', { approval: 'deny' }, false, prompt, unasked],
    [
      'talked to may come to all that a session may',
      { approval: 'wait' },
      false,
      prompt,
      [...unasked, 'orders:propose', 'messages:propose', 'orders:mandate'],
    ],
    [
      'gone on with as well',
      { approval: 'detach' },
      false,
      undefined,
      [...unasked, 'orders:propose', 'messages:propose', 'orders:mandate'],
    ],
    ['of orders proposes orders', { approval: 'wait' }, false, orders, [...unasked, 'orders:propose']],
    [
      'of orders under mandates uses those',
      { approval: 'wait', mandates },
      false,
      orders,
      [...unasked, 'orders:propose', 'orders:mandate'],
    ],
    [
      'under mandates alone sends no message',
      { approval: 'mandate' },
      false,
      prompt,
      [...unasked, 'orders:propose', 'orders:mandate'],
    ],
  ])('%s', (_, options, readOnly, input, scopes) => {
    expect([...resolveRunScopes(options, readOnly, input)].sort()).toEqual([...scopes].sort());
  });
});
