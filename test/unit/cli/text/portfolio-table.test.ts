import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { portfolioTable } from '../../../../src/cli/text/portfolio-table.ts';
import type { Account, Position } from '../../../../src/trading/views.ts';

const account: Account = {
  account: 'PA3ALICE01',
  environment: 'paper',
  status: 'ACTIVE',
  currency: 'USD',
  cash: '90000.10',
  equity: '100000.10',
  last_equity: '99000.00',
  buying_power: '90000.10',
  long_market_value: '10000.00',
  trading_blocked: false,
  simulated: true,
};
const position = (symbol: string, value: string): Position => ({
  symbol,
  side: 'long',
  qty: '40',
  qty_available: '40',
  avg_entry_price: '200.00',
  current_price: '201.10',
  lastday_price: '201.00',
  market_value: value,
  cost_basis: '8000.00',
  unrealized_pl: '44.00',
  unrealized_plpc: '0.0055',
  change_today: '0.0005',
});
const figures = {
  account,
  positions: [position('KO', '2000.00'), position('AAPL', '8000.00')],
  prices: new Map([['AAPL', ['1', '2', '3']]]),
  equity: ['1', '2'],
};

describe('the portfolio as a table', () => {
  it('has value, day and total profit, weights and a line for the month, the largest first', async () => {
    expect(await portfolioTable(figures, { columns: 120, unicode: true })).toMatchInlineSnapshot(`
      "account       PA3ALICE01 PAPER (simulated)
      value         $100,000.10  ▁█
      today         +$1,000.10 (+1.01%)
      total P/L     +$88.00 (+0.55%)
      cash          $90,000.10 (90.0%)
      buying power  $90,000.10

      SYMBOL  QTY    PRICE      VALUE  WEIGHT   TODAY  TODAY %      P/L   P/L %  MONTH
      AAPL     40  $201.10  $8,000.00    8.0%  +$4.00   +0.05%  +$44.00  +0.55%  ▁▅█
      KO       40  $201.10  $2,000.00    2.0%  +$4.00   +0.05%  +$44.00  +0.55%"
    `);
  });

  it.each([120, 100, 80, 60, 40])('leaves columns out rather than wrap at %i columns', async (columns) => {
    const text = await portfolioTable(figures, { columns, unicode: true });
    for (const line of text.split('\n').slice(7)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(text).toMatch(/AAPL +.*\$8,000\.00/);
  });

  it('keeps the little line at 80 columns and drops percentages first', async () => {
    const text = await portfolioTable(figures, { columns: 72, unicode: false });
    expect(text).toContain('MONTH');
    expect(text).not.toContain('TODAY %');
    expect(text).toMatch(/^[\x00-\x7f]+$/);
  });

  it('says so where there are no positions, or the broker blocks trading', async () => {
    const text = await portfolioTable(
      { ...figures, positions: [], account: { ...account, trading_blocked: true } },
      { columns: 80, unicode: true },
    );
    expect(text).toContain('No positions.');
    expect(text).toContain('BLOCKED');
  });
});
