import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import { type Activity, activitySchema, type TradingDay, tradingDaySchema } from '../../../trading/activity.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkInstant } from '../../../trading/new-york-time.ts';
import type { ActivityPage } from '../broker.ts';
import { activityKindByType } from './activity-types.ts';

/** Maximum number of activities in one of Alpaca's responses. */
export const MAX_ACTIVITIES_PER_PAGE = 100;

/** Converts one page of activities, newest first. Leaves out canceled activities. */
export function toActivityPage(answer: readonly trading.GetAccountActivities200ResponseInner[]): ActivityPage {
  const rows = answer as readonly AnyActivity[];
  const last = rows.at(-1);
  return {
    activities: rows
      .filter(({ status }) => status !== 'canceled')
      .map(activityView)
      // Sorted by the activities' own times, because the broker sorts by booking time.
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
    next_page: rows.length === MAX_ACTIVITIES_PER_PAGE && last?.id !== undefined ? last.id : null,
  };
}

/** The SDK has one type for trades and another for all other activities. A page contains both types. */
type AnyActivity = Partial<trading.TradingActivities> & Partial<trading.NonTradeActivities>;

function activityView(activity: AnyActivity): Activity {
  const type = String(activity.activityType);
  const amount = activity.netAmount == null ? null : new Dec(activity.netAmount);
  const kind = getKind(type, activity, amount);
  // An option's price is the per-share amount in Alpaca's OpenAPI contract, but `price` in Alpaca's examples.
  const price = activity.price ?? (kind === 'fill' ? activity.perShareAmount : undefined);
  const at = activity.transactionTime ?? startOfDay(activity.date) ?? activity.createdAt;
  return activitySchema.parse({
    id: activity.id,
    kind,
    type,
    at: at === undefined ? undefined : new Date(at).toISOString(),
    ...bookingOf(activity),
    symbol: activity.symbol ?? null,
    side: kind === 'fill' ? sideOf(activity) : null,
    qty: activity.qty == null ? null : plainAmount(kind === 'fill' ? abs(activity.qty) : activity.qty),
    price: price == null ? null : plainAmount(price),
    group: activity.groupId ?? null,
    amount: amount === null || kind === 'fill' ? null : plainAmount(amount),
  });
}

function bookingOf({ createdAt, status }: AnyActivity): Pick<Activity, 'booked_at' | 'corrects'> {
  return {
    ...(createdAt == null ? {} : { booked_at: new Date(createdAt).toISOString() }),
    ...(status === 'correct' ? { corrects: '' } : {}),
  };
}

/** Returns the activity's side. An exercise is reported without a side, so the sign of its quantity decides. */
function sideOf({ side, qty }: AnyActivity): 'buy' | 'sell' {
  if (side !== undefined) return side === 'buy' ? 'buy' : 'sell';
  return new Dec(qty ?? 0).isNegative() ? 'sell' : 'buy';
}

const abs = (qty: string) => new Dec(qty).abs();

function getKind(type: string, { symbol, qty }: AnyActivity, amount: Dec | null): Activity['kind'] {
  const known = Object.hasOwn(activityKindByType, type) ? activityKindByType[type] : undefined;
  const kind = known === 'transfer' && (symbol == null || qty == null) ? 'deposit' : (known ?? 'unknown');
  // The sign of the amount decides, because Alpaca uses the same types for deposits and withdrawals.
  if ((kind === 'deposit' || kind === 'withdrawal') && amount !== null && !amount.isZero())
    return amount.isNegative() ? 'withdrawal' : 'deposit';
  return kind;
}

/** Returns midnight in New York at the start of the date. Midnight in UTC would be the evening before in New York. */
function startOfDay(date: Date | string | undefined): Date | undefined {
  return date == null ? undefined : new Date(newYorkInstant(toIsoDate(date), '00:00'));
}

function plainAmount(value: string | Dec): string {
  return new Dec(value).toDecimalPlaces(12).toFixed();
}

/** Converts trading days. Leaves out days outside the range, which the broker may have shifted by a day. */
export function toTradingDays(days: readonly trading.LegacyCalendarDay[], start: string, end: string): TradingDay[] {
  return days
    .map(({ date, open, close }) => tradingDaySchema.parse({ date: toIsoDate(date), open, close }))
    .filter(({ date }) => date >= start && date <= end);
}

export function toIsoDate(date: Date | string): string {
  return typeof date === 'string' ? date.slice(0, 10) : date.toISOString().slice(0, 10);
}
