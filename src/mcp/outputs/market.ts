import { z } from 'zod';
import { tradingDaysSchema } from '../../tools/result-schemas.ts';
import { decimalString } from '../../trading/decimal.ts';
import { listedContractSchema } from '../../trading/listed-contract.ts';
import { articleSchema, corporateActionSchema } from '../../trading/market-news.ts';
import { assetSchema, clockSchema, quoteSchema } from '../../trading/views.ts';

/* The fields of the results of tools about the market. */

export const quotesOutput = z.object({ quotes: z.array(quoteSchema) });

const prices = z.array(decimalString);
const barColumns = z.object({ open: prices, high: prices, low: prices, close: prices, volume: prices });

export const barsOutput = z.object({
  symbol: z.string(),
  timeframe: z.string(),
  bars: z.union([barColumns.extend({ date: z.array(z.string()) }), barColumns.extend({ at: z.array(z.string()) })]),
  left_out: z.int().optional(),
});

export const clockOutput = clockSchema.unwrap();

export const calendarOutput = tradingDaysSchema;

export const symbolsOutput = z.object({
  results: z.array(
    z.object({ query: z.string(), assets: z.array(z.object({ symbol: z.string(), name: z.string() })) }),
  ),
});

export const assetOutput = z.object({ asset: assetSchema });

export const optionContractsOutput = z.object({ contracts: z.array(listedContractSchema), more: z.boolean() });

export const newsOutput = z.object({ news: z.array(articleSchema), simulated: z.boolean() });

export const corporateActionsOutput = z.object({
  today: z.string(),
  start: z.string(),
  end: z.string(),
  actions: z.array(corporateActionSchema),
  more: z.boolean(),
  simulated: z.boolean(),
});
