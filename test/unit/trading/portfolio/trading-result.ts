import { Dec } from '../../../../src/trading/decimal.ts';
import { replayLots } from '../../../../src/trading/portfolio/lot-history-replay.ts';
import type { Lot, LotMethod } from '../../../../src/trading/portfolio/lot-pool.ts';
import type { Fill, ShareExchange } from '../../../../src/trading/portfolio/trades.ts';
import type { Position } from '../../../../src/trading/views.ts';

export interface TradingResult {
  /** Shares held whose cost is known, less those owed. */
  readonly qty: Dec;
  /** Dollars they cost, less what those owed were sold for. */
  readonly cost: Dec;
  readonly realized: Dec;
  /** Shares sold or given back of which nobody told what was paid. */
  readonly uncovered: Dec;
  readonly isUncertain: boolean;
}

export function tradingResults(
  fills: readonly Fill[],
  method: LotMethod,
  exchanges: readonly ShareExchange[] = [],
  positions?: readonly Position[],
): Map<string, TradingResult> {
  const { closings, open, uncertain } = replayLots({ fills, exchanges }, method, {
    washSales: false,
    ...(positions === undefined ? {} : { positions }),
  });
  return new Map(
    [...open].map(([symbol, { long, short }]) => {
      const own = closings.filter((one) => one.symbol === symbol);
      const known = own.flatMap(({ proceeds, cost }) => (proceeds && cost ? [proceeds.minus(cost)] : []));
      const unknown = own.filter(({ proceeds, cost }) => proceeds === undefined || cost === undefined);
      return [
        symbol,
        {
          qty: sum(long, 'qty').minus(sum(short, 'qty')),
          cost: sum(long, 'amount').minus(sum(short, 'amount')),
          realized: Dec.sum(0, ...known),
          uncovered: Dec.sum(0, ...unknown.map(({ qty }) => qty)),
          isUncertain: uncertain.includes(symbol),
        },
      ];
    }),
  );
}

function sum(lots: readonly Lot[], what: 'qty' | 'amount'): Dec {
  return Dec.sum(0, ...lots.flatMap((lot) => (lot.amount === undefined ? [] : [lot[what] ?? 0])));
}
