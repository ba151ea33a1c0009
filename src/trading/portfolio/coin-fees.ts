import { assetClassOf } from '../asset-class.ts';
import { Dec, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Fill } from './trades.ts';

/** What is looked at of an activity. */
interface Booked {
  readonly kind: string;
  readonly symbol: string | null;
  readonly qty: string | null;
  /** RFC 3339 */
  readonly at: string;
}

/** Decimals of a coin, as brokers count them. */
const COIN_DECIMALS = 9;

/**
 * Purchases of coins less the fee that was taken of the coins: fewer came, for the same dollars, since what a purchase costs
 * is a part of its basis (26 CFR §1.1012-1(h)). Alpaca books such fees by the day, of all that was bought on it.
 * @param fills in any order; none is changed
 */
export function lessCoinFees(fills: readonly Fill[], activities: readonly Booked[]): Fill[] {
  const fees = new Map<string, Dec>();
  for (const { kind, symbol, qty, at } of activities) {
    if (kind !== 'fee' || symbol === null || qty === null || assetClassOf(symbol) !== 'crypto') continue;
    const day = dayOf(symbol, Date.parse(at));
    fees.set(day, (fees.get(day) ?? ZERO).plus(new Dec(qty).abs()));
  }
  if (fees.size === 0) return [...fills];
  const bought = new Map<string, Dec>();
  const isCharged = ({ side, symbol, at }: Fill) => side === 'buy' && fees.has(dayOf(symbol, at));
  for (const fill of fills.filter(isCharged)) {
    const day = dayOf(fill.symbol, fill.at);
    bought.set(day, (bought.get(day) ?? ZERO).plus(fill.qty));
  }
  return fills.map((fill) => {
    if (!isCharged(fill)) return fill;
    const day = dayOf(fill.symbol, fill.at);
    const [fee = ZERO, all = fill.qty] = [fees.get(day), bought.get(day)];
    // Of what is left each time, so that the parts add up to the whole.
    const part = fee.mul(fill.qty).div(all).toDecimalPlaces(COIN_DECIMALS);
    fees.set(day, fee.minus(part));
    bought.set(day, all.minus(fill.qty));
    const qty = fill.qty.minus(part);
    return qty.gt(0) ? { ...fill, qty, price: fill.price.mul(fill.qty).div(qty) } : fill;
  });
}

const dayOf = (symbol: string, at: number) => `${symbol} ${newYorkDate(at)}`;
