import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import {
  type Activity,
  activitySchema,
  type TradingDay,
  tradingDaySchema,
} from '../../../trading/activity.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkInstant } from '../../../trading/new-york-time.ts';
import type { ActivityPage } from '../broker.ts';
import { kindOfType } from './activity-types.ts';

/** The most Alpaca gives at once. */
export const ACTIVITY_PAGE = 100;

/** One page, newest first; a full one may be followed by another. What was cancelled never happened. */
export function activityPage(answer: readonly trading.GetAccountActivities200ResponseInner[]): ActivityPage {
  const rows = answer as readonly AnyActivity[];
  const last = rows.at(-1);
  return {
    activities: rows
      .filter(({ status }) => status !== 'canceled')
      .map(activityView)
      // The broker's order is that of booking.
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
    next_page: rows.length === ACTIVITY_PAGE && last?.id !== undefined ? last.id : null,
  };
}

/** The SDK has one type for trades and one for the rest; an answer's element may be either. */
type AnyActivity = Partial<trading.TradingActivities> & Partial<trading.NonTradeActivities>;

function activityView(activity: AnyActivity): Activity {
  const type = String(activity.activityType);
  const amount = activity.netAmount == null ? null : new Dec(activity.netAmount);
  const kind = kindOf(type, activity, amount);
  // `created_at` is when it was booked, often the day after.
  // Of an option's shares the contract has the strike as a per-share amount, the examples as a price.
  const price = activity.price ?? (kind === 'fill' ? activity.perShareAmount : undefined);
  const at = activity.transactionTime ?? startOfDay(activity.date) ?? activity.createdAt;
  return activitySchema.parse({
    id: activity.id,
    kind,
    type,
    at: at === undefined ? undefined : new Date(at).toISOString(),
    ...(activity.createdAt == null ? {} : { booked_at: new Date(activity.createdAt).toISOString() }),
    symbol: activity.symbol ?? null,
    side: kind === 'fill' ? sideOf(activity) : null,
    qty: activity.qty == null ? null : plainAmount(kind === 'fill' ? abs(activity.qty) : activity.qty),
    price: price == null ? null : plainAmount(price),
    group: activity.groupId ?? null,
    // Of a trade, quantity and price say it.
    amount: amount === null || kind === 'fill' ? null : plainAmount(amount),
  });
}

/** A trade that follows from an option has its sign alone to tell. */
function sideOf({ side, qty }: AnyActivity): 'buy' | 'sell' {
  if (side !== undefined) return side === 'buy' ? 'buy' : 'sell';
  return new Dec(qty ?? 0).isNegative() ? 'sell' : 'buy';
}

const abs = (qty: string) => new Dec(qty).abs();

function kindOf(type: string, { symbol, qty }: AnyActivity, amount: Dec | null): Activity['kind'] {
  const known = Object.hasOwn(kindOfType, type) ? kindOfType[type] : undefined;
  const kind = known === 'transfer' && (symbol == null || qty == null) ? 'deposit' : (known ?? 'unknown');
  // Cash that is moved has its sign alone to tell where.
  if ((kind === 'deposit' || kind === 'withdrawal') && amount !== null && !amount.isZero())
    return amount.isNegative() ? 'withdrawal' : 'deposit';
  return kind;
}

/** A date alone is a day in New York; as midnight in Greenwich it would fall into the evening before. */
function startOfDay(date: Date | string | undefined): Date | undefined {
  return date == null ? undefined : new Date(newYorkInstant(isoDate(date), '00:00'));
}

/** Our decimals have at most 12 places. */
function plainAmount(value: string | Dec): string {
  return new Dec(value).toDecimalPlaces(12).toFixed();
}

/** Only the days asked for: the SDK sends dates as instants, and a broker may read those a day off. */
export function tradingDays(
  days: readonly trading.LegacyCalendarDay[],
  start: string,
  end: string,
): TradingDay[] {
  return days
    .map(({ date, open, close }) => tradingDaySchema.parse({ date: isoDate(date), open, close }))
    .filter(({ date }) => date >= start && date <= end);
}

/** The date alone of what the SDK took for an instant. */
export function isoDate(date: Date | string): string {
  return typeof date === 'string' ? date.slice(0, 10) : date.toISOString().slice(0, 10);
}
