import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Alpaca, ApiError } from '@alpacahq/alpaca-trade-api';
import { noPrism, startPrism } from '../prism.ts';
import type { World } from './paper-broker-world.ts';

export { startPrism, stopPrisms } from '../prism.ts';

/**
 * Prism stands between Alpaca's SDK and the paper broker and turns every breach of Alpaca's OpenAPI contract, in
 * request or response, into an error. The contracts are not part of this repository: the folder that holds them is
 * named by TRADE_AGENT_SPECS, or lies beside the checkout.
 */
const root = resolve(import.meta.dirname, '../../..');
const specs = process.env.TRADE_AGENT_SPECS ?? resolve(root, '../shared/specs');
export const missing = !existsSync(join(specs, 'alpaca-trading-api.json'))
  ? `Alpaca's contracts are not in ${specs}; name their folder in TRADE_AGENT_SPECS`
  : noPrism;
if (missing !== undefined) console.warn(`skipped: the paper broker against Alpaca's contract, because ${missing}`);

/** What Alpaca took out of the API in July 2026. */
const PATTERN_DAY_TRADER = ['pattern_day_trader', 'daytrade_count', 'daytrading_buying_power'];
/** Schemas that may have no member beyond those named, so that an invented one is a breach too. */
const CLOSED = `
  Account Order OrderLeg Position Assets PortfolioHistory legacy_clock legacy_calendar_day
  TradingActivities NonTradeActivities CanceledOrderResponse Watchlist WatchlistWithoutAsset news
  news_resp cash_dividend forward_split reverse_split spin_off cash_merger stock_merger
  stock_and_cash_merger name_change corporate_actions corporate_actions_resp AccountConfigurations
  OptionContract OptionDeliverable crypto_quote crypto_trade crypto_bar crypto_snapshot crypto_bars_resp
  crypto_latest_quotes_resp option_quote option_trade option_bar option_snapshot option_greeks
  option_snapshots_resp option_latest_quotes_resp stock_quote stock_trade stock_bar stock_bars_resp
  stock_latest_quotes_resp stock_latest_trades_resp
`;

interface Spec {
  security: unknown;
  components: {
    securitySchemes: unknown;
    schemas: Record<string, { properties?: Record<string, unknown>; additionalProperties?: boolean }>;
  };
}

/** @param access by what requests are let in: by tokens, or as the contract has it, by key pairs */
export function patchedSpec(name: string, folder: string, access: 'token' | 'key_pair' = 'token'): string {
  const spec = JSON.parse(readFileSync(join(specs, name), 'utf8')) as Spec;
  if (access === 'token') {
    spec.components.securitySchemes = { bearer: { type: 'http', scheme: 'bearer' } };
    spec.security = [{ bearer: [] }];
  }
  for (const schema of CLOSED.trim().split(/\s+/)) {
    const closed = spec.components.schemas[schema];
    if (closed !== undefined) closed.additionalProperties = false;
  }
  // Alpaca's own example of a leg has what its schema of one leaves out.
  const { Order: order, OrderLeg: leg } = spec.components.schemas;
  if (leg !== undefined) leg.properties = { ...order?.properties, ...leg.properties };
  for (const field of PATTERN_DAY_TRADER) delete spec.components.schemas.Account?.properties?.[field];
  const file = join(folder, `${access}-${name}`);
  writeFileSync(file, JSON.stringify(spec));
  return file;
}

export type Connect = (username?: 'alice' | 'bob') => Promise<Alpaca>;

export async function behindPrism(world: World, folder: string): Promise<Connect> {
  const [trading, data] = await Promise.all([
    startPrism(patchedSpec('alpaca-trading-api.json', folder), world.url),
    startPrism(patchedSpec('alpaca-market-data-api.json', folder), world.url),
  ]);
  return async (username) =>
    new Alpaca({
      accessToken: await world.token(username),
      rateLimit: false,
      retry: false,
      fetchApi: (input, init) => {
        const asked = new URL(input);
        const proxy = asked.hostname.startsWith('data.') ? data : trading;
        return fetch(new URL(asked.pathname + asked.search, proxy), init);
      },
    });
}

/** The body of a 500 names the breach; without it a failure would be a riddle. */
export const within = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const body = await error.response?.text().catch(() => '');
    throw new Error(`${error.status} ${error.message} ${body}`, { cause: error });
  }
};
