import { type Activity, exchangesOf, fillsOf, flowsOf } from '../trading/activity.ts';
import { Dec, isPositive, ZERO } from '../trading/decimal.ts';
import { type Share, weightsBySector, weightsBySymbol } from '../trading/portfolio/allocation.ts';
import { type Drawdowns, drawdowns, type Fall, type HighWaterMark } from '../trading/portfolio/drawdown.ts';
import { type Income, income } from '../trading/portfolio/income.ts';
import { tradingResults } from '../trading/portfolio/lots.ts';
import { accountReturns, knownValues } from '../trading/portfolio/returns.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import { type Flow, type ValuePoint, valuePoints } from '../trading/portfolio/value-point.ts';
import { volatility } from '../trading/portfolio/volatility.ts';
import { type AccountPerformance, accountPerformance } from '../trading/portfolio-performance.ts';
import type { Snapshot } from './snapshot.ts';

/** What the portfolio is and did. Dollars and fractions in exact decimals; docs/METRICS.md defines each. */
export interface Figures {
  readonly equity: Dec;
  readonly cash: Dec;
  readonly performance: AccountPerformance;
  readonly bySymbol: readonly Share[];
  readonly bySector: readonly Share[];
  /** From the first known value on, ending with now. */
  readonly points: readonly ValuePoint[];
  readonly drawdowns: Drawdowns;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
  readonly volatility: Dec | undefined;
  /** Dollars made by sales; undefined where the trades are not known. */
  readonly realized:
    | { readonly fifo: Dec; readonly average: Dec; readonly uncovered: readonly string[] }
    | undefined;
  readonly income: Income | undefined;
}

export interface FigureOptions {
  readonly sectorOf: (symbol: string) => string | undefined;
  /** Kept from the check before. */
  readonly mark?: HighWaterMark | undefined;
}

/** Computes every figure from a snapshot; the same snapshot and mark always give the same. */
export function figuresOf(snapshot: Snapshot, { sectorOf, mark }: FigureOptions): Figures {
  const { account, positions, activities, now } = snapshot;
  const equity = new Dec(account.equity);
  const flows = activities === undefined ? [] : flowsOf(activities);
  const present = { at: now, equity };
  const values = knownValues(snapshot.history, present);
  const { points, factors, timeWeighted, moneyWeighted } = accountReturns(snapshot.history, present, flows);
  const bySymbol = weightsBySymbol(positions, equity);
  return {
    equity,
    cash: new Dec(account.cash),
    performance: accountPerformance(account, positions),
    bySymbol,
    bySector: weightsBySector(bySymbol, equity, sectorOf),
    points,
    drawdowns: drawdownsSince(mark, points, values, flows),
    timeWeighted,
    moneyWeighted,
    volatility: volatility(points, factors),
    realized: activities && realizedOf(activities),
    income: activities && income(activities),
  };
}

/**
 * Where the account stands below the mark kept; the line, and its deepest fall, of all that is known. From check to check
 * alone neither would reach further back than the last one.
 */
function drawdownsSince(
  mark: HighWaterMark | undefined,
  points: readonly ValuePoint[],
  values: readonly Pick<ValuePoint, 'at' | 'value'>[],
  flows: readonly Flow[],
): Drawdowns {
  const known = drawdowns(points);
  if (mark === undefined) return known;
  // Counted from the very moment the mark stands at, often noon: what came in that morning is in its value already.
  const since = valuePoints([mark.last, ...values.filter(({ at }) => at > mark.last.at)], flows);
  const followed = drawdowns(since, mark);
  return {
    get series() {
      return known.series;
    },
    current: followed.current,
    worst: deeper(known.worst, followed.worst),
    mark: followed.mark,
  };
}

/** The mark may be of a moment between two days’ ends, which these do not show. */
function deeper(known: Fall | undefined, since: Fall | undefined): Fall | undefined {
  return since !== undefined && (known === undefined || since.fraction.gt(known.fraction)) ? since : known;
}

function realizedOf(activities: readonly Activity[]): NonNullable<Figures['realized']> {
  const fills = fillsOf(activities);
  const exchanges = exchangesOf(activities);
  const total = (results: ReturnType<typeof tradingResults>) =>
    [...results.values()].reduce((sum, { realized }) => sum.plus(realized), ZERO);
  const fifo = tradingResults(fills, 'fifo', exchanges);
  const uncovered = [...fifo]
    .filter(([, result]) => result.unclear || isPositive(result.uncovered))
    .map(([symbol]) => symbol)
    .sort();
  return { fifo: total(fifo), average: total(tradingResults(fills, 'average', exchanges)), uncovered };
}
