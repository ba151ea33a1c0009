import { type OptionContract, parseOptionSymbol, symbolAssetClass } from '../../trading/asset-class.ts';
import { Dec } from '../../trading/decimal.ts';
import type { ListedSymbol } from '../../trading/listed-symbols.ts';
import {
  addDays,
  type IsoDate,
  newYorkDate,
  newYorkInstant,
  nthWeekday,
  weekday,
} from '../../trading/new-york-time.ts';
import type { Market } from '../market/market.ts';

const FRIDAY = 5;
/** Weekly expiries are listed for five weeks, monthly expiries (third Friday) for twelve months. */
const WEEKLY_EXPIRY_WEEKS = 5;
const MONTHLY_EXPIRY_MONTHS = 12;
const STRIKE_RANGE = { least: '0.4', most: '2' };
const STRIKE_STEPS = [
  ['25', '0.5'],
  ['50', '1'],
  ['200', '2.5'],
  ['500', '5'],
  ['2000', '10'],
] as const;

export interface ListedContract extends OptionContract {
  readonly symbol: string;
}

/**
 * Returns whether a stock has options. OCC has no root for some symbols, and in the sandbox, stocks at $2,000 or
 * more have no options.
 */
export function hasOptions({ symbol, snapshotPrice, exchange }: ListedSymbol): boolean {
  return /^[A-Z]{1,6}$/.test(symbol) && exchange !== 'AMEX' && new Dec(snapshotPrice).lt(2000);
}

/** Returns expiry days on or after a day: Fridays, or the Thursday before a Friday without trading. */
function expiries(market: Market, from: IsoDate): IsoDate[] {
  const friday = addDays(from, (FRIDAY - weekday(from) + 7) % 7);
  const weekly = Array.from({ length: WEEKLY_EXPIRY_WEEKS }, (_, week) => addDays(friday, 7 * week));
  const [year = 0, month = 0] = from.split('-').map(Number);
  const monthly = Array.from({ length: MONTHLY_EXPIRY_MONTHS }, (_, ahead) => {
    const index = month - 1 + ahead;
    return nthWeekday(year + Math.floor(index / 12), (index % 12) + 1, FRIDAY, 3);
  });
  return [...new Set([...weekly, ...monthly])]
    .map((date) => lastTradingDay(market, date))
    .filter((date) => date >= from)
    .sort();
}

const lastTradingDay = (market: Market, friday: IsoDate): IsoDate =>
  market.sessions(friday, friday).length > 0 ? friday : addDays(friday, -1);

/** Returns when the market closes on the contract's expiry day, in milliseconds since the epoch. */
export function contractExpiresAt(market: Market, { expiry }: OptionContract): number {
  return market.sessions(expiry, expiry)[0]?.close ?? newYorkInstant(expiry, '16:00');
}

function strikes({ snapshotPrice }: ListedSymbol): Dec[] {
  const price = new Dec(snapshotPrice);
  const step = new Dec(STRIKE_STEPS.find(([below]) => price.lt(below))?.[1] ?? '25');
  const least = price.times(STRIKE_RANGE.least).div(step).ceil().toNumber();
  const most = price.times(STRIKE_RANGE.most).div(step).floor().toNumber();
  return Array.from({ length: most - least + 1 }, (_, i) => step.times(least + i));
}

export function* listOptionContracts(
  market: Market,
  underlyings: readonly ListedSymbol[],
  today: IsoDate,
): Generator<ListedContract> {
  const days = expiries(market, today);
  for (const underlying of underlyings) {
    if (!hasOptions(underlying)) continue;
    const grid = strikes(underlying);
    for (const expiry of days) {
      for (const right of ['call', 'put'] as const) {
        for (const strike of grid) {
          const symbol = occSymbol(underlying.symbol, expiry, right, strike);
          yield { symbol, underlying: underlying.symbol, expiry, right, strike: strike.toFixed() };
        }
      }
    }
  }
}

function occSymbol(root: string, expiry: IsoDate, right: 'call' | 'put', strike: Dec): string {
  const day = expiry.slice(2).replaceAll('-', '');
  return `${root}${day}${right === 'call' ? 'C' : 'P'}${strike.times(1000).toFixed(0).padStart(8, '0')}`;
}

/** Returns a listed or expired contract. Returns undefined for a contract that was never listed. */
export function findOptionContract(market: Market, symbol: string): ListedContract | undefined {
  if (symbolAssetClass(symbol) !== 'us_option') return undefined;
  const contract = parseOptionSymbol(symbol);
  const underlying = contract === undefined ? undefined : market.symbol(contract.underlying);
  if (contract === undefined || underlying === undefined || !hasOptions(underlying)) return undefined;
  const friday = addDays(contract.expiry, (FRIDAY - weekday(contract.expiry) + 7) % 7);
  const onGrid = strikes(underlying).some((strike) => strike.eq(contract.strike));
  return onGrid && lastTradingDay(market, friday) === contract.expiry ? { ...contract, symbol } : undefined;
}

export function isContractListed(market: Market, contract: ListedContract): boolean {
  return expiries(market, newYorkDate(market.now())).includes(contract.expiry);
}
