import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { type TradingDay, tradingDaySchema } from '../../trading/activity.ts';
import type { NamedAsset } from '../../trading/asset-name.ts';
import { type ListedContract, listedContractSchema } from '../../trading/listed-contract.ts';
import {
  type Article,
  articleSchema,
  type CorporateAction,
  corporateActionSchema,
} from '../../trading/market-news.ts';
import {
  type Asset,
  assetSchema,
  type Bar,
  type BarAdjustment,
  barSchema,
  clockSchema,
  type MarketClock,
  type Quote,
  quoteSchema,
} from '../../trading/views.ts';
import type { GatewayRequests } from './gateway-requests.ts';

const [MARKET_READ] = READ_SCOPES;

/** Prices and hours. */
export interface MarketRequests {
  /** In the order asked. @throws {TradeAgentError} `unknown_symbol` */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  /**
   * Prices over time, oldest first. `start` and `end` in milliseconds since the epoch; at most 1000 bars up to there.
   * `adjustment`: by splits, unless said otherwise.
   */
  bars(query: {
    symbol: string;
    timeframe: '1Day' | '1Hour';
    start: number;
    end?: number;
    adjustment?: BarAdjustment;
  }): Promise<Bar[]>;
  /** What is traded under a name or a symbol, the likeliest first. */
  searchAssets(search: string): Promise<NamedAsset[]>;
  /** @throws {TradeAgentError} `unknown_symbol` */
  asset(symbol: string): Promise<Asset>;
  /** Option contracts on a share, by expiry and strike; `more` where that is not all. */
  optionContracts(query: OptionContractQuery): Promise<{ contracts: ListedContract[]; more: boolean }>;
  clock(): Promise<MarketClock>;
  /** Trading days from one date to another, both included. */
  calendar(query: { start: string; end: string }): Promise<TradingDay[]>;
  /** The newest first; of the whole market where no symbols are given. Others' words: data. */
  news(query: { symbols: readonly string[]; limit: number }): Promise<Article[]>;
  /** What is booked from one date to another, both included, the earliest first; `more` where that is not all. */
  corporateActions(query: {
    symbols: readonly string[];
    start: string;
    end: string;
    limit: number;
  }): Promise<{ actions: CorporateAction[]; more: boolean }>;
}

/** Dates and strikes both included; what is left out is the gateway's default. */
export interface OptionContractQuery {
  readonly underlying: string;
  readonly expires_from?: string | undefined;
  readonly expires_to?: string | undefined;
  readonly right?: ListedContract['right'] | undefined;
  readonly strike_from?: string | undefined;
  readonly strike_to?: string | undefined;
  readonly limit?: number | undefined;
}

export function ofMarket({ read }: GatewayRequests): MarketRequests {
  return {
    quotes: async (symbols) => {
      const list = symbols.map(encodeURIComponent).join(',');
      const { quotes } = await read(
        `/v1/quotes?symbols=${list}`,
        z.object({ quotes: z.array(quoteSchema) }),
        MARKET_READ,
      );
      return symbols.map((symbol) => {
        const quote = quotes.find((candidate) => candidate.symbol === symbol);
        if (quote !== undefined) return quote;
        throw new TradeAgentError('unknown_symbol', `there is no quote for ${symbol}`, {
          hint: 'Check the ticker symbol.',
          details: { symbol },
        });
      });
    },
    bars: async ({ symbol, timeframe, start, end, adjustment = 'split' }) => {
      const query = new URLSearchParams({
        symbol,
        timeframe,
        start: new Date(start).toISOString(),
        ...(end === undefined ? {} : { end: new Date(end).toISOString() }),
        limit: '1000',
        adjustment,
      });
      return (await read(`/v1/bars?${query}`, z.object({ bars: z.array(barSchema) }), MARKET_READ)).bars;
    },
    searchAssets: async (search) =>
      (
        await read(
          `/v1/assets?${new URLSearchParams({ search })}`,
          z.object({ assets: z.array(z.object({ symbol: z.string(), name: z.string() })) }),
          MARKET_READ,
        )
      ).assets,
    asset: (symbol) => read(`/v1/assets/${encodeURIComponent(symbol)}`, assetSchema, MARKET_READ),
    optionContracts: (query) => {
      const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, String(value)]],
      );
      return read(
        `/v1/option-contracts?${new URLSearchParams(given)}`,
        z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }),
        MARKET_READ,
      );
    },
    news: async ({ symbols, limit }) => {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
      });
      return (await read(`/v1/news?${query}`, z.object({ news: z.array(articleSchema) }), MARKET_READ)).news;
    },
    corporateActions: ({ symbols, start, end, limit }) =>
      read(
        `/v1/corporate-actions?${new URLSearchParams({ symbols: symbols.join(','), start, end, limit: String(limit) })}`,
        z.object({ actions: z.array(corporateActionSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    clock: () => read('/v1/clock', clockSchema, MARKET_READ),
    calendar: async ({ start, end }) =>
      (
        await read(
          `/v1/calendar?${new URLSearchParams({ start, end })}`,
          z.object({ days: z.array(tradingDaySchema) }),
          MARKET_READ,
        )
      ).days,
  };
}
