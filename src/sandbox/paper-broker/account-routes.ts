import { Hono } from 'hono';
import type { BrokerEnv } from './access.ts';
import { accountJson, type Books, positionJson } from './account-json.ts';
import { activities } from './activities.ts';
import { notFound } from './broker-error.ts';
import { portfolioHistory } from './portfolio-history.ts';
import { assetId } from './tradable-asset.ts';

/** An account, what it holds, and how it came to that. */
export function accountRoutes(books: Books, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const { ledger } = books;

  app.get('/v2/account', (context) => context.json(accountJson(context.get('account'), books, now())));
  app.get('/v2/account/portfolio/history', (context) =>
    context.json(portfolioHistory(context.req.query(), context.get('account'), books, now())),
  );
  app.get('/v2/account/activities', (context) =>
    context.json(activities(context.req.query(), context.get('account').id, books)),
  );

  app.get('/v2/positions', (context) =>
    context.json(
      ledger.positions(context.get('account').id).map((position) => positionJson(position, books, now())),
    ),
  );
  app.get('/v2/positions/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const position = ledger
      .positions(context.get('account').id)
      .find(({ symbol }) => symbol === wanted.toUpperCase() || assetId(symbol) === wanted);
    if (position === undefined) throw notFound('position does not exist');
    return context.json(positionJson(position, books, now()));
  });

  return app;
}
