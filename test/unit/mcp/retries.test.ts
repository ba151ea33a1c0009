import { expect, it } from 'vitest';
import { createProposalKeys } from '../../../src/mcp/server/retries.ts';
import { idempotencyKeySchema } from '../../../src/trading/proposal.ts';

const at = { time: 1_000_000 };
const keys = () => createProposalKeys({ now: () => at.time });
const call = ['alice', 'bot', 7, 'place_order', { symbol: 'AAPL', qty: '1' }];

it('a call that is sent again within a minute has the same key, whatever the order of its arguments', () => {
  const one = keys();
  const key = one.ofCall(call);
  at.time += 59_000;
  expect(one.ofCall([...call.slice(0, 4), { qty: '1', symbol: 'AAPL' }])).toBe(key);
});

it.each([
  ['another person', ['bob', ...call.slice(1)]],
  ['another client', ['alice', 'other', ...call.slice(2)]],
  ['another request', ['alice', 'bot', 8, ...call.slice(3)]],
  ['other arguments', [...call.slice(0, 4), { symbol: 'AAPL', qty: '2' }]],
])('%s has a key of its own', (_, other) => {
  const one = keys();
  expect(one.ofCall(other)).not.toBe(one.ofCall(call));
});

it('request ids begin anew with each run of a client: after a minute it is another call', () => {
  const one = keys();
  const key = one.ofCall(call);
  at.time += 60_000;
  expect(one.ofCall(call)).not.toBe(key);
});

it('a client’s own key is the same for good, and never one that the program made', () => {
  const key = keys().own('mine');
  expect(keys().own('mine')).toBe(key);
  expect(keys().own('other')).not.toBe(key);
  for (const made of [key, keys().ofCall(call)])
    expect(idempotencyKeySchema.safeParse(made).success).toBe(true);
});
