import { describe, expect, it } from 'vitest';
import { composeAnswer } from '../../../src/agent/planner/answer.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import { getRealizedGains } from '../../../src/tools/get-realized-gains.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { inShort, planned } from './planner-world.ts';

describe('sentences that ask for figures', () => {
  it.each([
    ['what did I realise this year', 'get_realized_gains year=this'],
    ['my realised gains in 2025', 'get_realized_gains year=2025'],
    ['show me my realized losses for last year', 'get_realized_gains year=last'],
    ['my realized gains', 'get_realized_gains'],
    ['how do I compare with the S&P', 'get_performance period=YTD benchmark=SPY'],
    ['how is my portfolio doing against QQQ this month', 'get_performance period=MTD benchmark=QQQ'],
    ['compare my returns with apple', 'get_performance period=YTD benchmark=AAPL'],
    ['sharpe ratio', 'get_performance period=1Y'],
    ['my beta this year', 'get_performance period=YTD'],
    ['dividends by month', 'get_performance period=YTD'],
  ])('%s => %s', (said, comesTo) => {
    expect(inShort(planned([said]))).toBe(comesTo);
  });

  it.each([
    'realise my gains',
    'realize my losses this year',
    'my realised gains in 25',
    'how do I compare with inflation',
    'how do I compare with my friends',
    'compare AAPL with the S&P',
    'sharpe ratio of KO',
    'dividends by month and symbol',
    'my sharpe in 2025',
  ])('asks about what they nearly are: %s', (said) => {
    expect(inShort(planned([said]))).toBe('asks');
  });
});

const told = (tool: string, content: unknown, figure?: 'sharpe' | 'sortino' | 'beta' | 'dividends') =>
  composeAnswer([{ tool, args: {}, content, view: figure && { figure } }]);

describe('their answers', () => {
  const performance = {
    ...{ period: '1Y', benchmark: { symbol: 'SPY' }, simulated: false },
    ratios: { returns_counted: 250, sharpe: '1.2000', sortino: null, beta: '0.9000' },
    dividends_by_month: [
      { month: '2026-03', amount: '12.50' },
      { month: '2026-06', amount: '13.00' },
    ],
  };

  it('tell one figure, and say where it is not known', () => {
    expect(told('get_performance', performance, 'sharpe')).toBe(
      'Your Sharpe ratio is **1.2000**, based on 250 daily returns in the last year, with a risk-free rate of 0%.',
    );
    expect(told('get_performance', performance, 'beta')).toContain('Your beta to SPY is **0.9000**');
    expect(told('get_performance', performance, 'sortino')).toContain("can't be calculated");
    expect(told('get_performance', performance, 'dividends')).toContain('- 2026-03 $12.50\n- 2026-06 $13.00');
  });

  it('tell what the tool found in the year that is now, in New York', async () => {
    const fill = (at: string, side: 'buy' | 'sell', qty: string, price: string): Activity => ({
      ...{ id: at, kind: 'fill', type: 'FILL', at, symbol: 'KO', amount: null, side, qty, price },
    });
    const gateway = {
      // In New York it is still 2025.
      clock: async () => ({ timestamp: '2026-01-01T04:00:00Z' }),
      account: async () => ({ simulated: false }),
      positions: async () => [],
      activities: async () => [
        fill('2024-01-05T15:00:00Z', 'buy', '10', '50'),
        fill('2024-06-05T15:00:00Z', 'sell', '4', '40'),
        fill('2025-06-05T15:00:00Z', 'sell', '6', '60'),
      ],
    } as unknown as GatewayClient;
    const of = async (year: string) => {
      const args = getRealizedGains.schema.parse({ year });
      const { content } = await getRealizedGains.execute({ session: undefined, gateway }, args);
      return told('get_realized_gains', JSON.parse(content));
    };
    expect(await of('this')).toBe(
      '**+$60.00** realized in 2025: short-term $0.00, long-term +$60.00 (first in, first out).\n\n- 2025-06-05 6 KO: +$60.00 (long-term)',
    );
    expect(await of('last')).toContain('- 2024-06-05 4 KO: -$40.00 (short-term)');
    expect(await of('2023')).toBe('Nothing was sold in 2023.');
  });
});
