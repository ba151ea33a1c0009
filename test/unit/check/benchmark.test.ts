import { expect, it } from 'vitest';
import { checkPortfolio } from '../../../src/check/check.ts';
import { parseRules } from '../../../src/check/load-rules.ts';
import { readSnapshot } from '../../../src/check/read-snapshot.ts';
import { figureLines } from '../../../src/check/report/lines.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { FORGETFUL, gatewayOf, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const seen = snapshot();
const gateway = (more: Partial<GatewayClient> = {}) =>
  gatewayOf(seen, {
    valueHistory: async () => [{ at: '2026-11-20T05:00:00Z', equity: '8000.00' }],
    bars: async ({ symbol, adjustment }: { symbol: string; adjustment?: string }) =>
      symbol === 'QQQ' && adjustment === 'all'
        ? [
            { at: '2026-11-20T05:00:00Z', close: '400' },
            { at: '2026-11-24T05:00:00Z', close: '410' },
          ]
        : [],
    ...more,
  });

async function look(client: GatewayClient, imported: readonly Activity[] = []) {
  const file = await parseRules('benchmark: qqq\nrules: []\n', 'rules.yaml');
  const found = await readSnapshot({
    gateway: client,
    file,
    ...FORGETFUL,
    imported: () => ({ activities: async () => [...imported] }),
    localNow: TUESDAY_NOON,
    suggest: false,
  });
  const memory = { fired: () => [], mark: () => undefined, proposed: () => undefined };
  return checkPortfolio({ file, rulesFile: undefined, snapshot: found, memory, sectorOf: () => undefined }).result;
}

it('a check tells the benchmark’s total return beside the account’s own', async () => {
  const result = await look(gateway());
  expect(result.figures.benchmark).toMatchObject({
    symbol: 'QQQ',
    return: { period: '0.025', annual: null },
    excess: '0.225',
  });
  expect(Object.fromEntries(figureLines(result))['return of QQQ']).toContain(
    '+2.50% in 4 days with dividends; the account is 22.50% ahead',
  );
});

it('goes on without one that can’t be read, and says so', async () => {
  const refuses = () => Promise.reject(new TradeAgentError('unknown_symbol', 'there is no QQQ'));
  const result = await look(gateway({ bars: refuses }));
  expect(result.figures.benchmark).toBeNull();
  expect(result.notes).toEqual(['the benchmark QQQ can’t be read (there is no QQQ)']);
});

it('counts what was imported before the broker’s history, and says that the broker never told of it', async () => {
  const row = (at: string, side: 'buy' | 'sell', price: string): Activity => ({
    ...{ id: at, kind: 'fill', type: 'FILL', at, symbol: 'KO', side, qty: '10', price, amount: null },
    ...{ imported: true },
  });
  const history = [row('2024-01-02T05:00:00Z', 'buy', '50'), row('2025-01-02T05:00:00Z', 'sell', '62')];
  const result = await look(gateway(), history);
  expect(result.figures.realized_fifo).toBe('120.00');
  const note = '2 of the activities were imported from a file; your broker did not report them';
  expect(result.notes).toEqual([note]);
});
