import { Hono } from 'hono';
import { z } from 'zod';
import { decimalString } from '../../trading/decimal.ts';
import { corporateActionsSchema, effectiveAt } from '../market/corporate-action.ts';
import type { Market } from '../market/market.ts';
import { newYorkDate } from '../market/new-york-time.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import { actionJson } from './corporate-actions/action-json.ts';
import type { AnnouncedStore } from './corporate-actions/announced-store.ts';
import { bookedAt, entryOf } from './entries.ts';
import type { HistoryGaps } from './history-gaps.ts';
import type { Ledger } from './ledger.ts';

export interface AdminBooksOptions {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly bookkeeping: Bookkeeping;
  readonly announcements: AnnouncedStore;
  readonly historyGaps: HistoryGaps;
  readonly settle: () => void;
}

/** Alpaca's activity types that move money or shares without a trade or a corporate action. */
const bookable = [
  'CSD',
  'CSW',
  'FEE',
  'CFEE',
  'INT',
  'INTNRA',
  'DIVNRA',
  'JNLC',
  'JNLS',
  'ACATC',
  'ACATS',
  'FOPT',
  'PTC',
];

const activity = z
  .strictObject({
    activity_type: z.enum(bookable as [string, ...string[]]),
    activity_sub_type: z
      .string()
      .regex(/^[A-Z]{1,8}$/)
      .optional(),
    /** New York's, today unless it is said; booked in its evening. */
    date: z.iso.date().optional(),
    /** Dollars; less than nothing goes. */
    net_amount: decimalString.optional(),
    symbol: z.string().optional(),
    /** Shares; less than nothing go. */
    qty: decimalString.optional(),
    /** Dollars that shares which come have cost; what they trade at unless it is said. */
    cost: decimalString.optional(),
  })
  .refine(({ symbol, qty }) => (symbol === undefined) === (qty === undefined), 'symbol and qty go together')
  .refine(
    ({ net_amount, qty }) => net_amount !== undefined || qty !== undefined,
    'name net_amount, or symbol and qty',
  );

/**
 * For tests and demonstrations, behind the admin secret: what happens to accounts from outside.
 * `POST /admin/corporate-actions` takes Alpaca's own lists, `POST /admin/accounts/USER/activities` one activity, `PUT
 * /admin/history-gaps {"dates": []}` days that the portfolio history is to leave out.
 */
export function adminBooksRoutes(options: AdminBooksOptions): Hono {
  const { ledger, market, bookkeeping, announcements, historyGaps, settle } = options;
  const app = new Hono();

  app.post('/admin/corporate-actions', async (context) => {
    const read = corporateActionsSchema.safeParse(await context.req.json().catch(() => undefined));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    for (const action of read.data) {
      try {
        if (effectiveAt(action) <= market.now()) throw new RangeError('it must take effect on a day to come');
        market.announce(action);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return context.json({ message: `${action.kind}: ${error.message}` }, 400);
      }
      announcements.add(action);
    }
    bookkeeping.again();
    return context.json({ announced: read.data.map(actionJson) });
  });

  app.post('/admin/accounts/:username/activities', async (context) => {
    const account = ledger.accountOf(context.req.param('username'));
    if (account === undefined) return context.json({ message: 'no such account' }, 404);
    const read = activity.safeParse(await context.req.json().catch(() => undefined));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    const { activity_type, activity_sub_type, net_amount, symbol, qty, cost } = read.data;
    if (symbol !== undefined && market.symbol(symbol) === undefined) {
      return context.json({ message: `the market has no ${symbol}` }, 400);
    }
    const { date = newYorkDate(market.now()) } = read.data;
    const entry = entryOf({
      account_id: account.id,
      type: activity_type,
      sub_type: activity_sub_type ?? null,
      date,
      // What is told of a day gone by is booked now: brokers book late.
      at: Math.max(bookedAt(date), market.now()),
      amount: net_amount ?? null,
      symbol: symbol ?? null,
      qty: qty ?? null,
      cost: cost ?? null,
    });
    bookkeeping.schedule(entry);
    settle();
    return context.json({ booked_at: new Date(entry.at).toISOString() });
  });

  app.put('/admin/history-gaps', async (context) => {
    const read = z
      .strictObject({ dates: z.array(z.iso.date()) })
      .safeParse(await context.req.json().catch(() => undefined));
    if (!read.success) return context.json({ message: 'send {"dates": ["2026-03-02"]}' }, 400);
    historyGaps.set(read.data.dates);
    return context.json(read.data);
  });

  return app;
}
