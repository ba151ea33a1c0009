import { z } from 'zod';
import { Dec, decimalString, ZERO } from './decimal.ts';
import { sides } from './order.ts';
import type { Fill, ShareExchange } from './portfolio/lots.ts';
import type { Flow } from './portfolio/value-point.ts';

/** Before any account at a broker of ours: all activities are those after it, milliseconds since the epoch. */
export const FIRST_ACTIVITY = Date.parse('2010-01-01T00:00:00Z');

export const activityKinds = [
  'fill',
  'deposit',
  'withdrawal',
  'dividend',
  'interest',
  'fee',
  /** Shares that came or went without a trade: transfers, splits, mergers. */
  'other',
] as const;

/** Something that changed the account: a fill, or money that came or went. Dollars, shares, dollars a share. */
export const activitySchema = z.lazy(() =>
  z.object({
    id: z.string(),
    kind: z.enum(activityKinds),
    /** The broker's own name for it: `FILL`, `CSD`, `DIV`. */
    type: z.string(),
    /** RFC 3339. */
    at: z.string(),
    symbol: z.string().nullable(),
    side: z.enum(sides).nullable(),
    /** Less than nothing for shares that went without a trade. */
    qty: decimalString.nullable(),
    price: decimalString.nullable(),
    /** What was booked together has one name: the shares that went in a split, and those that came. */
    group: z.string().nullable().optional(),
    /** Less than nothing for what was paid. Null for fills and for what moved no money. */
    amount: decimalString.nullable(),
    /** Taken from a file of the person's: the broker never said it. */
    imported: z.literal(true).optional(),
  }),
);
export type Activity = z.output<typeof activitySchema>;

/** One page of activities, newest first. `next_page` asks for the one after; null on the last. */
export const activitiesSchema = z.lazy(() =>
  z.object({
    activities: z.array(activitySchema),
    next_page: z.string().nullable(),
  }),
);

/** A trading day, in New York's wall time. */
export const tradingDaySchema = z.lazy(() =>
  z.object({
    date: z.iso.date(),
    /** `HH:MM` */
    open: z.string().regex(/^\d\d:\d\d$/),
    close: z.string().regex(/^\d\d:\d\d$/),
  }),
);
export type TradingDay = z.output<typeof tradingDaySchema>;

/** The trades among the activities. */
export function fillsOf(activities: readonly Activity[]): Fill[] {
  return activities.flatMap(({ kind, symbol, side, qty, price, at }) =>
    kind === 'fill' && symbol !== null && side !== null && qty !== null && price !== null
      ? [{ symbol, side, qty: new Dec(qty), price: new Dec(price), at: Date.parse(at) }]
      : [],
  );
}

/**
 * Alpaca's types (Trading API, "ActivityType") under which shares turn into others: splits, mergers, changes of name.
 * Elsewhere shares come and go: transfers, journals, spin-offs.
 */
const EXCHANGES = new Set(['SPLIT', 'REORG', 'MA', 'NC']);

/**
 * The shares among the activities that came or went without a trade, what was booked together as one. Alpaca books a
 * split as two rows, the old shares going and the new ones coming; where their group is not said, those of one type,
 * symbol and day are taken for one.
 */
export function exchangesOf(activities: readonly Activity[]): ShareExchange[] {
  const groups = new Map<
    string,
    { at: number; type: string; legs: ShareExchange['legs'][number][]; cash: Dec }
  >();
  for (const { kind, type, at, symbol, qty, group, amount } of activities) {
    if (kind !== 'other' || symbol === null || qty === null) continue;
    const key = `${type} ${group ?? `${symbol} ${at.slice(0, 10)}`}`;
    const known = groups.get(key) ?? { at: Date.parse(at), type, legs: [], cash: ZERO };
    known.legs.push({ symbol, qty: new Dec(qty) });
    known.at = Math.min(known.at, Date.parse(at));
    if (amount !== null) known.cash = known.cash.plus(amount);
    groups.set(key, known);
  }
  return [...groups.values()].map(({ type, ...one }) => ({ ...one, turns: EXCHANGES.has(type) }));
}

/** The deposits and withdrawals among the activities. */
export function flowsOf(activities: readonly Activity[]): Flow[] {
  return activities.flatMap(({ kind, amount, at }) =>
    (kind === 'deposit' || kind === 'withdrawal') && amount !== null
      ? [{ at: Date.parse(at), amount: new Dec(amount) }]
      : [],
  );
}
