import Database from 'better-sqlite3-multiple-ciphers';
import fc from 'fast-check';
import { createWholeMarket } from '../../../../src/sandbox/instruments/whole-market.ts';
import { createMarket } from '../../../../src/sandbox/market/market.ts';
import { openAccountSettings } from '../../../../src/sandbox/paper-broker/books/account-settings.ts';
import { createEntry } from '../../../../src/sandbox/paper-broker/books/entries.ts';
import { createExchange } from '../../../../src/sandbox/paper-broker/exchange/exchange.ts';
import { createExpirationSweep } from '../../../../src/sandbox/paper-broker/exchange/exercise.ts';
import { parseTicket } from '../../../../src/sandbox/paper-broker/exchange/order-ticket.ts';
import { openLedger } from '../../../../src/store/sandbox/ledger.ts';
import { openOrderBook } from '../../../../src/store/sandbox/order-book.ts';
import { createSandboxTables } from '../../../../src/store/sandbox/schema.ts';

/** One of the things that may happen, so many times as often as another of weight 1. */
export const happens = <Do extends string, Fields extends object>(
  weight: number,
  name: Do,
  fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> },
) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<{ do: Do } & Fields>,
});

export const ACCOUNT = 'account-of-the-test';

/**
 * The paper broker's books and exchange with no server around them, in a market that is always open and a time that the
 * test alone moves: Tuesday, 24 November 2026, noon in New York.
 * @param options.cash dollars that its one account begins with
 */
export function openExchangeWorld({ cash, partialFills = true }: { cash: string; partialFills?: boolean }) {
  let time = Date.parse('2026-11-24T17:00:00Z');
  const database = new Database(':memory:');
  createSandboxTables(database, 'paperBroker');
  const ledger = openLedger(database);
  const orders = openOrderBook(database);
  const settings = openAccountSettings(database);
  const clock = {
    now: () => time,
    monotonic: () => time,
    sleep: () => Promise.reject(new Error('nobody sleeps')),
  };
  const market = createWholeMarket(createMarket({ seed: 'test', hours: 'always', clock }));
  const exchange = createExchange({
    ...{ database, ledger, orders, market, partialFills, settings },
    now: clock.now,
  });
  ledger.openAccount({ id: ACCOUNT, number: 'PA3TEST001', username: 'test', created_at: time });
  ledger.enter(createEntry({ account_id: ACCOUNT, type: 'CSD', date: '2026-11-24', at: time, amount: cash }));
  return {
    ...{ database, ledger, orders, market, exchange },
    place: (terms: object) =>
      exchange.place(
        ACCOUNT,
        parseTicket({ symbol: 'F', side: 'buy', type: 'market', time_in_force: 'day', ...terms }),
      ),
    cancel(which: number): void {
      const all = orders.all(ACCOUNT);
      exchange.cancel(ACCOUNT, all[which % Math.max(1, all.length)]?.id ?? 'none');
    },
    statusOf: (id: string) => orders.byId(ACCOUNT, id)?.status,
    held: (symbol = 'F') => ledger.position(ACCOUNT, symbol)?.qty ?? '0',
    cash: () => ledger.account(ACCOUNT)?.cash,
    expire: createExpirationSweep({ database, ledger, market, settings }),
    now: clock.now,
    pass(ms: number): void {
      time += ms;
    },
  };
}
