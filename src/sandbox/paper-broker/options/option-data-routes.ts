import { Hono } from 'hono';
import { z } from 'zod';
import { assetClassOf } from '../../../trading/asset-class.ts';
import { contractOf, listedContracts } from '../../instruments/option-contracts.ts';
import { optionGreeks } from '../../instruments/option-prices.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import { newYorkDate } from '../../market/new-york-time.ts';
import type { BrokerEnv } from '../access.ts';
import { barPages, latestBars } from '../bar-pages.ts';
import { DataError } from '../data-error.ts';
import { parsed } from '../data-pages.ts';
import { ofEach, symbolsOf } from '../data-query.ts';
import { contractQuery, matches, pageFrom } from './contract-query.ts';

const limit = z.coerce.number().int().min(1).max(1000).default(100);
const pageQuery = z.object({ limit, page_token: z.string().optional() });
const chainQuery = contractQuery.extend({ limit });

/** The part of Alpaca's Market Data API v1beta1 of options that is simulated. */
export function optionDataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v1beta1/options/*', async (context, next) => {
    const { feed, symbols } = context.req.query();
    if (feed && feed !== 'opra' && feed !== 'indicative') throw new DataError(400, `invalid feed: ${feed}`);
    const other = symbols && symbolsOf(context).find((symbol) => assetClassOf(symbol) !== 'us_option');
    if (other) throw new DataError(400, `invalid symbol: ${other}`);
    return next();
  });

  const snapshot = (of: MarketQuote) => {
    const contract = contractOf(market, of.symbol);
    return {
      latestTrade: tradeJson(of),
      latestQuote: quoteJson(of),
      ...latestBars(market, of.symbol, now()),
      ...(contract && optionGreeks(market, contract)),
    };
  };
  const snapshots = (symbols: Iterable<string>, query: z.output<typeof pageQuery>) => {
    const { page, next } = pageFrom(symbols, query.limit, query.page_token);
    const found = page.flatMap((symbol) => {
      const quote = market.quote(symbol);
      return quote === undefined ? [] : [[symbol, snapshot(quote)] as const];
    });
    return { snapshots: Object.fromEntries(found), next_page_token: next };
  };

  app.get('/v1beta1/options/quotes/latest', (context) =>
    context.json({ quotes: ofEach(context, market, quoteJson) }),
  );
  app.get('/v1beta1/options/trades/latest', (context) =>
    context.json({ trades: ofEach(context, market, tradeJson) }),
  );
  app.get('/v1beta1/options/bars', (context) => context.json(barPages(context, market, symbolsOf(context))));
  app.get('/v1beta1/options/snapshots', (context) =>
    context.json(snapshots(symbolsOf(context), parsed(pageQuery, context))),
  );
  app.get('/v1beta1/options/snapshots/:underlying', (context) => {
    const underlying = market.symbol(context.req.param('underlying').toUpperCase());
    const query = parsed(chainQuery, context);
    const chain = listedContracts(market, underlying === undefined ? [] : [underlying], newYorkDate(now()));
    const symbols = [...chain].filter((contract) => matches(contract, query)).map(({ symbol }) => symbol);
    return context.json(snapshots(symbols, query));
  });
  return app;
}

const time = (at: number) => new Date(at).toISOString();

function quoteJson({ at, ask, askSize, bid, bidSize }: MarketQuote) {
  return {
    t: time(at),
    ax: 'C',
    ap: Number(ask),
    as: askSize,
    bx: 'C',
    bp: Number(bid),
    bs: bidSize,
    c: 'A',
  };
}

function tradeJson({ at, last }: MarketQuote) {
  return { t: time(at), x: 'C', p: Number(last), s: 1, c: 'a' };
}
