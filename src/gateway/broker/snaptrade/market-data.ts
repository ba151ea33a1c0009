import { z } from 'zod';
import { price } from '../../../trading/decimal.ts';
import { type Asset, assetSchema, type Quote, quoteSchema } from '../../../trading/views.ts';
import type { Client, Who } from './client.ts';
import { ourSymbol, theirSymbol, universalSymbol } from './symbols.ts';

/** "A maximum of 10 quotes". */
const MOST_QUOTES = 10;

const quotesAnswer = z.array(
  z.object({
    symbol: universalSymbol.optional(),
    last_trade_price: z.number().nullish(),
    bid_price: z.number().nullish(),
    ask_price: z.number().nullish(),
  }),
);

const tick = (value: number | null | undefined) => price(String(value ?? 0));

/** `GET /accounts/{accountId}/quotes`, which may be late by an unknown time. There is no previous close: zero. */
export async function quotesOf(
  client: Client,
  who: Who,
  symbols: readonly string[],
  { simulated, now }: { readonly simulated: boolean; readonly now: () => number },
): Promise<Quote[]> {
  const quotes: Quote[] = [];
  for (let from = 0; from < symbols.length; from += MOST_QUOTES) {
    const asked = symbols.slice(from, from + MOST_QUOTES);
    const at = new Date(now()).toISOString();
    const { data } = await client.trading.getUserAccountQuotes({
      ...who,
      symbols: asked.map(theirSymbol).join(','),
      useTicker: true,
    });
    const rows = quotesAnswer.parse(data);
    for (const symbol of asked) {
      const row = rows.find((one) => one.symbol !== undefined && ourSymbol(one.symbol.symbol) === symbol);
      const last = row?.last_trade_price;
      if (row === undefined || last == null || last <= 0) continue;
      quotes.push(
        quoteSchema.parse({
          symbol,
          name: row.symbol?.description ?? null,
          bid: tick(row.bid_price),
          ask: tick(row.ask_price),
          last: tick(last),
          previous_close: '0',
          at,
          simulated,
        }),
      );
    }
  }
  return quotes;
}

/** `GET /symbols/{query}`. Fractions depend on the brokerage, so none are offered. */
export async function assetOf(client: Client, symbol: string): Promise<Asset> {
  const { data } = await client.referenceData.getSymbolsByTicker({ query: theirSymbol(symbol) });
  const found = universalSymbol.parse(data);
  return assetSchema.parse({
    symbol: ourSymbol(found.symbol),
    name: found.description ?? symbol,
    exchange: found.exchange?.code ?? '',
    tradable: found.currency?.code === 'USD' && found.type?.is_supported !== false,
    fractionable: false,
    shortable: false,
  });
}
