import { Hono } from 'hono';
import { z } from 'zod';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { addDays, type IsoDate, newYorkDate, weekday } from '../../../trading/new-york-time.ts';
import {
  contractExpiresAt,
  findOptionContract,
  isContractListed,
  type ListedContract,
  listOptionContracts,
} from '../../instruments/option-contracts.ts';
import { optionGreeks } from '../../instruments/option-prices.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import { hashText } from '../../market/price-path.ts';
import { MarketDataError, notFoundError, parseBody } from '../books/broker-error.ts';
import { assetId } from '../books/tradable-asset.ts';
import type { BrokerEnv } from './access.ts';
import { barPages, latestBars } from './bar-pages.ts';
import { cryptoQuoteJson, formatTimestamp, mapSymbols, parseQuery, parseSymbols } from './data-query.ts';

const strike = z.coerce.number().nonnegative().optional();
const date = z.iso.date().optional();

const contractQuery = z.object({
  expiration_date: date,
  expiration_date_gte: date,
  expiration_date_lte: date,
  type: z.enum(['call', 'put']).optional(),
  root_symbol: z.string().optional(),
  strike_price_gte: strike,
  strike_price_lte: strike,
  page_token: z.string().optional(),
});

const listQuery = contractQuery.extend({
  underlying_symbols: z.string().optional(),
  status: z.enum(['active', 'inactive']).default('active'),
  style: z.enum(['american', 'european']).default('american'),
  show_deliverables: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
});

export function contractRoutes(market: Market): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/options/contracts', (context) => {
    const query = parseBody(listQuery, context.req.query());
    const { underlying_symbols, status, style, limit, page_token, show_deliverables } = query;
    if (status === 'inactive' || style === 'european') {
      return context.json({ option_contracts: [], next_page_token: null });
    }
    const today = newYorkDate(market.now());
    const days = query.expiration_date ?? query.expiration_date_gte ?? query.expiration_date_lte;
    const asked = days === undefined ? { ...query, expiration_date_lte: upcomingWeekend(today) } : query;
    const underlyings =
      underlying_symbols === undefined
        ? market.symbols()
        : underlying_symbols.split(',').flatMap((symbol) => market.symbol(symbol.toUpperCase()) ?? []);
    const found = listOptionContracts(market, underlyings, today);
    const { page, next } = pageFrom(filtered(found, asked), limit, page_token);
    const deliverables = show_deliverables === 'true';
    return context.json({
      option_contracts: page.map((contract) => contractJson(market, contract, deliverables)),
      next_page_token: next,
    });
  });

  app.get('/v2/options/contracts/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const contract = findOptionContract(market, wanted.toUpperCase());
    if (contract === undefined) throw notFoundError(`option contract not found for ${wanted}`);
    return context.json(contractJson(market, contract, true));
  });

  return app;
}

function* filtered(found: Iterable<ListedContract>, query: Parameters<typeof matches>[1]) {
  for (const contract of found) if (matches(contract, query)) yield contract;
}

function contractJson(market: Market, contract: ListedContract, deliverables: boolean) {
  const { symbol, underlying, expiry, right, strike } = contract;
  const tradable = market.now() < contractExpiresAt(market, contract) && isContractListed(market, contract);
  const closing = newYorkDate(market.previousClosing() - 1);
  return {
    id: assetId(symbol),
    symbol,
    name: `${underlying} ${expiry} ${strike} ${right === 'call' ? 'Call' : 'Put'}`,
    status: tradable ? 'active' : 'inactive',
    tradable,
    expiration_date: expiry,
    root_symbol: underlying,
    underlying_symbol: underlying,
    underlying_asset_id: assetId(underlying),
    type: right,
    style: 'american',
    strike_price: strike,
    multiplier: '100',
    size: '100',
    open_interest: String(hashText(`interest\n${market.seed}\n${symbol}`) % 5000),
    open_interest_date: closing,
    close_price: market.previousClose(symbol) ?? '0',
    close_price_date: closing,
    ...(deliverables && { deliverables: [contractDeliverable(underlying)] }),
  };
}

function contractDeliverable(underlying: string) {
  return {
    type: 'equity',
    symbol: underlying,
    asset_id: assetId(underlying),
    amount: '100',
    allocation_percentage: '100',
    settlement_type: 'T+1',
    settlement_method: 'CCC',
    delayed_settlement: false,
  };
}

type ContractQuery = z.output<typeof contractQuery>;

function matches(contract: ListedContract, query: ContractQuery): boolean {
  const { expiry, right, underlying } = contract;
  const at = Number(contract.strike);
  return (
    (query.expiration_date === undefined || expiry === query.expiration_date) &&
    (query.expiration_date_gte === undefined || expiry >= query.expiration_date_gte) &&
    (query.expiration_date_lte === undefined || expiry <= query.expiration_date_lte) &&
    (query.type === undefined || right === query.type) &&
    (query.root_symbol === undefined || underlying === query.root_symbol) &&
    (query.strike_price_gte === undefined || at >= query.strike_price_gte) &&
    (query.strike_price_lte === undefined || at <= query.strike_price_lte)
  );
}

const SATURDAY = 6;
const upcomingWeekend = (today: IsoDate): IsoDate => addDays(today, (SATURDAY - weekday(today) + 7) % 7);

function pageFrom<T>(found: Iterable<T>, limit: number, token: string | undefined) {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  const page: T[] = [];
  let index = 0;
  for (const one of found) {
    if (index++ < from) continue;
    if (page.length === limit) {
      return { page, next: Buffer.from(String(from + limit)).toString('base64url') };
    }
    page.push(one);
  }
  return { page, next: null };
}

const limit = z.coerce.number().int().min(1).max(1000).default(100);
const pageQuery = z.object({ limit, page_token: z.string().optional() });
const chainQuery = contractQuery.extend({ limit });

export function optionDataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v1beta1/options/*', async (context, next) => {
    const { feed, symbols } = context.req.query();
    if (feed && feed !== 'opra' && feed !== 'indicative') throw new MarketDataError(400, `invalid feed: ${feed}`);
    const other = symbols && parseSymbols(context).find((symbol) => symbolAssetClass(symbol) !== 'us_option');
    if (other) throw new MarketDataError(400, `invalid symbol: ${other}`);
    return next();
  });

  const snapshot = (of: MarketQuote) => {
    const contract = findOptionContract(market, of.symbol);
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
    context.json({ quotes: mapSymbols(context, market, quoteJson) }),
  );
  app.get('/v1beta1/options/trades/latest', (context) =>
    context.json({ trades: mapSymbols(context, market, tradeJson) }),
  );
  app.get('/v1beta1/options/bars', (context) => context.json(barPages(context, market, parseSymbols(context))));
  app.get('/v1beta1/options/snapshots', (context) =>
    context.json(snapshots(parseSymbols(context), parseQuery(pageQuery, context))),
  );
  app.get('/v1beta1/options/snapshots/:underlying', (context) => {
    const underlying = market.symbol(context.req.param('underlying').toUpperCase());
    const query = parseQuery(chainQuery, context);
    const chain = listOptionContracts(market, underlying === undefined ? [] : [underlying], newYorkDate(now()));
    const symbols = [...chain].filter((contract) => matches(contract, query)).map(({ symbol }) => symbol);
    return context.json(snapshots(symbols, query));
  });
  return app;
}

function quoteJson(quote: MarketQuote) {
  return { ...cryptoQuoteJson(quote), ax: 'C', bx: 'C', c: 'A' };
}

function tradeJson({ at, last }: MarketQuote) {
  return { t: formatTimestamp(at), x: 'C', p: Number(last), s: 1, c: 'a' };
}
