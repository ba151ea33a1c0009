import { Hono } from 'hono';
import type { BrokerEnv } from './access.ts';
import { accountJson, type Books } from './account-json.ts';
import { activities } from './activities.ts';
import { portfolioHistory } from './portfolio-history.ts';

/** An account, and how it came to what it is worth. */
export function accountRoutes(books: Books, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/account', (context) => context.json(accountJson(context.get('account'), books, now())));
  app.get('/v2/account/portfolio/history', (context) =>
    context.json(portfolioHistory(context.req.query(), context.get('account'), books, now())),
  );
  app.get('/v2/account/activities', (context) =>
    context.json(activities(context.req.query(), context.get('account').id, books)),
  );

  return app;
}
