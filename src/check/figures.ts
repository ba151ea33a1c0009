import { type Activity, externalFlows } from '../trading/activity.ts';
import { Dec, ZERO } from '../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant, weekday } from '../trading/new-york-time.ts';
import { weightsBySector, weightsBySymbol } from '../trading/portfolio/allocation.ts';
import { benchmarkReturn } from '../trading/portfolio/benchmark.ts';
import { incomeTotals } from '../trading/portfolio/dividends.ts';
import { type Drawdown, type Drawdowns, drawdowns, type HighWaterMark } from '../trading/portfolio/drawdown.ts';
import { replayLots, toTrades } from '../trading/portfolio/lot-history-replay.ts';
import type { LotMethod } from '../trading/portfolio/lot-pool.ts';
import { accountReturns, mergeFlows } from '../trading/portfolio/returns.ts';
import { type Flow, toValuePoints, type ValuePoint } from '../trading/portfolio/value-point.ts';
import { volatility } from '../trading/portfolio/volatility.ts';
import { accountPerformance } from '../trading/portfolio-performance.ts';
import type { Position } from '../trading/views.ts';
import { findIncompleteFigures } from './incomplete.ts';
import type { Snapshot } from './snapshot.ts';

export type Figures = ReturnType<typeof computePortfolioFigures>;

export function computePortfolioFigures(
  snapshot: Snapshot,
  { sectorOf, mark }: { sectorOf: (symbol: string) => string | undefined; mark?: HighWaterMark | undefined },
) {
  const { account, positions, activities, history, now, priceOn = () => undefined } = snapshot;
  const equity = new Dec(account.equity);
  const booked = activities && externalFlows(activities, priceOn).flows.filter(({ at }) => at <= now);
  const flows = mergeFlows(history, booked, now);
  const since = dayStart(history, now);
  const present = { at: now, equity };
  const returns = accountReturns(history, present, flows, booked);
  const { allPoints: line, points, factors, timeWeighted, moneyWeighted } = returns;
  const falls = drawdownsSince(mark, line, { flows, booked });
  const bySymbol = weightsBySymbol(positions, equity);
  const change = equity.minus(account.last_equity ?? equity);
  // A drawdown below 100% means that the money was withdrawn, not lost.
  const ruin: 'lost' | 'owes' | undefined = equity.isNegative()
    ? 'owes'
    : equity.isZero() && falls.current.gte(1)
      ? 'lost'
      : undefined;
  return {
    equity,
    cash: new Dec(account.cash),
    ruin,
    performance: accountPerformance(account, positions, flowSinceClose(since, line, flows, change)),
    bySymbol,
    bySector: weightsBySector(bySymbol, equity, sectorOf),
    points: line,
    drawdowns: falls,
    timeWeighted,
    moneyWeighted,
    volatility: volatility(points, factors),
    benchmark: snapshot.benchmark && benchmarkReturn(points, snapshot.benchmark.closes),
    realized: activities && realizedGains(activities, positions),
    income: activities && incomeTotals(activities),
    incomplete: findIncompleteFigures(activities, {
      priceOn,
      flowsReported: history.some(({ flow }) => flow !== undefined),
      valuesFrom: history[0]?.at,
      since,
    }),
  };
}

/** Returns the end of the previous weekday or, if later, the time of the history's latest value. */
function dayStart(history: Snapshot['history'], now: number): number {
  let day = addDays(newYorkDate(now), -1);
  while (weekday(day) === 0 || weekday(day) === 6) day = addDays(day, -1);
  return Math.max(
    newYorkInstant(day, '24:00') - 1,
    history.findLast(({ at }) => at < now)?.at ?? Number.NEGATIVE_INFINITY,
  );
}

/**
 * Returns deposits minus withdrawals since the last close. If the equity curve has a point at that close, the flow is
 * already part of the curve's last point. On an account's first day, `last_equity` may include the opening deposit, so
 * the flow counts only if counting it makes the day's change smaller.
 */
function flowSinceClose(since: number, line: readonly ValuePoint[], flows: readonly Flow[], change: Dec): Dec {
  const [close, present] = line.slice(-2);
  if (close?.at === since && present !== undefined) return present.flow;
  const all = totalFlow(flows.filter(({ at }) => at > since));
  return line.length > 1 || change.minus(all).abs().lt(change.abs()) ? all : ZERO;
}

const totalFlow = (flows: readonly Pick<Flow, 'amount'>[]): Dec =>
  flows.reduce((sum, { amount }) => sum.plus(amount), ZERO);

function drawdownsSince(
  mark: HighWaterMark | undefined,
  points: readonly ValuePoint[],
  { flows, booked }: { readonly flows: readonly Flow[]; readonly booked: readonly Flow[] | undefined },
): Drawdowns {
  const known = drawdowns(points);
  const allFlows = booked && totalFlow(booked);
  const followed = mark === undefined ? known : drawdownsFromMark(mark, points, flows, allFlows);
  return {
    get series() {
      return known.series;
    },
    current: followed.current,
    worst: mark === undefined ? known.worst : deeperFall(known.worst, followed.worst),
    mark: booked === undefined && mark !== undefined ? mark : followed.mark && { ...followed.mark, flows: allFlows },
  };
}

/**
 * Returns the drawdowns since the high-water mark. They start at the mark's exact time, often midday, because the
 * mark's value includes that morning's flows.
 */
function drawdownsFromMark(
  mark: HighWaterMark,
  values: readonly Pick<ValuePoint, 'at' | 'value'>[],
  flows: readonly Flow[],
  allFlows: Dec | undefined,
): Drawdowns {
  const since = toValuePoints([mark.last, ...values.filter(({ at }) => at > mark.last.at)], flows);
  return drawdowns(withLateFlows(since, mark, allFlows), mark);
}

/**
 * Adds flows that became known after the high-water mark was stored to the first point after the mark. The points' own
 * flows may lack these flows: the mark's value may already include a deposit of the same day, and flows that the broker
 * posts late have earlier dates.
 */
function withLateFlows(
  points: readonly ValuePoint[],
  { flows: before }: HighWaterMark,
  now: Dec | undefined,
): readonly ValuePoint[] {
  const [at, first, ...rest] = points;
  if (before === undefined || now === undefined || at === undefined || first === undefined) return points;
  const missing = now.minus(before).minus(totalFlow(points.map(({ flow }) => ({ amount: flow }))));
  return [at, { ...first, flow: first.flow.plus(missing) }, ...rest];
}

/** Returns the deeper drawdown. Either can be deeper, because the mark may lie between two end-of-day values. */
function deeperFall(known: Drawdown | undefined, since: Drawdown | undefined): Drawdown | undefined {
  return since !== undefined && (known === undefined || since.fraction.gt(known.fraction)) ? since : known;
}

/**
 * Returns realized gains, ignoring the wash sale rule. `uncovered` lists symbols whose trades do not match the
 * positions.
 */
function realizedGains(activities: readonly Activity[], positions: readonly Position[]) {
  const trades = toTrades(activities);
  const { fills, exchanges } = trades;
  const traded = new Set([...fills, ...exchanges.flatMap(({ legs }) => legs)].map(({ symbol }) => symbol));
  const held = positions.filter(({ symbol }) => traded.has(symbol));
  const by = (method: LotMethod) => {
    const { closings, uncertain } = replayLots(trades, method, { positions: held, washSales: false });
    let made: Dec = ZERO;
    for (const { proceeds, cost } of closings)
      if (proceeds !== undefined && cost !== undefined) made = made.plus(proceeds).minus(cost);
    return { made, uncertain };
  };
  const { made: fifo, uncertain } = by('fifo');
  return { fifo, average: by('average').made, uncovered: uncertain };
}
