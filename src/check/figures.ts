import { type Activity, externalFlows } from '../trading/activity.ts';
import { Dec, ZERO } from '../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant, weekday } from '../trading/new-york-time.ts';
import { type Share, weightsBySector, weightsBySymbol } from '../trading/portfolio/allocation.ts';
import { benchmarkReturn } from '../trading/portfolio/benchmark.ts';
import { replayed, tradesOf } from '../trading/portfolio/closings.ts';
import { type Income, income } from '../trading/portfolio/dividends.ts';
import { type Drawdowns, drawdowns, type Fall, type HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { LotMethod } from '../trading/portfolio/lot-pool.ts';
import { accountReturns, mergedFlows } from '../trading/portfolio/returns.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import { type Flow, type ValuePoint, valuePoints } from '../trading/portfolio/value-point.ts';
import { volatility } from '../trading/portfolio/volatility.ts';
import { type AccountPerformance, accountPerformance } from '../trading/portfolio-performance.ts';
import type { Position } from '../trading/views.ts';
import { type Incomplete, incompleteFigures } from './incomplete.ts';
import type { Snapshot } from './snapshot.ts';

/** What the portfolio is and did. Dollars and fractions in exact decimals; docs/reference/METRICS.md defines each. */
export interface Figures {
  readonly equity: Dec;
  readonly cash: Dec;
  /** `lost`: worth nothing, since all was lost. `owes`: worth less than nothing. An account that was emptied is neither. */
  readonly ruin: 'lost' | 'owes' | undefined;
  readonly performance: AccountPerformance;
  readonly bySymbol: readonly Share[];
  readonly bySector: readonly Share[];
  /** From the first known value on, ending with now. */
  readonly points: readonly ValuePoint[];
  readonly drawdowns: Drawdowns;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
  readonly volatility: Dec | undefined;
  /** Of the same points as the time-weighted return. */
  readonly benchmark: PeriodReturn | undefined;
  /** Dollars made by sales; undefined where the trades are not known. */
  readonly realized:
    | { readonly fifo: Dec; readonly average: Dec; readonly uncovered: readonly string[] }
    | undefined;
  readonly income: Income | undefined;
  /** Which of these may not be what they say, and why. */
  readonly incomplete: readonly Incomplete[];
}

export interface FigureOptions {
  readonly sectorOf: (symbol: string) => string | undefined;
  /** Kept from the check before. */
  readonly mark?: HighWaterMark | undefined;
}

/** Computes every figure from a snapshot; the same snapshot and mark always give the same. */
export function figuresOf(snapshot: Snapshot, { sectorOf, mark }: FigureOptions): Figures {
  const { account, positions, activities, history, now, priceOn = () => undefined } = snapshot;
  const equity = new Dec(account.equity);
  const booked = activities && externalFlows(activities, priceOn).flows.filter(({ at }) => at <= now);
  const flows = mergedFlows(history, booked, now);
  const since = dayBegan(history, now);
  const present = { at: now, equity };
  const { line, points, factors, timeWeighted, moneyWeighted } = accountReturns(
    history,
    present,
    flows,
    booked,
  );
  const falls = drawdownsSince(mark, line, { flows, booked });
  const bySymbol = weightsBySymbol(positions, equity);
  return {
    equity,
    cash: new Dec(account.cash),
    ruin: equity.isNegative() ? 'owes' : equity.isZero() && falls.current.gte(1) ? 'lost' : undefined,
    performance: accountPerformance(
      account,
      positions,
      flowSince(since, line, flows, equity.minus(account.last_equity ?? equity)),
    ),
    bySymbol,
    bySector: weightsBySector(bySymbol, equity, sectorOf),
    points: line,
    drawdowns: falls,
    timeWeighted,
    moneyWeighted,
    volatility: volatility(points, factors),
    benchmark: snapshot.benchmark && benchmarkReturn(points, snapshot.benchmark.closes),
    realized: activities && realizedOf(activities, positions),
    income: activities && income(activities),
    incomplete: incompleteFigures(activities, {
      priceOn,
      flowsTold: history.some(({ flow }) => flow !== undefined),
      since,
    }),
  };
}

/** When the last day ended whose value the broker tells as that of the last close: the last one known, or weekday. */
function dayBegan(history: Snapshot['history'], now: number): number {
  let day = addDays(newYorkDate(now), -1);
  while (weekday(day) === 0 || weekday(day) === 6) day = addDays(day, -1);
  return Math.max(
    newYorkInstant(day, '24:00') - 1,
    history.findLast(({ at }) => at < now)?.at ?? Number.NEGATIVE_INFINITY,
  );
}

/**
 * What came since the last close, less what went. By the line where it has the value of that close: what was booked late is
 * put where it belongs there. Of an account's first day nobody says whether equity at the last close has what it began with:
 * it counts where that explains the day better.
 */
function flowSince(since: number, line: readonly ValuePoint[], flows: readonly Flow[], change: Dec): Dec {
  const [close, present] = line.slice(-2);
  if (close?.at === since && present !== undefined) return present.flow;
  const all = total(flows.filter(({ at }) => at > since));
  return line.length > 1 || change.minus(all).abs().lt(change.abs()) ? all : ZERO;
}

const total = (flows: readonly Pick<Flow, 'amount'>[]): Dec =>
  flows.reduce((sum, { amount }) => sum.plus(amount), ZERO);

/**
 * Where the account stands below the mark kept; the line, and its deepest fall, of all that is known. From check to check
 * alone neither would reach further back than the last one.
 * @param booked the flows that the activities tell, by which what came since the mark is known even where it is dated
 *   before; without them the mark stays where it is
 */
function drawdownsSince(
  mark: HighWaterMark | undefined,
  points: readonly ValuePoint[],
  { flows, booked }: { readonly flows: readonly Flow[]; readonly booked: readonly Flow[] | undefined },
): Drawdowns {
  const known = drawdowns(points);
  const allFlows = booked && total(booked);
  const followed = mark === undefined ? known : followedFrom(mark, points, flows, allFlows);
  return {
    get series() {
      return known.series;
    },
    current: followed.current,
    worst: mark === undefined ? known.worst : deeper(known.worst, followed.worst),
    mark:
      booked === undefined && mark !== undefined
        ? mark
        : followed.mark && { ...followed.mark, flows: allFlows },
  };
}

/** Counted from the very moment the mark stands at, often noon: what came in that morning is in its value already. */
function followedFrom(
  mark: HighWaterMark,
  values: readonly Pick<ValuePoint, 'at' | 'value'>[],
  flows: readonly Flow[],
  allFlows: Dec | undefined,
): Drawdowns {
  const since = valuePoints([mark.last, ...values.filter(({ at }) => at > mark.last.at)], flows);
  return drawdowns(placed(since, mark, allFlows), mark);
}

/**
 * The points since the mark, with the flows that became known since it: a deposit of its day may be in its value already
 * or not, and what was booked late is dated before it. What is not dated since counts for the first point.
 */
function placed(
  points: readonly ValuePoint[],
  { flows: before }: HighWaterMark,
  now: Dec | undefined,
): readonly ValuePoint[] {
  const [at, first, ...rest] = points;
  if (before === undefined || now === undefined || at === undefined || first === undefined) return points;
  const missing = now.minus(before).minus(total(points.map(({ flow }) => ({ amount: flow }))));
  return [at, { ...first, flow: first.flow.plus(missing) }, ...rest];
}

/** The mark may be of a moment between two days’ ends, which these do not show. */
function deeper(known: Fall | undefined, since: Fall | undefined): Fall | undefined {
  return since !== undefined && (known === undefined || since.fraction.gt(known.fraction)) ? since : known;
}

/**
 * What sales made, by what was paid and received alone; a symbol whose trades do not come to what is held is incomplete, as
 * one whose cost is not known.
 */
function realizedOf(
  activities: readonly Activity[],
  positions: readonly Position[],
): NonNullable<Figures['realized']> {
  const trades = tradesOf(activities);
  const { fills, exchanges } = trades;
  const traded = new Set([...fills, ...exchanges.flatMap(({ legs }) => legs)].map(({ symbol }) => symbol));
  // What was never traded made nothing.
  const held = positions.filter(({ symbol }) => traded.has(symbol));
  const by = (method: LotMethod) => {
    const { closings, uncertain } = replayed(trades, method, { positions: held, washSales: false });
    let made: Dec = ZERO;
    for (const { proceeds, cost } of closings)
      if (proceeds !== undefined && cost !== undefined) made = made.plus(proceeds).minus(cost);
    return { made, uncertain };
  };
  const { made: fifo, uncertain } = by('fifo');
  return { fifo, average: by('average').made, uncovered: uncertain };
}
