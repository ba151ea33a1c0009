import { describe, expect, it } from 'vitest';
import { Dec } from '../../../../src/trading/decimal.ts';
import { newYorkDate } from '../../../../src/trading/new-york-time.ts';
import { replayLots } from '../../../../src/trading/portfolio/lot-history-replay.ts';
import { lotMethods } from '../../../../src/trading/portfolio/lot-pool.ts';
import type { Fill } from '../../../../src/trading/portfolio/trades.ts';

const START = Date.parse('2024-01-02T15:00:00Z');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const [EACH, TINY] = [new Dec(10), new Dec('0.001')];

const fill = (side: 'buy' | 'sell', qty: Dec, cents: number, at: number): Fill => {
  return { symbol: 'XYZ', side, qty, price: new Dec(cents).div(100), at };
};

/** Histories of about `n` trades that leave many lots open while shares are sold. */
const shapes: Readonly<Record<string, (n: number) => Fill[]>> = {
  'two purchases for each tiny sale at falling prices': (n) =>
    Array.from({ length: n }, (_, i) =>
      fill(i % 3 === 2 ? 'sell' : 'buy', i % 3 === 2 ? TINY : EACH, 3_000_000 - i * 10, START + i * HOUR_MS),
    ),
  'all purchases before all sales': (n) =>
    Array.from({ length: n }, (_, i) =>
      fill(i < n / 2 ? 'buy' : 'sell', EACH, 100_000 + ((i * 7919) % 1000), START + i * HOUR_MS),
    ),
  'one lot sold in many parts': (n) => [
    fill('buy', new Dec(n), 100_000, START),
    ...Array.from({ length: n - 1 }, (_, i) => fill('sell', TINY, 90_000, START + (i + 1) * HOUR_MS)),
  ],
  'all trades within 30 days': (n) =>
    Array.from({ length: n }, (_, i) =>
      fill(i < n / 2 || i % 4 === 0 ? 'buy' : 'sell', EACH, 3_000_000 - i * 10, START + i * MINUTE_MS),
    ),
};

/** CPU milliseconds of a replay: the least of three, because garbage collection only ever adds. */
function replayTime(fills: readonly Fill[], method: (typeof lotMethods)[number], washSales: boolean): number {
  const choices =
    method === 'specific'
      ? fills
          .filter(({ side }) => side === 'sell')
          .map(({ symbol, qty, at }) => ({ symbol, qty, sold: newYorkDate(at), acquired: newYorkDate(START) }))
      : [];
  const times = [1, 2, 3].map(() => {
    const since = process.cpuUsage();
    replayLots({ fills, exchanges: [] }, method, { choices, washSales });
    const { user, system } = process.cpuUsage(since);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

describe.each(Object.keys(shapes))('%s', (shape) => {
  const cases = lotMethods.flatMap((method) => [true, false].map((washSales) => [method, washSales] as const));
  it.each(cases)('take time in proportion to their number (%s, wash sales: %s)', (method, washSales) => {
    const history = shapes[shape] ?? (() => []);
    const [small, large] = [history(750), history(6_000)];
    replayTime(small, method, washSales);
    // Eight times the trades take 64 times as long if each trade visits every open lot.
    const ratio = replayTime(large, method, washSales) / replayTime(small, method, washSales);
    expect(ratio).toBeLessThan(20);
  });
});
