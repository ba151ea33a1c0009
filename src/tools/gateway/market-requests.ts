import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { tradingDaySchema } from '../../trading/activity.ts';
import { type ListedContract, listedContractSchema } from '../../trading/listed-contract.ts';
import { articleSchema, corporateActionSchema } from '../../trading/market-news.ts';
import { assetSchema, type BarAdjustment, barSchema, clockSchema, quoteSchema } from '../../trading/views.ts';
import { type GatewayRequests, withQuery } from './gateway-requests.ts';

const [MARKET_READ] = READ_SCOPES;

export type MarketRequests = ReturnType<typeof ofMarket>;

/** Inclusive; the gateway has defaults. */
export interface OptionContractQuery {
  readonly underlying: string;
  readonly expires_from?: string | undefined;
  readonly expires_to?: string | undefined;
  readonly right?: ListedContract['right'] | undefined;
  readonly strike_from?: string | undefined;
  readonly strike_to?: string | undefined;
  readonly limit?: number | undefined;
}

interface BarQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour';
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end?: number;
  /** Defaults to splits. */
  readonly adjustment?: BarAdjustment;
}

const foundAssetSchema = z.object({ symbol: z.string(), name: z.string() });

export function ofMarket({ read, list }: GatewayRequests) {
  return {
    /** In the order asked. @throws {TradeAgentError} `unknown_symbol` */
    quotes: async (symbols: readonly string[]) => {
      const path = `/v1/quotes?symbols=${symbols.map(encodeURIComponent).join(',')}`;
      const quotes = await list(path, 'quotes', quoteSchema, MARKET_READ);
      return symbols.map((symbol) => {
        const quote = quotes.find((candidate) => candidate.symbol === symbol);
        if (quote !== undefined) return quote;
        throw new TradeAgentError('unknown_symbol', `there is no quote for ${symbol}`, {
          hint: 'Check the ticker symbol.',
          details: { symbol },
        });
      });
    },
    /** Oldest first, at most the last 1000. */
    bars: ({ symbol, timeframe, start, end, adjustment = 'split' }: BarQuery) => {
      const path = withQuery('/v1/bars', {
        symbol,
        timeframe,
        start: new Date(start).toISOString(),
        end: end === undefined ? undefined : new Date(end).toISOString(),
        limit: 1000,
        adjustment,
      });
      return list(path, 'bars', barSchema, MARKET_READ);
    },
    /** Best match first. */
    searchAssets: (search: string) =>
      list(withQuery('/v1/assets', { search }), 'assets', foundAssetSchema, MARKET_READ),
    asset: (symbol: string) => read(`/v1/assets/${encodeURIComponent(symbol)}`, assetSchema, MARKET_READ),
    /** By expiry and strike; `more` if incomplete. */
    optionContracts: (query: OptionContractQuery) =>
      read(
        withQuery('/v1/option-contracts', { ...query }),
        z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    /** Newest first; of the whole market without symbols. Outside text. */
    news: ({ symbols, limit }: { symbols: readonly string[]; limit: number }) => {
      const path = withQuery('/v1/news', { limit, symbols: symbols.join(',') || undefined });
      return list(path, 'news', articleSchema, MARKET_READ);
    },
    /** Inclusive, earliest first; `more` if incomplete. */
    corporateActions: ({ symbols, ...query }: CorporateActionQuery) =>
      read(
        withQuery('/v1/corporate-actions', { symbols: symbols.join(','), ...query }),
        z.object({ actions: z.array(corporateActionSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    clock: () => read('/v1/clock', clockSchema, MARKET_READ),
    /** Inclusive. */
    calendar: (days: { readonly start: string; readonly end: string }) =>
      list(withQuery('/v1/calendar', days), 'days', tradingDaySchema, MARKET_READ),
  };
}

interface CorporateActionQuery {
  readonly symbols: readonly string[];
  readonly start: string;
  readonly end: string;
  readonly limit: number;
}
