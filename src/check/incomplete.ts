import { type Activity, type ClosingPriceLookup, externalFlows } from '../trading/activity.ts';
import { formatSignedDollars } from '../trading/amounts.ts';
import { newYorkDate } from '../trading/new-york-time.ts';

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
 * @param since start of the day's figures
 */
export function findIncompleteFigures(
  activities: readonly Activity[] | undefined,
  { priceOn, flowsReported, since }: { priceOn: ClosingPriceLookup; flowsReported: boolean; since: number },
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
  const unvalued = externalFlows(activities, priceOn).unvalued.map((activity) => ({
    figures: touched(activity, FLOW_FIGURES),
    reason: `the value of the shares transferred by ${describeActivity(activity)} is unknown`,
  }));
  return [...unknown, ...unvalued];
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
