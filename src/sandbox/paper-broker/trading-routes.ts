import { Hono } from 'hono';
import type { Faults } from '../../home/faults.ts';
import type { BrokerEnv } from './access.ts';
import type { Books } from './account-json.ts';
import { accountRoutes } from './account-routes.ts';
import type { Exchange } from './exchange/exchange.ts';
import { marketRoutes } from './market-routes.ts';
import { contractRoutes } from './options/contract-routes.ts';
import { orderRoutes } from './order-routes.ts';
import { positionRoutes } from './position-routes.ts';

export interface TradingOptions {
  books: Books;
  exchange: Exchange;
  faults: Faults;
  now: () => number;
}

/** The part of Alpaca's Trading API v2 that is simulated. */
export function tradingRoutes({ books, exchange, faults, now }: TradingOptions): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v2/*', async (_context, next) => {
    exchange.settle();
    return next();
  });
  app.route('/', accountRoutes(books, now));
  app.route('/', positionRoutes(books, exchange, now));
  app.route('/', orderRoutes({ orders: books.orders, exchange, faults }));
  app.route('/', marketRoutes(books.market, now));
  app.route('/', contractRoutes(books.market));
  return app;
}
