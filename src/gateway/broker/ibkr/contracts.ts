import { z } from 'zod';
import type { RestClient } from '../rest-client.ts';

export interface StockContract {
  readonly conid: number;
  readonly name: string;
  readonly exchange: string;
}

const stocksAnswer = z.record(
  z.string(),
  z.array(
    z.object({
      name: z.string(),
      assetClass: z.string(),
      contracts: z.array(z.object({ conid: z.number().int(), exchange: z.string(), isUS: z.boolean() })),
    }),
  ),
);

/** Converts to IBKR's symbol, which has a space before the share class: `BRK B`. */
const toIbkrSymbol = (symbol: string): string => symbol.replace('.', ' ');
export const fromIbkrSymbol = (symbol: string): string => symbol.replace(' ', '.');

/** Maximum number of cached contracts. Without this limit, anyone could fill the memory with requests. */
const MAX_CACHED_CONTRACTS = 20_000;

/** Returns the contracts by our symbols. The map has no entry for an unknown symbol. */
export type FindContracts = (symbols: readonly string[]) => Promise<ReadonlyMap<string, StockContract>>;

/**
 * Finds US stocks with `GET /trsrv/stocks`. Caches them, because a contract's ID never changes. A symbol with two
 * contracts counts as unknown, because choosing one of them would be a guess.
 */
export function createContractLookup(client: RestClient): FindContracts {
  const known = new Map<string, StockContract>();
  return async (symbols) => {
    const missing = symbols.filter((symbol) => !known.has(symbol));
    if (missing.length > 0) {
      const query = { symbols: missing.map(toIbkrSymbol).join(',') };
      const answer = stocksAnswer.parse(await client('/trsrv/stocks', { query }));
      if (known.size > MAX_CACHED_CONTRACTS) known.clear();
      for (const symbol of missing) {
        const [found, ...others] = (answer[toIbkrSymbol(symbol)] ?? []).flatMap(({ name, assetClass, contracts }) =>
          assetClass === 'STK'
            ? contracts.filter(({ isUS }) => isUS).map(({ conid, exchange }) => ({ conid, exchange, name }))
            : [],
        );
        if (found !== undefined && others.length === 0) known.set(symbol, found);
      }
    }
    return new Map(
      symbols.flatMap((symbol) => {
        const contract = known.get(symbol);
        return contract === undefined ? [] : [[symbol, contract]];
      }),
    );
  };
}
