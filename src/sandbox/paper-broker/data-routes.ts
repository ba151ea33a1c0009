import { type Context, Hono } from 'hono';
import type { Market, MarketQuote } from '../market/market.ts';
import type { BrokerEnv } from './access.ts';
import { barPages, latestBars } from './bar-pages.ts';
import { DataError } from './data-error.ts';
import { checkedSymbol, ofEach, symbolsOf } from './data-query.ts';

const feeds = ['iex', 'sip', 'otc', 'boats', 'delayed_sip', 'overnight'];

/** The part of Alpaca's Market Data API v2 that is simulated. Prices are JSON numbers, as the contract wants. */
export function dataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v2/stocks/*', async (context, next) => {
    const { feed, currency } = context.req.query();
    if (feed && !feeds.includes(feed)) throw new DataError(400, `invalid feed: ${feed}`);
    if (currency && currency !== 'USD') throw new DataError(400, `invalid currency: ${currency}`);
    return next();
  });

  const ofOne = (context: Context<BrokerEnv>, what: string): MarketQuote => {
    const quote = market.quote(checkedSymbol(context.req.param('symbol') ?? ''));
    if (quote === undefined) throw new DataError(404, `no ${what} found for ${context.req.param('symbol')}`);
    return quote;
  };
  const quote = (of: MarketQuote) => quoteJson(of, tape(market, of.symbol));
  const trade = (of: MarketQuote) => tradeJson(of, tape(market, of.symbol));
  const snapshot = (of: MarketQuote) => snapshotJson(market, of, now());

  app.get('/v2/stocks/quotes/latest', (context) => context.json({ quotes: ofEach(context, market, quote) }));
  app.get('/v2/stocks/trades/latest', (context) => context.json({ trades: ofEach(context, market, trade) }));
  app.get('/v2/stocks/snapshots', (context) => context.json(ofEach(context, market, snapshot)));
  app.get('/v2/stocks/bars', (context) => context.json(barPages(context, market, symbolsOf(context))));

  app.get('/v2/stocks/:symbol/quotes/latest', (context) => {
    const of = ofOne(context, 'quote');
    return context.json({ symbol: of.symbol, quote: quote(of) });
  });
  app.get('/v2/stocks/:symbol/trades/latest', (context) => {
    const of = ofOne(context, 'trade');
    return context.json({ symbol: of.symbol, trade: trade(of) });
  });
  app.get('/v2/stocks/:symbol/snapshot', (context) => {
    const of = ofOne(context, 'snapshot');
    return context.json({ symbol: of.symbol, ...snapshot(of) });
  });
  app.get('/v2/stocks/:symbol/bars', (context) => {
    const symbol = checkedSymbol(context.req.param('symbol'));
    const { bars, next_page_token } = barPages(context, market, [symbol]);
    return context.json({ symbol, bars: bars[symbol] ?? [], next_page_token });
  });

  return app;
}

/** The consolidated tape that reports a listing. */
function tape(market: Market, symbol: string): 'A' | 'B' | 'C' {
  const exchange = market.symbol(symbol)?.exchange;
  return exchange === 'NYSE' ? 'A' : exchange === 'NASDAQ' ? 'C' : 'B';
}

function quoteJson(quote: MarketQuote, z: string) {
  return {
    t: time(quote.at),
    ax: 'V',
    ap: Number(quote.ask),
    as: quote.askSize,
    bx: 'V',
    bp: Number(quote.bid),
    bs: quote.bidSize,
    c: ['R'],
    z,
  };
}

function tradeJson(quote: MarketQuote, z: string) {
  return {
    t: time(quote.at),
    x: 'V',
    p: Number(quote.last),
    s: 100,
    c: ['@'],
    i: Math.floor(quote.at / 1000),
    z,
  };
}

const time = (at: number) => new Date(at).toISOString();

function snapshotJson(market: Market, quote: MarketQuote, now: number) {
  const bars = latestBars(market, quote.symbol, now);
  const z = tape(market, quote.symbol);
  return {
    latestTrade: tradeJson(quote, z),
    latestQuote: quoteJson(quote, z),
    ...bars,
  };
}
