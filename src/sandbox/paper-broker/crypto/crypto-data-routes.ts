import { type Context, Hono } from 'hono';
import { assetClassOf } from '../../../trading/asset-class.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import type { BrokerEnv } from '../access.ts';
import { barPages, latestBars } from '../bar-pages.ts';
import { DataError } from '../data-error.ts';
import { ofEach, symbolsOf } from '../data-query.ts';

const places = ['us', 'us-1', 'us-2', 'eu-1', 'bs-1'];

/** The part of Alpaca's Market Data API v1beta3 of crypto that is simulated; every place trades the same. */
export function cryptoDataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const base = '/v1beta3/crypto/:loc';
  app.use(`${base}/*`, async (context, next) => {
    if (!places.includes(context.req.param('loc'))) throw new DataError(400, 'invalid location');
    const other = symbolsOf(context).find((symbol) => assetClassOf(symbol) !== 'crypto');
    if (other !== undefined)
      throw new DataError(400, `invalid symbol: ${other} does not match the crypto pattern`);
    return next();
  });
  const snapshot = (of: MarketQuote) => ({
    latestTrade: tradeJson(of),
    latestQuote: quoteJson(of),
    ...latestBars(market, of.symbol, now()),
  });
  const latestBar = (context: Context<BrokerEnv>) =>
    Object.fromEntries(
      symbolsOf(context).flatMap((symbol) => {
        const { minuteBar } = latestBars(market, symbol, now());
        return minuteBar === undefined ? [] : [[symbol, minuteBar]];
      }),
    );

  app.get(`${base}/latest/quotes`, (context) => context.json({ quotes: ofEach(context, market, quoteJson) }));
  app.get(`${base}/latest/trades`, (context) => context.json({ trades: ofEach(context, market, tradeJson) }));
  app.get(`${base}/latest/bars`, (context) => context.json({ bars: latestBar(context) }));
  app.get(`${base}/snapshots`, (context) => context.json({ snapshots: ofEach(context, market, snapshot) }));
  app.get(`${base}/bars`, (context) => context.json(barPages(context, market, symbolsOf(context))));
  return app;
}

const time = (at: number) => new Date(at).toISOString();

function quoteJson({ at, ask, askSize, bid, bidSize }: MarketQuote) {
  return { t: time(at), ap: Number(ask), as: askSize, bp: Number(bid), bs: bidSize };
}

function tradeJson({ at, last }: MarketQuote) {
  return { t: time(at), p: Number(last), s: 0.1, i: Math.floor(at / 1000), tks: 'B' };
}
