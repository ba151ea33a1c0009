import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { HistoryGaps } from '../../../store/sandbox/broker-tables.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import { decimalString } from '../../../trading/decimal.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { type CorporateAction, corporateActionsSchema, effectiveAt } from '../../market/corporate-action.ts';
import type { Market } from '../../market/market.ts';
import type { ReplayClock } from '../../market/replay/replay-clock.ts';
import { actionJson } from '../books/action-json.ts';
import type { Bookkeeping } from '../books/bookkeeping.ts';
import { BrokerError } from '../books/broker-error.ts';
import { bookingTime, createEntry } from '../books/entries.ts';
import { type BookedOrder, orderJson } from '../books/order-json.ts';
import type { Exchange } from '../exchange/exchange.ts';

const readBody = (context: Context): Promise<unknown> => context.req.json().catch(() => undefined);
const priceBody = z.object({ price: z.string() });
const datesBody = z.strictObject({ dates: z.array(z.iso.date()) });
const clockBody = z.strictObject({ now: z.iso.datetime({ offset: true }) });

export const requireAdminSecret =
  (secret: string, refusal: object): MiddlewareHandler =>
  async (context, next) =>
    isSameSecret(context.req.header('authorization') ?? '', `Bearer ${secret}`) ? next() : context.json(refusal, 401);

export function adminRoutes(options: {
  secret: string;
  market: Market;
  book: () => BookedOrder[];
  settle: () => void;
}): Hono {
  const app = new Hono();
  app.use('/admin/*', requireAdminSecret(options.secret, { message: 'unauthorized' }));
  app.get('/admin/book', (context) => context.json({ orders: options.book() }));
  const hold = (symbol: string, price: string | undefined): string | undefined => {
    try {
      options.market.setPrice(symbol.toUpperCase(), price);
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
    options.settle();
    return undefined;
  };
  app.put('/admin/prices/:symbol', async (context) => {
    const body = priceBody.safeParse(await readBody(context));
    if (!body.success) return context.json({ message: 'send {"price": "180.00"}' }, 400);
    const symbol = context.req.param('symbol');
    const wrong = hold(symbol, body.data.price);
    return wrong === undefined
      ? context.json(options.market.quote(symbol.toUpperCase()))
      : context.json({ message: wrong }, 400);
  });
  app.delete('/admin/prices/:symbol', (context) => {
    const wrong = hold(context.req.param('symbol'), undefined);
    return wrong === undefined ? context.body(null, 204) : context.json({ message: wrong }, 400);
  });
  return app;
}

interface AdminBooksOptions {
  readonly ledger: Ledger;
  readonly market: Market;
  readonly bookkeeping: Bookkeeping;
  readonly announcements: { add(action: CorporateAction): void };
  readonly historyGaps: HistoryGaps;
  readonly settle: () => void;
}

/** Alpaca's activity types other than trades and corporate actions. */
const bookableTypes = 'CSD CSW FEE CFEE INT INTNRA DIVNRA JNLC JNLS ACATC ACATS FOPT PTC'.split(' ');

const activity = z
  .strictObject({
    activity_type: z.enum(bookableTypes as [string, ...string[]]),
    activity_sub_type: z
      .string()
      .regex(/^[A-Z]{1,8}$/)
      .optional(),
    date: z.iso.date().optional(),
    /** Dollars. Negative for outgoing amounts. */
    net_amount: decimalString.optional(),
    symbol: z.string().optional(),
    /** Shares. Negative for outgoing shares. */
    qty: decimalString.optional(),
    cost: decimalString.optional(),
  })
  .refine(({ symbol, qty }) => (symbol === undefined) === (qty === undefined), 'symbol and qty must be set together')
  .refine(({ net_amount, qty }) => net_amount !== undefined || qty !== undefined, 'set net_amount, or symbol and qty');

/**
 * Admin API for account events: `POST /admin/corporate-actions` (in Alpaca's format), `POST
 * /admin/accounts/USER/activities`, `PUT /admin/history-gaps {"dates": []}`.
 */
export function adminAccountEventRoutes(options: AdminBooksOptions): Hono {
  const { ledger, market, bookkeeping, announcements, historyGaps, settle } = options;
  const app = new Hono();

  app.post('/admin/corporate-actions', async (context) => {
    const read = corporateActionsSchema.safeParse(await readBody(context));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    for (const action of read.data) {
      try {
        if (effectiveAt(action) <= market.now())
          throw new RangeError('the corporate action must take effect on a future date');
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
    const read = activity.safeParse(await readBody(context));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    const { activity_type, activity_sub_type, net_amount, symbol, qty, cost } = read.data;
    if (symbol !== undefined && market.symbol(symbol) === undefined) {
      return context.json({ message: `the market has no symbol ${symbol}` }, 400);
    }
    const { date = newYorkDate(market.now()) } = read.data;
    const entry = createEntry({
      account_id: account.id,
      type: activity_type,
      sub_type: activity_sub_type ?? null,
      date,
      // An entry for a past day is booked now, because brokers also book late.
      at: Math.max(bookingTime(date), market.now()),
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
    const read = datesBody.safeParse(await readBody(context));
    if (!read.success) return context.json({ message: 'send {"dates": ["2026-03-02"]}' }, 400);
    historyGaps.set(read.data.dates);
    return context.json(read.data);
  });

  return app;
}

/**
 * `PUT /admin/clock {"now": "2026-03-02T20:00:00Z"}` advances a replayed market's time. It matches orders at every
 * turning point of the prices in between.
 */
export function adminClockRoutes(market: Market, clock: ReplayClock, settle: () => void): Hono {
  const app = new Hono();
  app.put('/admin/clock', async (context) => {
    const read = clockBody.safeParse(await readBody(context));
    if (!read.success) return context.json({ message: 'send {"now": "2026-03-02T20:00:00Z"}' }, 400);
    const to = Date.parse(read.data.now);
    try {
      clock.check(to);
      for (const at of turningPoints(market, clock.now(), to)) {
        clock.moveTo(at);
        settle();
      }
      clock.moveTo(to);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return context.json({ message: error.message }, 400);
    }
    settle();
    return context.json({ now: new Date(market.now()).toISOString() });
  });
  return app;
}

/** Returns the times at which replayed prices turn: each session's open, thirds and close. */
function turningPoints(market: Market, from: number, to: number): number[] {
  return market
    .sessions(newYorkDate(from), newYorkDate(to))
    .flatMap(({ open, close }) => [0, 1, 2, 3].map((third) => Math.round(open + ((close - open) / 3) * third)))
    .filter((at) => at > from && at < to);
}

const whole = z.string().regex(/^[1-9]\d{0,5}$/);
const bodySchema = z.strictObject({
  user: z.string(),
  qty: whole,
  limit_price: z.string().regex(/^-?\d{1,6}(\.\d{1,2})?$/),
  legs: z
    .array(
      z.strictObject({
        symbol: z.string(),
        ratio_qty: whole,
        position_intent: z.enum(['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close']),
      }),
    )
    .min(2)
    .max(4),
});

/**
 * `POST /admin/multi-leg-orders {user, qty, limit_price, legs: [{symbol, ratio_qty, position_intent}]}` records a
 * spread as if it had been placed in the broker's own app.
 */
export function adminOrderRoutes(ledger: Ledger, exchange: Pick<Exchange, 'bookMultiLeg'>): Hono {
  const app = new Hono();
  app.post('/admin/multi-leg-orders', async (context) => {
    const read = bodySchema.safeParse(await readBody(context));
    if (!read.success) return context.json({ message: z.prettifyError(read.error) }, 400);
    const { user, ...terms } = read.data;
    const account = ledger.accountOf(user);
    if (account === undefined) return context.json({ message: `there is no user ${user}` }, 400);
    try {
      return context.json(orderJson(exchange.bookMultiLeg(account.id, terms)), 201);
    } catch (error) {
      if (error instanceof BrokerError) return context.json({ message: error.message }, 400);
      throw error;
    }
  });
  return app;
}
