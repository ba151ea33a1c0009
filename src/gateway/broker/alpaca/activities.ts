import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import {
  type Activity,
  type activityKinds,
  activitySchema,
  type TradingDay,
  tradingDaySchema,
} from '../../../trading/activity.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkInstant } from '../../../trading/new-york-time.ts';
import type { ActivityPage } from '../broker.ts';

/** The most Alpaca gives at once. */
export const ACTIVITY_PAGE = 100;

/**
 * Alpaca's activity types by what they mean for the account. `JNLC` moves cash between accounts: for this one it came
 * from outside or went there. A type that is not here is `other`, and its money is no return nor a flow.
 */
const kinds: Readonly<Record<string, (typeof activityKinds)[number]>> = {
  FILL: 'fill',
  CSD: 'deposit',
  CSW: 'withdrawal',
  TRANS: 'deposit',
  JNLC: 'deposit',
  ACATC: 'deposit',
  DIV: 'dividend',
  DIVCGL: 'dividend',
  DIVCGS: 'dividend',
  DIVROC: 'dividend',
  DIVTXEX: 'dividend',
  INT: 'interest',
  FEE: 'fee',
  CFEE: 'fee',
  DIVFEE: 'fee',
  DIVFT: 'fee',
  DIVNRA: 'fee',
  DIVTW: 'fee',
  INTNRA: 'fee',
  INTTW: 'fee',
  PTC: 'fee',
};

/** One page, newest first; a full one may be followed by another. What was cancelled never happened. */
export function activityPage(answer: readonly trading.GetAccountActivities200ResponseInner[]): ActivityPage {
  const rows = answer as readonly AnyActivity[];
  const last = rows.at(-1);
  return {
    activities: rows.filter(({ status }) => status !== 'canceled').map(activityView),
    next_page: rows.length === ACTIVITY_PAGE && last?.id !== undefined ? last.id : null,
  };
}

/** The SDK has one type for trades and one for the rest; an answer's element may be either. */
type AnyActivity = Partial<trading.TradingActivities> & Partial<trading.NonTradeActivities>;

function activityView(activity: AnyActivity): Activity {
  const type = String(activity.activityType);
  const known = Object.hasOwn(kinds, type) ? (kinds[type] ?? 'other') : 'other';
  const amount = activity.netAmount == null ? null : new Dec(activity.netAmount);
  // Money journaled or transferred out has its sign alone to tell.
  const kind = known === 'deposit' && amount?.lt(0) ? 'withdrawal' : known;
  const at = activity.transactionTime ?? activity.createdAt ?? startOfDay(activity.date);
  return activitySchema.parse({
    id: activity.id,
    kind,
    type,
    at: at === undefined ? undefined : new Date(at).toISOString(),
    symbol: activity.symbol ?? null,
    side: kind === 'fill' ? (activity.side === 'buy' ? 'buy' : 'sell') : null,
    qty: activity.qty == null ? null : plainAmount(activity.qty),
    price: activity.price == null ? null : plainAmount(activity.price),
    group: activity.groupId ?? null,
    amount: amount === null ? null : plainAmount(amount),
  });
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
