import { z } from 'zod';
import { contractMultiplier, symbolAssetClass } from './asset-class.ts';
import { Dec, decimalString, ZERO } from './decimal.ts';
import { newYorkDate, newYorkInstant } from './new-york-time.ts';
import { sides } from './order.ts';
import type { Fill, ShareExchange } from './portfolio/trades.ts';
import type { Flow } from './portfolio/value-point.ts';

const COIN_DECIMALS = 9;

/**
 * Subtracts fees that were charged in coins from the quantities bought. The cost per coin rises accordingly (26 CFR
 * §1.1012-1(h)). Alpaca books one such fee per coin and day, for all purchases of that coin on that day.
 */
function subtractCoinFees(fills: readonly Fill[], activities: readonly Activity[]): Fill[] {
  const fees = new Map<string, Dec>();
  for (const { kind, symbol, qty, at } of activities) {
    if (kind !== 'fee' || symbol === null || qty === null || symbolAssetClass(symbol) !== 'crypto') continue;
    const day = symbolDayKey(symbol, Date.parse(at));
    fees.set(day, (fees.get(day) ?? ZERO).plus(new Dec(qty).abs()));
  }
  if (fees.size === 0) return [...fills];
  const bought = new Map<string, Dec>();
  const isCharged = ({ side, symbol, at }: Fill) => side === 'buy' && fees.has(symbolDayKey(symbol, at));
  for (const fill of fills.filter(isCharged)) {
    const day = symbolDayKey(fill.symbol, fill.at);
    bought.set(day, (bought.get(day) ?? ZERO).plus(fill.qty));
  }
  return fills.map((fill) => {
    if (!isCharged(fill)) return fill;
    const day = symbolDayKey(fill.symbol, fill.at);
    const [fee = ZERO, all = fill.qty] = [fees.get(day), bought.get(day)];
    // Computes each fill's part from the fee that remains, so that the rounded parts add up to the whole fee.
    const part = fee.mul(fill.qty).div(all).toDecimalPlaces(COIN_DECIMALS);
    fees.set(day, fee.minus(part));
    bought.set(day, all.minus(fill.qty));
    const qty = fill.qty.minus(part);
    return qty.gt(0) ? { ...fill, qty, price: fill.price.mul(fill.qty).div(qty) } : fill;
  });
}

const symbolDayKey = (symbol: string, at: number) => `${symbol} ${newYorkDate(at)}`;

/** A time before any account at a supported broker existed, in milliseconds since the epoch. */
export const EARLIEST_ACTIVITY_MS = Date.parse('2010-01-01T00:00:00Z');

export const activityKinds = [
  'fill',
  'deposit',
  'withdrawal',
  'dividend',
  'interest',
  'fee',
  /** Shares moved into or out of the account. Counts as a cash flow at market value. */
  'transfer',
  /** A change in holdings without a trade: a split, merger or spin-off, or an option's expiration or exercise. */
  'other',
  /** An activity type that we don't recognize. Figures that the activity may affect are marked incomplete. */
  'unknown',
] as const;

export const activitySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum(activityKinds),
    /** The broker's name for the activity type, such as `FILL`, `CSD` or `DIV`. */
    type: z.string(),
    /** RFC 3339 time of the activity. Midnight in New York if only the date is known. */
    at: z.string(),
    booked_at: z.string().nullable().optional(),
    symbol: z.string().nullable(),
    side: z.enum(sides).nullable(),
    qty: decimalString.nullable(),
    price: decimalString.nullable(),
    /** ID shared by activities that were booked together, such as the old and new shares of a split. */
    group: z.string().nullable().optional(),
    /** Dollars received, negative for money paid out. Null for fills and if no money moved. */
    amount: decimalString.nullable(),
    /** Set if the activity corrects another one: the ID of that one, or empty if it is not known yet. */
    corrects: z.string().optional(),
    /** Spin-off: the parent, and the fraction (0 to 1) of the parent's cost that the new shares get (IRS Form 8937). */
    basis: z.object({ from: z.string(), fraction: decimalString }).optional(),
    imported: z.literal(true).optional(),
  }),
);
export type Activity = z.output<typeof activitySchema>;

export const activitiesSchema = z.lazy(() =>
  z.object({ activities: z.array(activitySchema), next_page: z.string().nullable() }),
);

const wallTime = z.string().regex(/^\d\d:\d\d$/);
export const tradingDaySchema = z.lazy(() => z.object({ date: z.iso.date(), open: wallTime, close: wallTime }));
export type TradingDay = z.output<typeof tradingDaySchema>;

/** Alpaca's type for trades in the underlying that settle an option's exercise or assignment. */
const OPTION_SETTLEMENT_TYPE = 'OPTRD';

export function toFills(activities: readonly Activity[]): Fill[] {
  const fills: Fill[] = [];
  for (const { kind, type, symbol, side, qty, price, at } of activities) {
    if (kind !== 'fill' || symbol === null || side === null || qty === null || price === null) continue;
    const settles = type === OPTION_SETTLEMENT_TYPE ? { settlesOption: true as const } : {};
    const [time, each] = [Date.parse(at), unitPrice(symbol, price)];
    fills.push({ symbol, side, qty: new Dec(qty), price: each, at: time, ...settles });
  }
  return subtractCoinFees(fills, activities);
}

function unitPrice(symbol: string, price: string): Dec {
  const units = contractMultiplier(symbol);
  return units === 1 ? new Dec(price) : new Dec(price).mul(units);
}

/** Alpaca's types for activities that replace shares or contracts: splits, mergers, tenders, and name changes. */
const REPLACEMENT_TYPES = new Set(['SPLIT', 'SSP', 'REORG', 'MA', 'NC', 'SC', 'OPCA', 'VOF']);

/** Alpaca's types for spin-offs, which give holders shares of another company. */
const SPIN_OFF_TYPES = new Set(['SPIN', 'SSO']);

/** How an option ended, by Alpaca's type. On exercise or assignment, the underlying's cost includes the option's. */
const OPTION_END_TYPES: Readonly<Record<string, ShareExchange['ends']>> = {
  OPEXP: 'worthless',
  OPEXC: 'into_underlying',
  OPASN: 'into_underlying',
};

/**
 * Returns changes in holdings that were not trades, grouped as the broker booked them. Alpaca books a split as two
 * rows: old shares out, new shares in. Rows without a group ID are grouped by type, symbol and day. A row with cash
 * alone, such as the cash for a fractional share, is a leg of zero shares.
 */
export function toShareExchanges(activities: readonly Activity[]): ShareExchange[] {
  type Group = { at: number; type: string; legs: ShareExchange['legs'][number][]; cash: Dec };
  const groups = new Map<string, Group>();
  for (const { kind, type, at, symbol, qty, group, amount } of activities) {
    const isCashOnly = kind === 'other' && qty === null && amount !== null && !new Dec(amount).isZero();
    if ((kind !== 'other' && kind !== 'transfer') || symbol === null || (qty === null && !isCashOnly)) continue;
    const key = `${type} ${group ?? `${symbol} ${newYorkDate(Date.parse(at))}`}`;
    const known = groups.get(key) ?? { at: Date.parse(at), type, legs: [], cash: ZERO };
    known.legs.push({ symbol, qty: new Dec(qty ?? 0) });
    known.at = Math.min(known.at, Date.parse(at));
    // The amount of a transfer is the value of its shares.
    if (amount !== null && kind === 'other') known.cash = known.cash.plus(amount);
    groups.set(key, known);
  }
  const divided = new Map(activities.flatMap(({ symbol, basis }) => (basis ? [[symbol, basis]] : [])));
  return [...groups.values()].map(({ type, ...one }) => {
    const basis = SPIN_OFF_TYPES.has(type)
      ? one.legs.map(({ symbol }) => divided.get(symbol)).find(Boolean)
      : undefined;
    return {
      ...one,
      replacesShares: REPLACEMENT_TYPES.has(type),
      spinsOff: SPIN_OFF_TYPES.has(type),
      ends: OPTION_END_TYPES[type],
      ...(basis === undefined ? {} : { basis: { from: basis.from, fraction: new Dec(basis.fraction) } }),
    };
  });
}

/** Closing price of a symbol on a New York day, in dollars a share. Undefined if unknown. */
export type ClosingPriceLookup = (symbol: string, day: string) => Dec | string | undefined;

/**
 * Returns external cash flows (GIPS 2020): deposits, withdrawals, and transfers of shares. Shares are valued at the
 * broker's price for the transfer or, if there is none, at that day's close. `unvalued` lists transfers without either
 * price.
 */
export function externalFlows(activities: readonly Activity[], priceOn: ClosingPriceLookup = () => undefined) {
  const flows: Flow[] = [];
  const unvalued: Activity[] = [];
  for (const activity of activities) {
    const at = Date.parse(activity.at);
    const amount = flowAmount(activity, at, priceOn);
    if (amount === undefined) continue;
    const shares = activity.kind === 'transfer' ? { shares: true } : {};
    if (amount === 'unvalued') unvalued.push(activity);
    else flows.push({ at, amount, ...shares, ...(isLateBooked(activity) ? { late: true } : {}) });
  }
  return { flows, unvalued };
}

function flowAmount(activity: Activity, at: number, priceOn: ClosingPriceLookup): Dec | 'unvalued' | undefined {
  const { kind, amount, symbol, qty, price } = activity;
  if (kind === 'deposit' || kind === 'withdrawal') return amount === null ? undefined : new Dec(amount);
  if (kind !== 'transfer' || symbol === null || qty === null) return undefined;
  const booked = price === null || new Dec(price).isZero() ? undefined : price;
  const each = booked ?? priceOn(symbol, newYorkDate(at));
  return each === undefined ? 'unvalued' : new Dec(qty).mul(each).mul(contractMultiplier(symbol));
}

/** Returns whether an activity was booked after its day's valuation, which is at 16:00 even on half-days. */
function isLateBooked({ at, booked_at }: Activity): boolean {
  if (booked_at == null) return false;
  return Date.parse(booked_at) > newYorkInstant(newYorkDate(Date.parse(at)), '16:00');
}

export function toFlows(activities: readonly Activity[], priceOn?: ClosingPriceLookup): Flow[] {
  return externalFlows(activities, priceOn).flows;
}
