import { z } from 'zod';
import { Dec, decimalString } from './decimal.ts';
import { sides } from './order.ts';
import type { Fill } from './portfolio/lots.ts';
import type { Flow } from './portfolio/value-point.ts';

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
export const activitySchema = z.object({
  id: z.string(),
  kind: z.enum(activityKinds),
  /** The broker's own name for it: `FILL`, `CSD`, `DIV`. */
  type: z.string(),
  /** RFC 3339. */
  at: z.string(),
  symbol: z.string().nullable(),
  side: z.enum(sides).nullable(),
  qty: decimalString.nullable(),
  price: decimalString.nullable(),
  /** Less than nothing for what was paid. Null for fills and for what moved no money. */
  amount: decimalString.nullable(),
});
export type Activity = z.output<typeof activitySchema>;

/** One page of activities, newest first. `next_page` asks for the one after; null on the last. */
export const activitiesSchema = z.object({
  activities: z.array(activitySchema),
  next_page: z.string().nullable(),
});

/** A trading day, in New York's wall time. */
export const tradingDaySchema = z.object({
  date: z.iso.date(),
  /** `HH:MM` */
  open: z.string().regex(/^\d\d:\d\d$/),
  close: z.string().regex(/^\d\d:\d\d$/),
});
export type TradingDay = z.output<typeof tradingDaySchema>;

/** The trades among the activities. */
export function fillsOf(activities: readonly Activity[]): Fill[] {
  return activities.flatMap(({ kind, symbol, side, qty, price, at }) =>
    kind === 'fill' && symbol !== null && side !== null && qty !== null && price !== null
      ? [{ symbol, side, qty: new Dec(qty), price: new Dec(price), at: Date.parse(at) }]
      : [],
  );
}

/** The deposits and withdrawals among the activities. */
export function flowsOf(activities: readonly Activity[]): Flow[] {
  return activities.flatMap(({ kind, amount, at }) =>
    (kind === 'deposit' || kind === 'withdrawal') && amount !== null
      ? [{ at: Date.parse(at), amount: new Dec(amount) }]
      : [],
  );
}
