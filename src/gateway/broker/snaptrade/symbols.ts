import { z } from 'zod';

/** Converts to Yahoo's symbol, which has "-" before a share class (`BRK-B`) and "." before a foreign exchange. */
export const toYahooSymbol = (symbol: string): string => symbol.replace('.', '-');
export const fromYahooSymbol = (symbol: string): string => (symbol.includes('.') ? symbol : symbol.replace('-', '.'));

export const universalSymbolSchema = z.object({
  symbol: z.string(),
  description: z.string().nullish(),
  currency: z.object({ code: z.string().optional() }).nullish(),
  exchange: z.object({ code: z.string().optional() }).nullish(),
  type: z.object({ code: z.string().optional(), is_supported: z.boolean().optional() }).nullish(),
});
