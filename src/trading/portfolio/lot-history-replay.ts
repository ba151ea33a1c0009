import { type Activity, toFills, toShareExchanges } from '../activity.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import type { Position } from '../views.ts';
import type { LotHistory } from './lot-history.ts';
import type { LotChoice, LotMethod } from './lot-pool.ts';
import { LotReplay } from './lot-replay.ts';
import type { Fill, ShareExchange } from './trades.ts';

/**
 * Replays trades and share exchanges into lots. Costs and proceeds are whole cents whose parts always add up, so all
 * methods agree to the cent after everything is closed. Selling more than is held opens a short position. A disallowed
 * wash-sale loss is added to the cost of the replacement shares. Shares held now without a recorded purchase are
 * assumed to predate the record, with unknown cost and age, like shares from a transfer or spin-off.
 * @param positions current positions. If omitted, no shares are assumed to predate the record
 */
export function lotHistory(
  activities: readonly Activity[],
  method: LotMethod,
  options: ReplayOptions = {},
): LotHistory {
  return replayLots(toTrades(activities), method, options);
}

interface Trades {
  readonly fills: readonly Fill[];
  readonly exchanges: readonly ShareExchange[];
}

interface ReplayOptions {
  readonly positions?: readonly Position[];
  readonly choices?: readonly LotChoice[];
  /** Whether disallowed losses are added to replacement shares (default true). */
  readonly washSales?: boolean;
}

export function toTrades(activities: readonly Activity[]): Trades {
  return { fills: toFills(activities), exchanges: toShareExchanges(activities) };
}

export function replayLots(
  trades: Trades,
  method: LotMethod,
  { positions, choices = [], washSales = true }: ReplayOptions = {},
): LotHistory {
  const fills = trades.fills.toSorted((a, b) => a.at - b.at);
  const exchanges = trades.exchanges.toSorted((a, b) => a.at - b.at);
  const replay = new LotReplay(method, { choices, washSales });
  for (const { symbol, missing, traded } of positions === undefined ? [] : missingShares(fills, exchanges, positions)) {
    // Shares that predate the record and were not traded since have no closings that could be uncertain.
    if (traded || !isPositive(missing)) replay.uncertain.add(symbol);
    if (isPositive(missing)) replay.bring(symbol, missing);
  }
  let next = 0;
  // At the same instant, exchanges are applied before fills, because a split takes effect before the market opens.
  for (const fill of fills) {
    for (let one = exchanges[next]; one !== undefined && one.at <= fill.at; one = exchanges[++next])
      replay.exchange(one);
    replay.trade(fill);
  }
  for (const one of exchanges.slice(next)) replay.exchange(one);
  return replay.history();
}

function missingShares(fills: readonly Fill[], exchanges: readonly ShareExchange[], positions: readonly Position[]) {
  const held = new Map(
    positions.map(({ symbol, side, qty }) => {
      const shares = new Dec(qty).abs();
      return [symbol, side === 'short' ? shares.neg() : shares];
    }),
  );
  const known = new Map<string, Dec>();
  const add = (symbol: string, qty: Dec) => known.set(symbol, (known.get(symbol) ?? ZERO).plus(qty));
  for (const { symbol, side, qty } of fills) add(symbol, side === 'buy' ? qty : qty.neg());
  for (const { legs } of exchanges) for (const { symbol, qty } of legs) add(symbol, qty);
  return [...new Set([...held.keys(), ...known.keys()])].flatMap((symbol) => {
    const missing = (held.get(symbol) ?? ZERO).minus(known.get(symbol) ?? ZERO);
    return missing.isZero() ? [] : [{ symbol, missing, traded: known.has(symbol) }];
  });
}
