import { z } from 'zod';
import { assetClassOf, unitsOf } from './asset-class.ts';
import { Dec, decimalString, ZERO } from './decimal.ts';
import { newYorkDate, newYorkInstant } from './new-york-time.ts';
import { sides } from './order.ts';
import type { Fill, ShareExchange } from './portfolio/trades.ts';
import type { Flow } from './portfolio/value-point.ts';

const COIN_DECIMALS = 9;

/**
 * Reduces coins bought by the fee taken in coins, so the cost per coin rises (26 CFR §1.1012-1(h)). Alpaca books
 * such fees once a day for all purchases of that day.
 */
function lessCoinFees(fills: readonly Fill[], activities: readonly Activity[]): Fill[] {
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

/** Earlier than any account at a supported broker; milliseconds since the epoch. */
export const FIRST_ACTIVITY = Date.parse('2010-01-01T00:00:00Z');

export const activityKinds = [
  'fill',
  'deposit',
  'withdrawal',
  'dividend',
  'interest',
  'fee',
  /** Shares that came from outside or went there: a flow at their market value. */
  'transfer',
  /** Shares that became others without a trade: splits, mergers, spin-offs, options that ended. */
  'other',
  /** Nobody here knows what it does: the figures that it may touch are incomplete. */
  'unknown',
] as const;

export const activitySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum(activityKinds),
    /** The broker's own name for it: `FILL`, `CSD`, `DIV`. */
    type: z.string(),
    /** RFC 3339: when it happened; of what is known by its day alone, that day's first moment in New York. */
    at: z.string(),
    booked_at: z.string().nullable().optional(),
    symbol: z.string().nullable(),
    side: z.enum(sides).nullable(),
    qty: decimalString.nullable(),
    price: decimalString.nullable(),
    /** What was booked together has one name: the shares that went in a split, and those that came. */
    group: z.string().nullable().optional(),
    /** Less than nothing for what was paid. Null for fills and for what moved no money. */
    amount: decimalString.nullable(),
    /** Of a spin-off: of whose shares it came, and which part of what those cost is its own, 0 to 1 (IRS Form 8937). */
    basis: z.object({ from: z.string(), fraction: decimalString }).optional(),
    imported: z.literal(true).optional(),
  }),
);
export type Activity = z.output<typeof activitySchema>;

export const activitiesSchema = z.lazy(() =>
  z.object({ activities: z.array(activitySchema), next_page: z.string().nullable() }),
);

const wallTime = z.string().regex(/^\d\d:\d\d$/);
export const tradingDaySchema = z.lazy(() =>
  z.object({ date: z.iso.date(), open: wallTime, close: wallTime }),
);
export type TradingDay = z.output<typeof tradingDaySchema>;

/** The shares that an option's exercise or assignment trades. */
const SETTLES = 'OPTRD';

export function fillsOf(activities: readonly Activity[]): Fill[] {
  const fills: Fill[] = [];
  for (const { kind, type, symbol, side, qty, price, at } of activities) {
    if (kind !== 'fill' || symbol === null || side === null || qty === null || price === null) continue;
    const settles = type === SETTLES ? { settlesOption: true as const } : {};
    const [time, each] = [Date.parse(at), perUnit(symbol, price)];
    fills.push({ symbol, side, qty: new Dec(qty), price: each, at: time, ...settles });
  }
  return lessCoinFees(fills, activities);
}

function perUnit(symbol: string, price: string): Dec {
  const units = unitsOf(symbol);
  return units === 1 ? new Dec(price) : new Dec(price).mul(units);
}

/** Types (Alpaca's names) under which shares turn into others: splits, mergers, changes of name and symbol. */
const EXCHANGES = new Set(['SPLIT', 'SSP', 'REORG', 'MA', 'NC', 'SC']);

/** Types under which shares of another company are given out to the holders of one. */
const SPIN_OFFS = new Set(['SPIN', 'SSO']);

/** Types under which an option ends: worthless, or in a trade of its underlying whose cost it becomes a part of. */
const ENDINGS: Readonly<Record<string, ShareExchange['ends']>> = {
  OPEXP: 'worthless',
  OPEXC: 'into_underlying',
  OPASN: 'into_underlying',
};

/**
 * Shares that came or went without a trade, grouped as booked. Alpaca books a split as two rows (old shares out, new
 * ones in); rows without a group are grouped by type, symbol and day.
 */
export function exchangesOf(activities: readonly Activity[]): ShareExchange[] {
  type Group = { at: number; type: string; legs: ShareExchange['legs'][number][]; cash: Dec };
  const groups = new Map<string, Group>();
  for (const { kind, type, at, symbol, qty, group, amount } of activities) {
    if ((kind !== 'other' && kind !== 'transfer') || symbol === null || qty === null) continue;
    const key = `${type} ${group ?? `${symbol} ${newYorkDate(Date.parse(at))}`}`;
    const known = groups.get(key) ?? { at: Date.parse(at), type, legs: [], cash: ZERO };
    known.legs.push({ symbol, qty: new Dec(qty) });
    known.at = Math.min(known.at, Date.parse(at));
    if (amount !== null) known.cash = known.cash.plus(amount);
    groups.set(key, known);
  }
  const divided = new Map(activities.flatMap(({ symbol, basis }) => (basis ? [[symbol, basis]] : [])));
  return [...groups.values()].map(({ type, ...one }) => {
    const basis = SPIN_OFFS.has(type)
      ? one.legs.map(({ symbol }) => divided.get(symbol)).find(Boolean)
      : undefined;
    return {
      ...one,
      turns: EXCHANGES.has(type),
      ends: ENDINGS[type],
      ...(basis === undefined ? {} : { basis: { from: basis.from, fraction: new Dec(basis.fraction) } }),
    };
  });
}

/** Dollars a share at the end of a day in New York; undefined where that is not known. */
export type PriceOn = (symbol: string, day: string) => Dec | string | undefined;

/**
 * Deposits, withdrawals and shares moved in or out at market value (GIPS 2020, "external cash flow"): the price
 * booked with them, else that day's close.
 */
export function externalFlows(activities: readonly Activity[], priceOn: PriceOn = () => undefined) {
  const flows: Flow[] = [];
  const unvalued: Activity[] = [];
  for (const activity of activities) {
    const at = Date.parse(activity.at);
    const amount = flowAmount(activity, at, priceOn);
    if (amount === undefined) continue;
    const shares = activity.kind === 'transfer' ? { shares: true } : {};
    if (amount === 'unvalued') unvalued.push(activity);
    else flows.push({ at, amount, ...shares, ...(isLate(activity) ? { late: true } : {}) });
  }
  return { flows, unvalued };
}

function flowAmount(activity: Activity, at: number, priceOn: PriceOn): Dec | 'unvalued' | undefined {
  const { kind, amount, symbol, qty, price } = activity;
  if (kind === 'deposit' || kind === 'withdrawal') return amount === null ? undefined : new Dec(amount);
  if (kind !== 'transfer' || symbol === null || qty === null) return undefined;
  const booked = price === null || new Dec(price).isZero() ? undefined : price;
  const each = booked ?? priceOn(symbol, newYorkDate(at));
  return each === undefined ? 'unvalued' : new Dec(qty).mul(each).mul(unitsOf(symbol));
}

/** A day's value is struck at 16:00; what a half-day books between its close and then counts as booked before. */
function isLate({ at, booked_at }: Activity): boolean {
  if (booked_at == null) return false;
  return Date.parse(booked_at) > newYorkInstant(newYorkDate(Date.parse(at)), '16:00');
}

export function flowsOf(activities: readonly Activity[], priceOn?: PriceOn): Flow[] {
  return externalFlows(activities, priceOn).flows;
}
