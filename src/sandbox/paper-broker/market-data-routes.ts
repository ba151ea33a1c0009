import { Hono } from 'hono';
import type { Market } from '../market/market.ts';
import type { BrokerEnv } from './access.ts';
import { corporateActionRoutes } from './corporate-actions/corporate-action-routes.ts';
import { cryptoDataRoutes } from './crypto/crypto-data-routes.ts';
import { dataRoutes } from './data-routes.ts';
import { newsRoutes } from './news-routes.ts';
import { optionDataRoutes } from './options/option-data-routes.ts';

/** What Alpaca's Market Data API answers. @param market with coins and options @param stocks without */
export function marketDataRoutes(market: Market, stocks: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.route('/', cryptoDataRoutes(market, now));
  app.route('/', optionDataRoutes(market, now));
  app.route('/', dataRoutes(stocks, now));
  app.route('/', newsRoutes(stocks, now));
  app.route('/', corporateActionRoutes(stocks, now));
  return app;
}
