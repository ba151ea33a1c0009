import { type Activity, type ClosingPriceLookup, externalFlows } from '../trading/activity.ts';
import { formatSignedDollars } from '../trading/amounts.ts';
import { newYorkDate, ONE_DAY_MS } from '../trading/new-york-time.ts';
import type { Flow } from '../trading/portfolio/value-point.ts';

export const figureNames = [
  'day_profit',
  'realized',
  'income',
  'time_weighted_return',
  'money_weighted_return',
  'volatility',
  'drawdown',
] as const;
export type FigureName = (typeof figureNames)[number];

export interface IncompleteFigures {
  readonly figures: readonly FigureName[];
  readonly reason: string;
}

const FLOW_FIGURES: readonly FigureName[] = ['time_weighted_return', 'money_weighted_return', 'volatility', 'drawdown'];

/**
 * Returns which figures are incomplete, and why.
 * @param activities undefined if unavailable
 * @param flowsReported whether the broker's history includes cash flows
 * @param valuesFrom time of the first value in the broker's history
 * @param since start of the day's figures
 */
export function findIncompleteFigures(
  activities: readonly Activity[] | undefined,
  {
    priceOn,
    flowsReported,
    valuesFrom,
    since,
  }: { priceOn: ClosingPriceLookup; flowsReported: boolean; valuesFrom: number | undefined; since: number },
): IncompleteFigures[] {
  if (activities === undefined) {
    const reason = flowsReported
      ? 'share transfers are unknown'
      : 'deposits and withdrawals are unknown and count as gains and losses';
    return [{ figures: ['day_profit', ...FLOW_FIGURES], reason }];
  }
  const touched = ({ at }: Activity, more: readonly FigureName[]): FigureName[] => [
    ...(Date.parse(at) >= since ? (['day_profit'] as const) : []),
    ...more,
  ];
  const unknown = activities
    .filter(({ kind }) => kind === 'unknown')
    .map((activity) => ({
      figures: touched(activity, [
        ...(activity.qty === null ? [] : (['realized'] as const)),
        ...(isZeroAmount(activity.amount) ? [] : (['income'] as const)),
        ...FLOW_FIGURES,
      ]),
      reason: `the effect of ${describeActivity(activity)} is unknown`,
    }));
  const { flows, unvalued: withoutValue } = externalFlows(activities, priceOn);
  const unvalued = withoutValue.map((activity) => ({
    figures: touched(activity, FLOW_FIGURES),
    reason: `the value of the shares transferred by ${describeActivity(activity)} is unknown`,
  }));
  const late = flows.filter(
    (flow) =>
      flow.late === true &&
      (!flowsReported || flow.shares === true) &&
      valuesFrom !== undefined &&
      flow.at > valuesFrom - ONE_DAY_MS,
  );
  return [...unknown, ...unvalued, ...lateFlows(late, since)];
}

/** Marks figures that depend on where flows count that were booked after their day's value was taken. */
function lateFlows(flows: readonly Flow[], since: number): IncompleteFigures[] {
  const last = flows.at(-1);
  if (last === undefined) return [];
  const day = newYorkDate(last.at);
  const reason =
    flows.length === 1
      ? `the value of ${day} may or may not include the cash flow of that day, which was booked after the close`
      : `${flows.length} days’ values may or may not include the cash flows of these days, which were booked after the close (the last on ${day})`;
  // The value at the last close is the base of the day's profit.
  return [{ figures: last.at > since - ONE_DAY_MS ? ['day_profit', ...FLOW_FIGURES] : FLOW_FIGURES, reason }];
}

const isZeroAmount = (amount: string | null) => amount === null || Number(amount) === 0;

/** Describes an activity: `activity XYZ of 2026-11-02 (3 AAPL, -$5.00)`. */
function describeActivity({ type, at, symbol, qty, amount }: Activity): string {
  const what = [
    ...(symbol === null ? [] : [`${qty === null ? '' : `${qty} `}${symbol}`]),
    ...(amount === null || isZeroAmount(amount) ? [] : [formatSignedDollars(amount)]),
  ];
  return `activity ${type} of ${newYorkDate(Date.parse(at))}${what.length === 0 ? '' : ` (${what.join(', ')})`}`;
}
