import { Hono } from 'hono';
import { z } from 'zod';
import {
  contractOf,
  expiresAt,
  isListed,
  type ListedContract,
  listedContracts,
} from '../../instruments/option-contracts.ts';
import type { Market } from '../../market/market.ts';
import { newYorkDate } from '../../market/new-york-time.ts';
import { hashText } from '../../market/price-path.ts';
import type { BrokerEnv } from '../access.ts';
import { badParameter, notFound } from '../broker-error.ts';
import { assetId } from '../tradable-asset.ts';
import { contractQuery, matches, pageFrom, upcomingWeekend } from './contract-query.ts';

const listQuery = contractQuery.extend({
  underlying_symbols: z.string().optional(),
  status: z.enum(['active', 'inactive']).default('active'),
  style: z.enum(['american', 'european']).default('american'),
  show_deliverables: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().min(1).max(10_000).default(100),
});

/** Which options there are (Alpaca's Trading API, `/v2/options/contracts`). */
export function contractRoutes(market: Market): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v2/options/contracts', (context) => {
    const read = listQuery.safeParse(context.req.query());
    if (!read.success) throw badParameter(`invalid ${String(read.error.issues[0]?.path[0])}`);
    const { underlying_symbols, status, style, limit, page_token, show_deliverables } = read.data;
    // Contracts that were ended early, and European ones: there are none.
    if (status === 'inactive' || style === 'european') {
      return context.json({ option_contracts: [], next_page_token: null });
    }
    const today = newYorkDate(market.now());
    const days = [read.data.expiration_date, read.data.expiration_date_gte, read.data.expiration_date_lte];
    const asked = days.some((day) => day !== undefined)
      ? read.data
      : { ...read.data, expiration_date_lte: upcomingWeekend(today) };
    const underlyings =
      underlying_symbols === undefined
        ? market.symbols()
        : underlying_symbols.split(',').flatMap((symbol) => market.symbol(symbol.toUpperCase()) ?? []);
    const found = listedContracts(market, underlyings, today);
    const { page, next } = pageFrom(filtered(found, asked), limit, page_token);
    const deliverables = show_deliverables === 'true';
    return context.json({
      option_contracts: page.map((contract) => contractJson(market, contract, deliverables)),
      next_page_token: next,
    });
  });

  app.get('/v2/options/contracts/:symbol', (context) => {
    const wanted = context.req.param('symbol');
    const contract = contractOf(market, wanted.toUpperCase());
    if (contract === undefined) throw notFound(`option contract not found for ${wanted}`);
    return context.json(contractJson(market, contract, true));
  });

  return app;
}

function* filtered(found: Iterable<ListedContract>, query: Parameters<typeof matches>[1]) {
  for (const contract of found) if (matches(contract, query)) yield contract;
}

/** The OptionContract schema. */
function contractJson(market: Market, contract: ListedContract, deliverables: boolean) {
  const { symbol, underlying, expiry, right, strike } = contract;
  const tradable = market.now() < expiresAt(market, contract) && isListed(market, contract);
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
    ...(deliverables && { deliverables: [deliverableOf(underlying)] }),
  };
}

function deliverableOf(underlying: string) {
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
