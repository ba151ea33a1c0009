import { z } from 'zod';

/** SnapTrade follows Yahoo's tickers: a class of shares has a "-" (`BRK-B`), another country's exchange a suffix with ".". */
export const theirSymbol = (symbol: string): string => symbol.replace('.', '-');
export const ourSymbol = (symbol: string): string =>
  symbol.includes('.') ? symbol : symbol.replace('-', '.');

/** A security as SnapTrade knows it: `UniversalSymbol`. */
export const universalSymbol = z.object({
  symbol: z.string(),
  description: z.string().nullish(),
  currency: z.object({ code: z.string().optional() }).nullish(),
  exchange: z.object({ code: z.string().optional() }).nullish(),
  type: z.object({ code: z.string().optional(), is_supported: z.boolean().optional() }).nullish(),
});
