import { describe, expect, it } from 'vitest';
import { newYorkDate } from '../../../src/trading/new-york-time.ts';
import type { Bar } from '../../../src/trading/views.ts';
import { factsOf, sharedMcpWorld } from './mcp-world.ts';

/* Histories are answered in columns: the name of a field is said once. */

const { world, tokens } = sharedMcpWorld();

async function call(name: string, args: Record<string, unknown>) {
  const client = await world.connect(tokens.alice);
  return factsOf(await client.callTool({ name, arguments: args }));
}

const tokensOf = (facts: unknown) => JSON.stringify(facts).length / 4;

describe('a history', () => {
  it('of a year of daily bars takes at most 4,000 tokens, and has what the gateway says', async () => {
    const facts = await call('get_bars', { symbol: 'AAPL', days: 365 });
    const { date = [], ...prices } = facts.bars as Record<string, string[]>;
    expect(date.length).toBeGreaterThan(245);
    expect(tokensOf(facts)).toBeLessThanOrEqual(4_000);
    expect(date).toEqual([...new Set(date)].sort());
    const alice = await world.as('alice');
    const start = `${date[0]}T00:00:00Z`;
    const path = `/v1/bars?symbol=AAPL&timeframe=1Day&adjustment=split&limit=1000&start=${start}`;
    const rows = (await alice.send('GET', path)).body.bars as Bar[];
    expect(date).toEqual(rows.map(({ at }) => newYorkDate(Date.parse(at))));
    expect(Object.keys(prices)).toEqual(['open', 'high', 'low', 'close', 'volume']);
    for (const [name, values] of Object.entries(prices)) {
      // The last bar is today's, which goes on.
      expect(values.slice(0, -1)).toEqual(rows.slice(0, -1).map((row) => row[name as keyof Bar]));
    }
  });

  it('of hours has times, since a day has several', async () => {
    const { bars } = await call('get_bars', { symbol: 'AAPL', days: 5, timeframe: '1Hour' });
    const { at = [], close } = bars as Record<string, string[]>;
    expect(at.length).toBeGreaterThan(5);
    expect(new Set(at).size).toBe(at.length);
    expect(close).toHaveLength(at.length);
  });

  it('of the account’s value has a date and an equity for each day', async () => {
    const facts = await call('get_performance', { period: '1Y' });
    const { date = [], equity } = facts.values as Record<string, string[]>;
    expect(date.length).toBeGreaterThan(10);
    expect(equity).toHaveLength(date.length);
    expect(equity?.at(-1)).toBe(facts.equity);
    expect(tokensOf(facts)).toBeLessThanOrEqual(4_000);
  });
});
