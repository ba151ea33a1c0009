import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { tradingDaySchema } from '../../trading/activity.ts';
import { type ListedContract, listedContractSchema } from '../../trading/listed-contract.ts';
import { articleSchema, corporateActionSchema } from '../../trading/market-news.ts';
import { assetSchema, type BarAdjustment, barSchema, clockSchema, quoteSchema } from '../../trading/views.ts';
import type { GatewayRequests } from './gateway-requests.ts';

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

export function ofMarket({ read }: GatewayRequests) {
  return {
    /** In the order asked. @throws {TradeAgentError} `unknown_symbol` */
    quotes: async (symbols: readonly string[]) => {
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
    /**
     * Oldest first, at most the last 1000. `start` and `end` in epoch milliseconds; `adjustment` defaults to splits.
     */
    bars: async ({
      symbol,
      timeframe,
      start,
      end,
      adjustment = 'split',
    }: {
      symbol: string;
      timeframe: '1Day' | '1Hour';
      start: number;
      end?: number;
      adjustment?: BarAdjustment;
    }) => {
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
    /** Best match first. */
    searchAssets: async (search: string) =>
      (
        await read(
          `/v1/assets?${new URLSearchParams({ search })}`,
          z.object({ assets: z.array(z.object({ symbol: z.string(), name: z.string() })) }),
          MARKET_READ,
        )
      ).assets,
    asset: (symbol: string) => read(`/v1/assets/${encodeURIComponent(symbol)}`, assetSchema, MARKET_READ),
    /** By expiry and strike; `more` if incomplete. */
    optionContracts: (query: OptionContractQuery) => {
      const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, String(value)]],
      );
      return read(
        `/v1/option-contracts?${new URLSearchParams(given)}`,
        z.object({ contracts: z.array(listedContractSchema), more: z.boolean() }),
        MARKET_READ,
      );
    },
    /** Newest first; of the whole market without symbols. Outside text. */
    news: async ({ symbols, limit }: { symbols: readonly string[]; limit: number }) => {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
      });
      return (await read(`/v1/news?${query}`, z.object({ news: z.array(articleSchema) }), MARKET_READ)).news;
    },
    /** Inclusive, earliest first; `more` if incomplete. */
    corporateActions: ({
      symbols,
      start,
      end,
      limit,
    }: {
      symbols: readonly string[];
      start: string;
      end: string;
      limit: number;
    }) =>
      read(
        `/v1/corporate-actions?${new URLSearchParams({ symbols: symbols.join(','), start, end, limit: String(limit) })}`,
        z.object({ actions: z.array(corporateActionSchema), more: z.boolean() }),
        MARKET_READ,
      ),
    clock: () => read('/v1/clock', clockSchema, MARKET_READ),
    /** Inclusive. */
    calendar: async ({ start, end }: { start: string; end: string }) =>
      (
        await read(
          `/v1/calendar?${new URLSearchParams({ start, end })}`,
          z.object({ days: z.array(tradingDaySchema) }),
          MARKET_READ,
        )
      ).days,
  };
}
