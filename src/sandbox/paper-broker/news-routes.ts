import { Hono } from 'hono';
import { z } from 'zod';
import type { Market } from '../market/market.ts';
import { marketNews } from '../market/news.ts';
import type { BrokerEnv } from './access.ts';
import { pageOf, parsed } from './data-pages.ts';
import { symbolsOf, timeOf } from './data-query.ts';

const newsQuery = z.object({
  start: z.string().optional(),
  end: z.string().optional(),
  sort: z.enum(['asc', 'desc']).default('desc'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
  page_token: z.string().optional(),
});

/** News by Alpaca's Market Data API. All of it is made up, and says so. */
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

  return app;
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
