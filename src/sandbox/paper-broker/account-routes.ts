import { Hono } from 'hono';
import { type BrokerEnv, requireTrading } from './access.ts';
import { accountJson, type Books } from './account-json.ts';
import { accountSettings } from './account-settings.ts';
import { activities } from './activities.ts';
import { badParameter } from './broker-error.ts';
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
  app.get('/v2/account/configurations', (context) =>
    context.json(books.settings.of(context.get('account').id)),
  );
  app.patch('/v2/account/configurations', requireTrading, async (context) => {
    const changes = accountSettings.partial().safeParse(await context.req.json().catch(() => undefined));
    if (!changes.success)
      throw badParameter(`invalid ${String(changes.error.issues[0]?.path[0] ?? 'request body')}`);
    const given = Object.entries(changes.data).filter(([, value]) => value !== undefined);
    return context.json(books.settings.change(context.get('account').id, Object.fromEntries(given)));
  });

  return app;
}
