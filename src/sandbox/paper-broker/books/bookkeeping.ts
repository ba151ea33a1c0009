import type Database from 'better-sqlite3-multiple-ciphers';
import type { Holding, Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { LedgerEntryRecord } from '../../../store/sandbox/records.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import {
  actionSubject,
  type CorporateAction,
  type CorporateActionOf,
  effectiveAt,
  effectiveDate,
  processDate,
} from '../../market/corporate-action.ts';
import type { Market } from '../../market/market.ts';
import { actionId } from './action-json.ts';
import { bookingTime, createEntry } from './entries.ts';
import { stableUuid } from './tradable-asset.ts';
import { holdingsAt } from './valuation.ts';

/** Posts everything that becomes due over time: corporate actions on holdings, and scheduled entries. */
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
  const bookedTo = database.prepare<[string], number>('SELECT at FROM broker_booked_to WHERE account_id = ?').pluck();
  const putBookedTo = database.prepare<[string, number]>(
    'INSERT INTO broker_booked_to VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET at = excluded.at',
  );
  let quietUntil = Number.NEGATIVE_INFINITY;

  const bookAction = (accountId: string, action: CorporateAction): void => {
    const at = effectiveAt(action);
    const symbol = actionSubject(action);
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
      // Queried again each time, because a merger adds shares that have their own dividends.
      const actions = actionsDue(accountId, after, upTo);
      const at = Math.min(...[entry, ...actions].flatMap((one) => one?.at ?? []));
      if (at > upTo) break;
      if (entry?.at === at) {
        remove.run(entry.seq);
        ledger.enter(addCost(JSON.parse(entry.entry) as LedgerEntryRecord, market));
      }
      const due = actions.filter((action) => action.at === at);
      for (const { book } of due) book();
      if (due.length > 0) after = at;
    }
    putBookedTo.run(accountId, upTo);
  };
  const catchUpWhole = database.transaction(catchUp);

  return {
    schedule(entry: LedgerEntryRecord): void {
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

function addCost(entry: LedgerEntryRecord, market: Market): LedgerEntryRecord {
  const { symbol, qty, cost, at } = entry;
  if (symbol === null || qty === null || cost !== null || new Dec(qty).lt(0)) return entry;
  return { ...entry, cost: toPlain(new Dec(qty).times(market.quote(symbol, at)?.last ?? 0)) };
}

function nextDue(now: number): number {
  const today = newYorkDate(now);
  const evening = bookingTime(today);
  return now < evening ? evening : newYorkInstant(addDays(today, 1), '00:00');
}

interface Holder {
  readonly account_id: string;
  /** Current shares of the symbol that the action is about. Negative if short. */
  readonly holding: Holding;
  readonly entitled: Dec;
  worth(symbol: string): Dec;
}

/** Returns the posting time: the evening of the payment day for a dividend, the start of the day for other actions. */
function actionBookedAt(action: CorporateAction): number {
  return action.kind === 'cash_dividend' ? bookingTime(action.payable_date) : effectiveAt(action);
}

export function actionEntries(action: CorporateAction, holder: Holder): LedgerEntryRecord[] {
  const held = holder.holding.qty;
  if (action.kind === 'cash_dividend') return holder.entitled.isZero() ? [] : [dividendEntry(action, holder)];
  if (held.isZero()) return [];
  switch (action.kind) {
    case 'forward_split':
    case 'reverse_split': {
      const sub_type = action.kind === 'forward_split' ? 'FSPLIT' : 'RSPLIT';
      const qty = proportionalShares(held, action.new_rate, action.old_rate);
      return exchangeEntries(action, holder, { type: 'SPLIT', sub_type, symbol: action.symbol, qty });
    }
    case 'name_change':
      return exchangeEntries(action, holder, {
        type: 'NC',
        sub_type: 'SNC',
        symbol: action.new_symbol,
        qty: held,
      });
    case 'spin_off':
      return spinOffEntries(action, holder);
    case 'cash_merger': {
      const gone = { type: 'MA', sub_type: 'CMA', amount: held.times(action.rate).toDecimalPlaces(2) };
      return [createLeg(action, holder, { ...gone, symbol: action.acquiree_symbol, ...negate(holder.holding) })];
    }
    case 'stock_merger':
    case 'stock_and_cash_merger': {
      const cash =
        'cash_rate' in action ? held.times(action.cash_rate).div(action.acquiree_rate).toDecimalPlaces(2) : new Dec(0);
      const qty = proportionalShares(held, action.acquirer_rate, action.acquiree_rate);
      const sub_type = action.kind === 'stock_merger' ? 'SMA' : 'SCMA';
      return exchangeEntries(action, holder, { type: 'MA', sub_type, symbol: action.acquirer_symbol, qty }, cash);
    }
  }
}

function dividendEntry(
  action: CorporateActionOf<'cash_dividend'>,
  { account_id, entitled }: Holder,
): LedgerEntryRecord {
  return createEntry({
    account_id,
    type: 'DIV',
    sub_type: 'CDIV',
    date: processDate(action),
    at: actionBookedAt(action),
    symbol: action.symbol,
    // Holders of a short position owe the dividend.
    amount: toPlain(entitled.times(action.rate)),
    entitled: toPlain(entitled),
    per_share: action.rate,
    group_id: entryGroup(action, account_id),
  });
}

interface Leg {
  readonly type: string;
  readonly sub_type: string | null;
  readonly symbol: string;
  readonly qty: Dec;
}

function exchangeEntries(action: CorporateAction, holder: Holder, come: Leg, cash = new Dec(0)): LedgerEntryRecord[] {
  const { holding } = holder;
  // Cash received in addition to shares is a taxable gain, up to the total gain. The rest of the cash reduces the cost
  // (26 U.S.C. §§ 356, 358). Signs are reversed for short positions.
  const worth = cash.isZero() ? new Dec(0) : come.qty.times(holder.worth(come.symbol));
  const sign = cash.isNegative() ? -1 : 1;
  const gain = worth.plus(cash).minus(holding.cost).times(sign).toDecimalPlaces(2);
  const recognized = Dec.max(0, Dec.min(gain, cash.abs())).times(sign);
  const gone = {
    type: come.type,
    sub_type: come.sub_type,
    symbol: actionSubject(action),
    ...negate(holding),
  };
  return [
    createLeg(action, holder, cash.isZero() ? gone : { ...gone, amount: cash }),
    createLeg(action, holder, { ...come, cost: holding.cost.minus(cash).plus(recognized) }),
  ];
}

/**
 * Returns the entries of a spin-off, which divide the parent's cost between the old and the new shares in proportion to
 * their market values (26 CFR 1.358-2).
 */
function spinOffEntries(action: CorporateActionOf<'spin_off'>, holder: Holder): LedgerEntryRecord[] {
  const { qty: held, cost } = holder.holding;
  const qty = proportionalShares(held, action.new_rate, action.source_rate);
  const [made, kept] = [qty.times(holder.worth(action.new_symbol)), held.times(holder.worth(action.source_symbol))];
  const all = made.plus(kept);
  const moved = all.isZero() ? new Dec(0) : cost.times(made).div(all).toDecimalPlaces(2);
  const spin = { type: 'SPIN', sub_type: null };
  return [
    createLeg(action, holder, { ...spin, symbol: action.source_symbol, qty: new Dec(0), cost: moved.neg() }),
    createLeg(action, holder, { ...spin, symbol: action.new_symbol, qty, cost: moved }),
  ];
}

function createLeg(
  action: CorporateAction,
  { account_id }: Holder,
  { type, sub_type, symbol, qty, cost, amount }: Leg & { cost: Dec; amount?: Dec },
): LedgerEntryRecord {
  return createEntry({
    account_id,
    type,
    sub_type,
    date: effectiveDate(action),
    at: actionBookedAt(action),
    symbol,
    qty: toPlain(qty),
    cost: toPlain(cost),
    amount: amount === undefined ? null : toPlain(amount),
    group_id: entryGroup(action, account_id),
  });
}

/** Returns `held` times `made` / `of` shares, rounded down to nine decimals. */
const proportionalShares = (held: Dec, made: string, of: string): Dec =>
  held.times(made).div(of).toDecimalPlaces(9, Dec.ROUND_DOWN);

const negate = ({ qty, cost }: Holding): Holding => ({ qty: qty.neg(), cost: cost.neg() });

const entryGroup = (action: CorporateAction, account: string): string =>
  stableUuid(`booked:${actionId(action)}:${account}`);
