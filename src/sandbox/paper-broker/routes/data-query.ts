import type { Context } from 'hono';
import type { z } from 'zod';
import { newYorkInstant } from '../../../trading/new-york-time.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import { MarketDataError } from '../books/broker-error.ts';
import type { BrokerEnv } from './access.ts';

const MAX_SYMBOLS = 500;

export function parseSymbols(context: Context<BrokerEnv>): string[] {
  const symbols = (context.req.query('symbols') ?? '').split(',').filter((symbol) => symbol !== '');
  if (symbols.length === 0) throw new MarketDataError(400, 'symbols is required');
  if (symbols.length > MAX_SYMBOLS) throw new MarketDataError(400, `at most ${MAX_SYMBOLS} symbols`);
  return symbols.map(requireSymbolParameter);
}

export function requireSymbolParameter(symbol: string): string {
  if (!/^[A-Za-z0-9./]{1,24}$/.test(symbol)) throw new MarketDataError(400, `invalid symbol: ${symbol}`);
  return symbol.toUpperCase();
}

export function mapSymbols<T>(
  context: Context<BrokerEnv>,
  market: Market,
  one: (quote: MarketQuote) => T,
): Record<string, T> {
  return Object.fromEntries(
    parseSymbols(context).flatMap((symbol) => {
      const quote = market.quote(symbol);
      return quote === undefined ? [] : [[symbol, one(quote)]];
    }),
  );
}

/** Parses an RFC 3339 time. A date without a time means midnight in New York. */
export function parseTime(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return newYorkInstant(text, '00:00');
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new MarketDataError(400, `invalid ${name}`);
  return at;
}

export function parseQuery<Schema extends z.ZodType>(schema: Schema, context: Context<BrokerEnv>): z.output<Schema> {
  const read = schema.safeParse(context.req.query());
  if (read.success) return read.data;
  throw new MarketDataError(400, `invalid ${String(read.error.issues[0]?.path[0])}`);
}

export const formatTimestamp = (at: number): string => new Date(at).toISOString();

/** Returns a crypto quote as JSON. Quotes of other assets also have these members. */
export function cryptoQuoteJson({ at, ask, askSize, bid, bidSize }: MarketQuote) {
  return { t: formatTimestamp(at), ap: Number(ask), as: askSize, bp: Number(bid), bs: bidSize };
}

export function paginate<Row>(rows: readonly Row[], limit: number, token: string | undefined) {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isSafeInteger(from) || from < 0) throw new MarketDataError(400, 'invalid page_token');
  const next = from + limit < rows.length ? Buffer.from(String(from + limit)).toString('base64url') : null;
  return { rows: rows.slice(from, from + limit), next };
}
