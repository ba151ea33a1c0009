import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { dividends } from '../market/dividends.ts';
import type { Market } from '../market/market.ts';
import { addDays, newYorkDate } from '../market/new-york-time.ts';
import { marketNews } from '../market/news.ts';
import type { BrokerEnv } from './access.ts';
import { DataError, symbolsOf, timeOf } from './data-routes.ts';
import { stableUuid } from './tradable-asset.ts';

const newsQuery = z.object({
  start: z.string().optional(),
  end: z.string().optional(),
  sort: z.enum(['asc', 'desc']).default('desc'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
  page_token: z.string().optional(),
});

const actionsQuery = z.object({
  types: z.string().optional(),
  start: z.iso.date().optional(),
  end: z.iso.date().optional(),
  sort: z.enum(['asc', 'desc']).default('asc'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().optional(),
});

/** News and corporate actions by Alpaca's Market Data API. All of it is made up, and says so where it has words. */
export function newsRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v1beta1/news', (context) => {
    const { start, end, sort, limit, page_token } = parsed(newsQuery, context);
    const [from, to] = [timeOf(start, 'start') ?? 0, timeOf(end, 'end') ?? now()];
    const symbols = context.req.query('symbols') ? symbolsOf(context) : undefined;
    const notes = marketNews(market, symbols, now()).filter(({ at }) => at >= from && at <= to);
    if (sort === 'asc') notes.reverse();
    const page = pageOf(notes, limit, page_token);
    return context.json({ news: page.rows.map(articleJson), next_page_token: page.next });
  });

  app.get('/v1/corporate-actions', (context) => {
    const { types, start, end, sort, limit, page_token } = parsed(actionsQuery, context);
    const today = newYorkDate(now());
    const [from, to] = [start ?? today, end ?? today];
    if (to < from) throw new DataError(400, 'end should not be before start');
    // Further from now nobody announces or remembers anything.
    const [first = from, last = to] = [
      [from, addDays(today, -800)].sort().at(-1),
      [to, addDays(today, 400)].sort()[0],
    ];
    const wanted = types === undefined || types.split(',').includes('cash_dividend');
    const rows = wanted ? dividends(market, symbolsOf(context), first, last) : [];
    if (sort === 'desc') rows.reverse();
    const page = pageOf(rows, limit, page_token);
    return context.json({
      corporate_actions: page.rows.length === 0 ? {} : { cash_dividends: page.rows.map(dividendJson) },
      next_page_token: page.next,
    });
  });

  return app;
}

function parsed<Schema extends z.ZodType>(schema: Schema, context: Context<BrokerEnv>): z.output<Schema> {
  const read = schema.safeParse(context.req.query());
  if (read.success) return read.data;
  throw new DataError(400, `invalid ${String(read.error.issues[0]?.path[0])}`);
}

/** @param token where the page begins, as the page before told */
function pageOf<Row>(rows: readonly Row[], limit: number, token: string | undefined) {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isSafeInteger(from) || from < 0) throw new DataError(400, 'invalid page_token');
  const next = from + limit < rows.length ? Buffer.from(String(from + limit)).toString('base64url') : null;
  return { rows: rows.slice(from, from + limit), next };
}

function articleJson({ id, symbol, at, headline, summary }: ReturnType<typeof marketNews>[number]) {
  const time = new Date(at).toISOString();
  return {
    id,
    headline,
    summary,
    // The contract wants some, also where it isn't asked for.
    content: `<p>${summary}</p>`,
    author: 'The sandbox',
    source: 'simulated',
    created_at: time,
    updated_at: time,
    url: null,
    images: [],
    symbols: [symbol],
  };
}

function dividendJson({ symbol, rate, exDate, payableDate }: ReturnType<typeof dividends>[number]) {
  return {
    id: stableUuid(`dividend:${symbol}:${exDate}`),
    symbol,
    // Nine characters, as a CUSIP has; nobody else's.
    cusip: stableUuid(`cusip:${symbol}`).replaceAll('-', '').slice(0, 9).toUpperCase(),
    rate: Number(rate),
    special: false,
    foreign: false,
    ex_date: exDate,
    record_date: exDate,
    payable_date: payableDate,
    process_date: payableDate,
  };
}
