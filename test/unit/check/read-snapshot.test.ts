import { describe, expect, it } from 'vitest';
import { parseRules } from '../../../src/check/load-rules.ts';
import { readSnapshot } from '../../../src/check/read-snapshot.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { FORGETFUL, gatewayOf, quote, rules, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const symbols = ['AAPL', 'APPL', 'KO', 'MSFT', 'NVDA'];

/** A gateway that has no price of MSFT, knows no APPL, and refuses a whole request for one of them. */
function gatewayWithout(problem?: TradeAgentError) {
  const seen = snapshot();
  const asked: (readonly string[])[] = [];
  const gateway = gatewayOf(seen, {
    positions: async () => [],
    quotes: async (some: readonly string[]) => {
      asked.push(some);
      if (problem !== undefined) throw problem;
      if (some.includes('APPL'))
        throw new TradeAgentError('unknown_symbol', 'the broker does not know the symbol APPL');
      if (some.includes('MSFT')) {
        const details = { problem: 'price_unavailable' };
        throw new TradeAgentError('gateway_refused', 'there is no price for MSFT now', { details });
      }
      return some.map((symbol) => quote(symbol, '100'));
    },
  });
  return { gateway, asked };
}

const look = async (gateway: GatewayClient, suggest = false) =>
  readSnapshot({
    gateway,
    file: await parseRules(
      rules(...symbols.map((symbol) => `name: ${symbol.toLowerCase()}, kind: price, symbol: ${symbol}, above: 1`)),
      'rules.yaml',
    ),
    ...FORGETFUL,
    localNow: TUESDAY_NOON,
    suggest,
  });

describe('reading prices for a check', () => {
  it('has all that can be had where one is missing and one is of nobody', async () => {
    const { quotes, noPrice } = await look(gatewayWithout().gateway);
    expect([...quotes.keys()].sort()).toEqual(['AAPL', 'KO', 'NVDA']);
    expect([...noPrice].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))).toEqual([
      { symbol: 'APPL', code: 'unknown_symbol' },
      { symbol: 'MSFT', code: 'price_unavailable' },
    ]);
  });

  it('does not take a gateway that is down for missing prices', async () => {
    const { gateway, asked } = gatewayWithout(new TradeAgentError('gateway_unreachable', 'down'));
    await expect(look(gateway)).rejects.toMatchObject({ code: 'gateway_unreachable' });
    expect(asked).toHaveLength(1);
  });
});

describe('open orders that make no sense', () => {
  const unreadable = new TradeAgentError('gateway_refused', 'the gateway’s response is invalid');
  const looked = async (suggest: boolean, problem: TradeAgentError) => {
    const { gateway } = gatewayWithout();
    const orders = () => Promise.reject(problem);
    return look({ ...gateway, orders } as GatewayClient, suggest);
  };

  it('leave the rest of the check as it is, and are noted', async () => {
    const { openOrders, quotes, notes } = await looked(false, unreadable);
    expect(openOrders).toBe(undefined);
    expect(quotes.size).toBe(3);
    expect(notes).toContain('the open orders can’t be read; everything else was checked');
  });

  it('end a check that would suggest orders, and so does a gateway that is down', async () => {
    await expect(looked(true, unreadable)).rejects.toMatchObject({ code: 'gateway_refused' });
    const down = new TradeAgentError('gateway_unreachable', 'down');
    await expect(looked(false, down)).rejects.toMatchObject({ code: 'gateway_unreachable' });
  });
});
