import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountHistory, AccountHistoryEvent } from '../../../src/sandbox/paper-broker/books/seed-accounts.ts';
import { addDays } from '../../../src/trading/new-york-time.ts';
import { findSession } from '../../../src/trading/trading-calendar.ts';

/*
 * The year 2025 of an account, made up so that every figure can be worked out by hand: a price stands still but for the
 * days named here, nothing moves on the day after money came or went, and nobody's dividend moves a price.
 */

/** Dollars a share from a day on; the last day a symbol trades, where it ends. */
const prices: Record<string, { from: [day: string, price: string][]; last?: string }> = {
  DVC: {
    from: [
      ['2025-01-02', '50.00'],
      ['2025-11-17', '46.00'],
    ],
  },
  SPL: {
    from: [
      ['2025-01-02', '120.00'],
      ['2025-06-10', '30.00'],
      ['2025-09-02', '33.00'],
    ],
  },
  MRG: { from: [['2025-01-02', '40.00']], last: '2025-05-14' },
  ACQ: { from: [['2025-01-02', '90.00']] },
  SHT: {
    from: [
      ['2025-01-02', '80.00'],
      ['2025-04-01', '60.00'],
    ],
  },
  MOV: { from: [['2025-01-02', '25.00']] },
  RVS: {
    from: [
      ['2025-01-02', '2.00'],
      ['2025-08-11', '20.00'],
    ],
  },
  RUI: {
    from: [
      ['2025-01-02', '10.00'],
      ['2025-12-15', '200.00'],
    ],
  },
};

export const actions = {
  cash_dividends: [
    { symbol: 'DVC', rate: '0.50', ex_date: '2025-02-03', payable_date: '2025-02-20' },
    { symbol: 'DVC', rate: '0.25', ex_date: '2025-11-24', payable_date: '2025-12-01' },
  ],
  forward_splits: [{ symbol: 'SPL', new_rate: 4, old_rate: 1, ex_date: '2025-06-10' }],
  reverse_splits: [{ symbol: 'RVS', new_rate: 1, old_rate: 10, ex_date: '2025-08-11' }],
  stock_mergers: [
    {
      acquiree_symbol: 'MRG',
      acquiree_rate: 1,
      acquirer_symbol: 'ACQ',
      acquirer_rate: 0.5,
      effective_date: '2025-05-15',
    },
  ],
};

const money = (date: string, type: string, amount: string): AccountHistoryEvent => ({
  date,
  entry: { type, amount },
});
const trade = (
  date: string,
  side: 'buy' | 'sell',
  qty: string,
  symbol: string,
  price: string,
): AccountHistoryEvent => ({ date, trade: { side, symbol, qty, price } });

export const story: AccountHistory = {
  number: 'PA3ALICE01',
  events: [
    money('2025-01-02', 'CSD', '100000'),
    trade('2025-01-06', 'buy', '400', 'DVC', '50.00'),
    trade('2025-01-06', 'buy', '200', 'SPL', '120.00'),
    trade('2025-01-06', 'buy', '500', 'MRG', '40.00'),
    trade('2025-03-10', 'sell', '300', 'SHT', '80.00'),
    trade('2025-04-14', 'buy', '300', 'SHT', '60.00'),
    money('2025-06-02', 'CSD', '10000'),
    { date: '2025-07-14', entry: { type: 'ACATS', symbol: 'MOV', qty: '100', cost: '2500' } },
    trade('2025-07-21', 'buy', '1000', 'RVS', '2.00'),
    money('2025-08-01', 'JNLC', '5000'),
    trade('2025-09-15', 'sell', '300', 'SPL', '33.00'),
    money('2025-10-01', 'CSW', '-20000'),
    money('2025-10-15', 'FEE', '-12.50'),
    money('2025-10-31', 'INT', '37.50'),
    trade('2025-11-03', 'sell', '1000', 'RUI', '10.00'),
  ],
};

/** A day of which the broker's history knows nothing. Nothing happened on it. */
export const MISSING_DAY = '2025-06-16';

export function writeDays(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const days: string[] = [];
  for (let day = '2025-01-02'; day <= '2025-12-31'; day = addDays(day, 1)) {
    if (findSession(day, 'exchange') !== undefined) days.push(day);
  }
  for (const [symbol, { from, last = '2025-12-31' }] of Object.entries(prices)) {
    const rows = days
      .filter((day) => day <= last)
      .map((day) => {
        const price = from.findLast(([since]) => since <= day)?.[1];
        return [day, price, price, price, price, '1000'].join(',');
      });
    writeFileSync(join(folder, `${symbol}.csv`), ['date,open,high,low,close,volume', ...rows].join('\n'));
  }
  writeFileSync(join(folder, 'corporate-actions.json'), JSON.stringify({ corporate_actions: actions }));
}
