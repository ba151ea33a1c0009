import { expect, it } from 'vitest';
import { totalByCurrency } from '../../../src/trading/portfolio/totals-across.ts';
import type { Account } from '../../../src/trading/views.ts';

const account = (currency: string, equity: string, cash: string, last_equity: string | null) =>
  ({ currency, equity, cash, last_equity }) as Account;

it('what accounts come to is added exactly, and no two currencies are', () => {
  expect(
    totalByCurrency([
      account('USD', '0.10', '100.20', '0.30'),
      account('EUR', '1000', '-5.5', '990'),
      account('USD', '0.20', '0.10', '0.10'),
    ]),
  ).toEqual([
    { currency: 'USD', equity: '0.30', cash: '100.30', day_change: '-0.10' },
    { currency: 'EUR', equity: '1000.00', cash: '-5.50', day_change: '10.00' },
  ]);
  expect(totalByCurrency([])).toEqual([]);
});

it('what the day did to several accounts is not known where one does not tell', () => {
  const accounts = [account('USD', '100', '0', '90'), account('USD', '50', '0', null)];
  expect(totalByCurrency(accounts)).toEqual([{ currency: 'USD', equity: '150.00', cash: '0.00', day_change: null }]);
});
