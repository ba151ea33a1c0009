import { Hono } from 'hono';
import { z } from 'zod';
import type { Market } from '../../market/market.ts';
import { addDays, newYorkDate } from '../../market/new-york-time.ts';
import type { BrokerEnv } from '../access.ts';
import { DataError } from '../data-error.ts';
import { pageOf, parsed } from '../data-pages.ts';
import { symbolsOf } from '../data-query.ts';
import { actionJson, listOf } from './action-json.ts';

const query = z.object({
  types: z.string().optional(),
  start: z.iso.date().optional(),
  end: z.iso.date().optional(),
  sort: z.enum(['asc', 'desc']).default('asc'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().optional(),
});

/** Corporate actions by Alpaca's Market Data API: those that were announced, and those the market makes up. */
export function corporateActionRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v1/corporate-actions', (context) => {
    const { types, start, end, sort, limit, page_token } = parsed(query, context);
    const today = newYorkDate(now());
    const [from, to] = [start ?? today, end ?? today];
    if (to < from) throw new DataError(400, 'end should not be before start');
    // Further from now nobody announces or remembers anything.
    const [first = from, last = to] = [
      [from, addDays(today, -800)].sort().at(-1),
      [to, addDays(today, 400)].sort()[0],
    ];
    const wanted = types?.split(',');
    const rows = market
      .corporateActions(symbolsOf(context), first, last)
      .filter(({ kind }) => wanted === undefined || wanted.includes(kind));
    if (sort === 'desc') rows.reverse();
    const page = pageOf(rows, limit, page_token);
    const lists: Record<string, object[]> = {};
    for (const row of page.rows) {
      const list = listOf(row);
      lists[list] = [...(lists[list] ?? []), actionJson(row)];
    }
    return context.json({ corporate_actions: lists, next_page_token: page.next });
  });

  return app;
}
