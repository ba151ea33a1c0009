import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { FillRecord, LedgerEntryRecord } from '../../../store/sandbox/records.ts';
import { addDays, type IsoDate, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import type { Market } from '../../market/market.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import { bookingTime, createEntry } from './entries.ts';
import { stableUuid } from './tradable-asset.ts';

export interface AccountHistory {
  readonly number: string;
  /** The account's history. The first event opens the account. */
  readonly events: readonly AccountHistoryEvent[];
}

/** A ledger entry or a trade. The price of a trade defaults to the ask at 11:00. */
export type AccountHistoryEvent = { readonly date: IsoDate } & (
  | { readonly entry: Pick<LedgerEntryRecord, 'type'> & Partial<Omit<LedgerEntryRecord, 'date' | 'account_id'>> }
  | { readonly trade: Pick<FillRecord, 'side' | 'symbol' | 'qty'> & Partial<Pick<FillRecord, 'price'>> }
);

const TRADE_TIME = '11:00';

function defaultStory(username: string, today: IsoDate): AccountHistory {
  const deposit = (amount: string, daysAgo: number): AccountHistoryEvent => ({
    date: addDays(today, -daysAgo),
    entry: { type: 'CSD', amount },
  });
  const purchase = (symbol: string, qty: string, daysAgo: number): AccountHistoryEvent => ({
    date: addDays(today, -daysAgo),
    trade: { side: 'buy', symbol, qty },
  });
  if (username === 'alice') {
    return {
      number: 'PA3ALICE01',
      events: [
        deposit('60000', 120),
        purchase('AAPL', '40', 118),
        purchase('MSFT', '25', 110),
        deposit('40000', 75),
        purchase('NVDA', '60', 74),
        purchase('JPM', '20', 60),
        purchase('KO', '75', 31),
      ],
    };
  }
  if (username === 'bob') {
    return {
      number: 'PA3BOB0002',
      events: [deposit('10000', 90), purchase('TSLA', '8', 80), purchase('AMD', '12', 45)],
    };
  }
  const number = `PA3${stableUuid(`number:${username}`).slice(0, 7).toUpperCase()}`;
  return { number, events: [deposit('100000', 1)] };
}

interface SeedParts {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly bookkeeping: Bookkeeping;
}

/**
 * Opens an account with its history, unless the user already has an account. Call inside a transaction.
 * @param history replaces the default history
 */
export function seedAccount(
  username: string,
  { ledger, market, bookkeeping }: SeedParts,
  history: AccountHistory | undefined,
): void {
  if (ledger.accountOf(username) !== undefined) return;
  const now = market.now();
  const { number, events } = history ?? defaultStory(username, newYorkDate(now));
  const timed = events
    .map((event) => ({ at: timeOf(event), event }))
    .filter(({ at }) => at <= now)
    .sort((a, b) => a.at - b.at);
  const id = stableUuid(`account:${username}`);
  const created_at = timed[0]?.at ?? now;
  ledger.openAccount({ id, number, username, created_at });
  bookkeeping.begin(id, created_at);
  for (const { at, event } of timed) {
    bookkeeping.catchUp(id, at);
    if ('entry' in event) {
      ledger.enter(createEntry({ ...event.entry, account_id: id, date: event.date, at }));
      continue;
    }
    const { trade } = event;
    const price = trade.price ?? market.quote(trade.symbol, at)?.ask;
    if (price === undefined) continue; // the market has fewer symbols
    ledger.book({ ...trade, account_id: id, order_id: null, price, at }, { short: true, overdraft: true });
  }
  bookkeeping.catchUp(id, now);
}

function timeOf(event: AccountHistoryEvent): number {
  return 'entry' in event ? (event.entry.at ?? bookingTime(event.date)) : newYorkInstant(event.date, TRADE_TIME);
}
