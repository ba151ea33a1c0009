import type Database from 'better-sqlite3-multiple-ciphers';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { EntryRecord } from '../../../store/sandbox/records.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { type CorporateAction, effectiveAt, subjectOf } from '../../market/corporate-action.ts';
import type { Market } from '../../market/market.ts';
import { actionBookedAt, actionEntries } from './action-entries.ts';
import { bookedAt } from './entries.ts';
import { holdingsAt } from './valuation.ts';

/** Bookings due with time: corporate actions on holdings, and scheduled entries. */
export type Bookkeeping = ReturnType<typeof openBookkeeping>;

interface BookkeepingOptions {
  readonly database: Database.Database;
  readonly ledger: Ledger;
  readonly orders: OrderBook;
  readonly market: Market;
  readonly cancelAll: (accountId: string, symbol: string) => void;
}

export function openBookkeeping({ database, ledger, orders, market, cancelAll }: BookkeepingOptions) {
  const insert = database.prepare<[string, number, string]>(
    'INSERT INTO broker_scheduled (account_id, at, entry) VALUES (?, ?, ?)',
  );
  const next = database.prepare<[string, number], { seq: number; at: number; entry: string }>(
    'SELECT seq, at, entry FROM broker_scheduled WHERE account_id = ? AND at <= ? ORDER BY at, seq LIMIT 1',
  );
  const remove = database.prepare<[number]>('DELETE FROM broker_scheduled WHERE seq = ?');
  const bookedTo = database
    .prepare<[string], number>('SELECT at FROM broker_booked_to WHERE account_id = ?')
    .pluck();
  const putBookedTo = database.prepare<[string, number]>(
    'INSERT INTO broker_booked_to VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET at = excluded.at',
  );
  let quietUntil = Number.NEGATIVE_INFINITY;

  const bookAction = (accountId: string, action: CorporateAction): void => {
    const at = effectiveAt(action);
    const symbol = subjectOf(action);
    const held = ledger.position(accountId, symbol);
    const [before] = holdingsAt(ledger, accountId, [at - 1]);
    const entries = actionEntries(action, {
      account_id: accountId,
      holding: { qty: new Dec(held?.qty ?? 0), cost: new Dec(held?.cost ?? 0) },
      entitled: before?.shares.get(symbol) ?? new Dec(0),
      worth: (other) => new Dec(market.quote(other, market.currentOrNextSession(at).open)?.last ?? 0),
    });
    for (const entry of entries) ledger.enter(entry);
    if (action.kind === 'cash_dividend' || action.kind === 'spin_off') return;
    cancelAll(accountId, symbol);
  };

  const actionsDue = (accountId: string, after: number, upTo: number) => {
    const traded = ledger.fills(accountId).map(({ symbol }) => symbol);
    const moved = ledger.entries(accountId).flatMap(({ symbol }) => symbol ?? []);
    const wanted = orders.openOf(accountId).map(({ symbol }) => symbol);
    const symbols = [...new Set([...traded, ...moved, ...wanted])];
    return market
      .corporateActions(symbols, newYorkDate(after), newYorkDate(upTo))
      .map((action) => ({ at: actionBookedAt(action), book: () => bookAction(accountId, action) }))
      .filter(({ at }) => at > after && at <= upTo)
      .sort((a, b) => a.at - b.at);
  };

  const catchUp = (accountId: string, upTo: number): void => {
    let after = bookedTo.get(accountId) ?? upTo;
    for (;;) {
      const entry = next.get(accountId, upTo);
      // Asked again each time: a merger brings shares with dividends of their own.
      const actions = actionsDue(accountId, after, upTo);
      const at = Math.min(...[entry, ...actions].flatMap((one) => one?.at ?? []));
      if (at > upTo) break;
      if (entry?.at === at) {
        remove.run(entry.seq);
        ledger.enter(withCost(JSON.parse(entry.entry) as EntryRecord, market));
      }
      const due = actions.filter((action) => action.at === at);
      for (const { book } of due) book();
      if (due.length > 0) after = at;
    }
    putBookedTo.run(accountId, upTo);
  };
  const catchUpWhole = database.transaction(catchUp);

  return {
    schedule(entry: EntryRecord): void {
      insert.run(entry.account_id, entry.at, JSON.stringify(entry));
      quietUntil = Number.NEGATIVE_INFINITY;
    },
    again: (): void => {
      quietUntil = Number.NEGATIVE_INFINITY;
    },
    begin: (accountId: string, at: number): void => void putBookedTo.run(accountId, at),
    catchUp: (accountId: string, upTo: number): void => catchUpWhole.immediate(accountId, upTo),
    settle(): void {
      const now = market.now();
      if (now < quietUntil) return;
      for (const { id } of ledger.accounts()) catchUpWhole.immediate(id, now);
      quietUntil = nextDue(now);
    },
  };
}

/** Shares without a known price cost what they trade at. */
function withCost(entry: EntryRecord, market: Market): EntryRecord {
  const { symbol, qty, cost, at } = entry;
  if (symbol === null || qty === null || cost !== null || new Dec(qty).lt(0)) return entry;
  return { ...entry, cost: plain(new Dec(qty).times(market.quote(symbol, at)?.last ?? 0)) };
}

function nextDue(now: number): number {
  const today = newYorkDate(now);
  const evening = bookedAt(today);
  return now < evening ? evening : newYorkInstant(addDays(today, 1), '00:00');
}
