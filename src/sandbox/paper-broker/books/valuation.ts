import type { Ledger } from '../../../store/sandbox/ledger.ts';
import { contractMultiplier } from '../../../trading/asset-class.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import type { Market } from '../../market/market.ts';

export interface Holdings {
  cash: Dec;
  shares: ReadonlyMap<string, Dec>;
}

/** Returns the holdings at each instant. @param instants in ascending order, in milliseconds since the epoch */
export function holdingsAt(ledger: Ledger, accountId: string, instants: readonly number[]): Holdings[] {
  const entries = ledger.entries(accountId);
  const fills = ledger.fills(accountId);
  let cash = new Dec(0);
  const shares = new Map<string, Dec>();
  const add = (symbol: string, qty: Dec) => {
    shares.set(symbol, (shares.get(symbol) ?? new Dec(0)).plus(qty));
  };
  let entry = 0;
  let fill = 0;
  return instants.map((at) => {
    for (let next = entries[entry]; next !== undefined && next.at <= at; next = entries[++entry]) {
      cash = cash.plus(next.amount ?? 0);
      if (next.symbol !== null && next.qty !== null) add(next.symbol, new Dec(next.qty));
    }
    for (let next = fills[fill]; next !== undefined && next.at <= at; next = fills[++fill]) {
      const sign = next.side === 'buy' ? 1 : -1;
      add(next.symbol, new Dec(next.qty).times(sign));
      cash = cash.minus(new Dec(next.amount).times(sign));
    }
    return { cash, shares: new Map(shares) };
  });
}

export function equityAt(holdings: Holdings, market: Market, at: number): Dec {
  let sum = holdings.cash;
  for (const [symbol, qty] of holdings.shares) {
    if (qty.isZero()) continue;
    sum = sum.plus(qty.times(market.quote(symbol, at)?.last ?? 0).times(contractMultiplier(symbol)));
  }
  return sum;
}

export function formatRatio(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : toPlain(part.div(whole).toDecimalPlaces(6));
}
