import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { bookingTime, createEntry } from '../../../src/sandbox/paper-broker/books/entries.ts';
import { holdingsAt } from '../../../src/sandbox/paper-broker/books/valuation.ts';
import { sumCashflows } from '../../../src/sandbox/paper-broker/routes/portfolio-history.ts';
import { openLedger } from '../../../src/store/sandbox/ledger.ts';
import { createSandboxTables } from '../../../src/store/sandbox/schema.ts';

const ACCOUNT = 'account-of-the-test';
const DAY = '2026-03-02';
const NOON = Date.parse('2026-03-03T17:00:00Z');

function books() {
  const database = new Database(':memory:');
  createSandboxTables(database, 'paperBroker');
  const ledger = openLedger(database);
  ledger.openAccount({ id: ACCOUNT, number: 'PA3TEST001', username: 'test', created_at: bookingTime(DAY) });
  ledger.enter(createEntry({ account_id: ACCOUNT, type: 'CSD', date: DAY, amount: '1000' }));
  const trade = (side: 'buy' | 'sell', qty: string, price: string, at = NOON) =>
    ledger.book(
      { account_id: ACCOUNT, order_id: null, symbol: 'F', side, qty, price, at },
      { short: true, overdraft: true },
    );
  const held = () => {
    const { qty, cost } = ledger.position(ACCOUNT, 'F') ?? { qty: '0', cost: '0' };
    return { qty, cost, cash: ledger.account(ACCOUNT)?.cash };
  };
  return { ledger, trade, held };
}

describe('a trade on credit', () => {
  it('is refused where the account has none, and changes nothing', () => {
    const { ledger, held } = books();
    const fill = { account_id: ACCOUNT, order_id: null, symbol: 'F', qty: '200', price: '10.00', at: NOON };
    expect(ledger.book({ ...fill, side: 'buy' })).toBe(false);
    expect(ledger.book({ ...fill, side: 'sell' })).toBe(false);
    expect(held()).toEqual({ qty: '0', cost: '0', cash: '1000.00' });
    expect(ledger.fills(ACCOUNT)).toEqual([]);
  });

  it('sold short costs less than nothing, and a cover takes its part of that back', () => {
    const { trade, held } = books();
    trade('sell', '30', '10.00');
    expect(held()).toEqual({ qty: '-30', cost: '-300', cash: '1300.00' });
    trade('sell', '10', '12.00');
    expect(held()).toEqual({ qty: '-40', cost: '-420', cash: '1420.00' });
    trade('buy', '20', '8.00');
    expect(held()).toEqual({ qty: '-20', cost: '-210', cash: '1260.00' });
  });

  it('that sells beyond what is held opens a short at its own price, and a buy beyond it a long one', () => {
    const { trade, held } = books();
    trade('buy', '10', '10.00');
    trade('sell', '15', '12.00');
    expect(held()).toEqual({ qty: '-5', cost: '-60', cash: '1080.00' });
    trade('buy', '9', '11.00');
    expect(held()).toEqual({ qty: '4', cost: '44', cash: '981.00' });
  });

  it('may leave the account owing', () => {
    const { trade, held } = books();
    trade('buy', '150', '10.00');
    expect(held().cash).toBe('-500.00');
  });
});

describe('what is booked without a trade', () => {
  it('counts from when it was booked, in the evening of its day, not from that day on', () => {
    const { ledger } = books();
    const close = Date.parse('2026-03-02T21:00:00Z');
    expect(bookingTime(DAY)).toBe(Date.parse('2026-03-03T01:30:00Z'));
    const [before, after] = holdingsAt(ledger, ACCOUNT, [close, NOON]);
    expect([before?.cash.toFixed(), after?.cash.toFixed()]).toEqual(['0', '1000']);
  });

  it('takes shares with their part of the cost, and brings others with theirs', () => {
    const { ledger, trade, held } = books();
    trade('buy', '10', '20.00');
    const moved = { account_id: ACCOUNT, type: 'JNLS', date: '2026-03-04', symbol: 'F' };
    ledger.enter(createEntry({ ...moved, qty: '-4' }));
    expect(held()).toEqual({ qty: '6', cost: '120', cash: '800.00' });
    ledger.enter(createEntry({ ...moved, qty: '2', cost: '50' }));
    expect(held()).toEqual({ qty: '8', cost: '170', cash: '800.00' });
    const [then] = holdingsAt(ledger, ACCOUNT, [bookingTime('2026-03-04')]);
    expect(then?.shares.get('F')?.toFixed()).toBe('8');
  });
});

describe('cash flows of a history', () => {
  const ends = [100, 200, 300];
  const flow = (type: string, at: number, amount: string | null) =>
    createEntry({ account_id: ACCOUNT, type, date: DAY, at, amount });
  const entries = [
    flow('CSD', 100, '1'),
    flow('CSD', 101, '2'),
    flow('CSD', 200, '3.50'),
    flow('DIV', 201, '0.63'),
    flow('JNLS', 250, null),
    flow('CSD', 301, '9'),
  ];

  it('stand in the window whose end first has them', () => {
    expect(sumCashflows('ALL', entries, ends)).toEqual({ CSD: [5.5, 0], DIV: [0, 0.63] });
  });

  it('are of the types asked for, told though there were none', () => {
    expect(sumCashflows('CSW,DIV', entries, ends)).toEqual({ CSW: [0, 0], DIV: [0, 0.63] });
  });
});
