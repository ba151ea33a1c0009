import { expect, it } from 'vitest';
import { clientIdempotencyKey, deriveIdempotencyKeys } from '../../../src/mcp/tools/retries.ts';
import { idempotencyKeySchema } from '../../../src/trading/proposal.ts';

const MINUTE = 60_000;
const START = 1_000 * MINUTE;
const call = ['alice', 'bot', 7, 'place_order', { symbol: 'AAPL', qty: '1' }];
const knows = (later: readonly string[], earlier: readonly string[]) => later.includes(earlier[0] ?? '');

it.each([0, 1, 30_000, MINUTE - 1])(
  'a call that is sent again within a minute is known, at each point of the clock: %i',
  (into) => {
    const first = deriveIdempotencyKeys(call, START + into);
    const sorted = [...call.slice(0, 4), { qty: '1', symbol: 'AAPL' }];
    for (const after of [0, 1, 30_000, MINUTE - 1]) {
      expect(knows(deriveIdempotencyKeys(sorted, START + into + after), first), `${after}`).toBe(true);
    }
  },
);

it('request ids begin again with each run of a client: after two minutes at most it is another call', () => {
  expect(knows(deriveIdempotencyKeys(call, START + 2 * MINUTE), deriveIdempotencyKeys(call, START))).toBe(false);
});

it.each([
  ['another person', ['bob', ...call.slice(1)]],
  ['another client', ['alice', 'other', ...call.slice(2)]],
  ['another request', ['alice', 'bot', 8, ...call.slice(3)]],
  ['other arguments', [...call.slice(0, 4), { symbol: 'AAPL', qty: '2' }]],
])('%s has keys of its own', (_, other) => {
  expect(knows(deriveIdempotencyKeys(other, START), deriveIdempotencyKeys(call, START))).toBe(false);
});

it('a client’s own key is the same for good, and never one that the program made', () => {
  const key = clientIdempotencyKey('mine');
  expect(clientIdempotencyKey('mine')).toBe(key);
  expect(clientIdempotencyKey('other')).not.toBe(key);
  for (const made of [key, ...deriveIdempotencyKeys(call, START)]) {
    expect(idempotencyKeySchema.safeParse(made).success).toBe(true);
  }
});
