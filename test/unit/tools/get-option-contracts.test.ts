import { expect, it } from 'vitest';
import type { GatewayClient, OptionContractQuery } from '../../../src/tools/gateway/gateway-client.ts';
import { getOptionContracts } from '../../../src/tools/get-option-contracts.ts';

const contract = { symbol: 'AAPL261218C00190000', underlying: 'AAPL' };

function run(args: object, more = false) {
  const asked: OptionContractQuery[] = [];
  const gateway = {
    clock: async () => ({ timestamp: '2026-11-26T22:30:00-05:00' }),
    optionContracts: async (query: OptionContractQuery) => {
      asked.push(query);
      return { contracts: [contract], more };
    },
  } as unknown as GatewayClient;
  const parsed = getOptionContracts.schema.parse(args);
  return getOptionContracts
    .execute({ session: undefined, gateway }, parsed as never)
    .then((result) => ({ result, asked }));
}

it('asks for a year-less expiry by the exchange’s day', async () => {
  const { asked } = await run({ underlying: 'aapl', expiry: '12-18', right: 'call', strike_from: '190' });
  expect(asked).toEqual([
    {
      underlying: 'AAPL',
      expires_from: '2026-12-18',
      expires_to: '2026-12-18',
      right: 'call',
      strike_from: '190',
      limit: 50,
    },
  ]);
});

it('leaves the dates to the gateway where none is said, and tells of more', async () => {
  const { asked, result } = await run({ underlying: 'AAPL', limit: 1 }, true);
  expect(asked).toEqual([{ underlying: 'AAPL', limit: 1 }]);
  expect(JSON.parse(result.content)).toEqual({ contracts: [contract], more: true });
  expect(result.summary).toBe('1 and more contracts on AAPL, from AAPL261218C00190000');
});

it.each([
  { underlying: 'AAPL', expiry: 'Dec 18' },
  { underlying: 'AAPL', strike_from: '0' },
  { underlying: '../x' },
  { underlying: 'AAPL', limit: 500 },
  { underlying: 'AAPL', right: 'both' },
])('refuses %j', (args) => {
  expect(getOptionContracts.schema.safeParse(args).success).toBe(false);
});
