import type { PositionRecord } from '../../../store/sandbox/records.ts';
import { contractMultiplier, parseOptionSymbol, symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toCents } from '../../../trading/decimal.ts';
import type { Market } from '../../market/market.ts';
import type { AccountSettings } from '../books/account-settings.ts';

/** Initial margin under Regulation T, as a fraction of a buy or a short sale. Alpaca, "Margin and short selling". */
const INITIAL_MARGIN = '0.5';
const MAINTENANCE_LONG = '0.3';
const MAINTENANCE_SHORT = { from: '5', part: '0.3', least: '5', cheapPart: '1', cheapLeast: '2.5' } as const;
/** Minimum equity for margin, in dollars (FINRA Rule 4210). */
const MIN_MARGIN_EQUITY = '2000';

export interface Margin {
  readonly long: Dec;
  readonly short: Dec;
  readonly equity: Dec;
  readonly initial: Dec;
  readonly maintenance: Dec;
}

export function marketValue(market: Market, symbol: string, qty: Dec | string): Dec {
  const last = market.quote(symbol)?.last ?? 0;
  return new Dec(toCents(new Dec(qty).times(last).times(contractMultiplier(symbol))));
}

export function accountMargin(cash: string, positions: readonly PositionRecord[], market: Market): Margin {
  let [long, short, initial, maintenance] = [new Dec(0), new Dec(0), new Dec(0), new Dec(0)];
  for (const { symbol, qty } of positions) {
    const value = marketValue(market, symbol, qty);
    if (value.isNegative()) short = short.plus(value);
    else long = long.plus(value);
    const needed = positionRequirements(symbol, qty, value, market);
    initial = initial.plus(needed.initial);
    maintenance = maintenance.plus(needed.maintenance);
  }
  return { long, short, equity: long.plus(short).plus(cash), initial, maintenance };
}

function positionRequirements(symbol: string, qty: string, value: Dec, market: Market) {
  if (symbolAssetClass(symbol) === 'us_equity') {
    return {
      initial: value.abs().times(INITIAL_MARGIN),
      maintenance: value.isNegative()
        ? shortMaintenance(new Dec(qty).abs(), market.quote(symbol)?.last ?? '0')
        : value.times(MAINTENANCE_LONG),
    };
  }
  // Options and coins are not marginable. Sold options are secured by shares or cash.
  const contract = parseOptionSymbol(symbol);
  const written = contract?.right === 'put' && new Dec(qty).isNegative();
  const whole = written ? putCollateral(contract.strike, new Dec(qty).abs()) : Dec.max(value, 0);
  return { initial: whole, maintenance: whole };
}

function shortMaintenance(shares: Dec, last: string): Dec {
  const { from, part, least, cheapPart, cheapLeast } = MAINTENANCE_SHORT;
  const perShare = new Dec(last).gte(from)
    ? Dec.max(new Dec(last).times(part), least)
    : Dec.max(new Dec(last).times(cheapPart), cheapLeast);
  return shares.times(perShare);
}

export const putCollateral = (strike: string, contracts: Dec): Dec => contracts.times(strike).times(100);

export function marginMultiplier(settings: AccountSettings, { equity }: Margin): 1 | 2 {
  return settings.max_margin_multiplier === '2' && equity.gte(MIN_MARGIN_EQUITY) ? 2 : 1;
}

export function maySellShort(settings: AccountSettings, margin: Margin): boolean {
  return !settings.no_shorting && marginMultiplier(settings, margin) > 1;
}
