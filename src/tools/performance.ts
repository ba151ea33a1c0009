import { isTradeAgentError } from '../errors/errors.ts';
import { type Activity, toShareExchanges } from '../trading/activity.ts';
import { Dec, ZERO } from '../trading/decimal.ts';
import { newYorkMidnight } from '../trading/new-york-time.ts';
import type { Period } from '../trading/period.ts';
import { type BenchmarkReturn, benchmarkReturn } from '../trading/portfolio/benchmark.ts';
import { contributions, profitsBySymbol } from '../trading/portfolio/contribution.ts';
import { dividendsByMonth } from '../trading/portfolio/dividends.ts';
import { buildPortfolioView, type PortfolioHistory } from '../trading/portfolio/portfolio-view.ts';
import { beta, dailyRate, sharpeRatio, sortinoRatio } from '../trading/portfolio/risk-adjusted.ts';
import { rollingReturns } from '../trading/portfolio/rolling-returns.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import { sumTodaysTrades } from '../trading/portfolio/todays-trades.ts';
import { volatility } from '../trading/portfolio/volatility.ts';
import type { Account, Position } from '../trading/views.ts';
import { type AccountHistory, type AccountHistoryGateway, readAccountHistory } from './account-history.ts';
import { readDailyCloses } from './daily-closes.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';

interface PerformanceQuery {
  readonly period: Period;
  readonly benchmark: string;
  readonly mustHaveBenchmark: boolean;
  /** Annual risk-free rate, as a fraction. */
  readonly riskFree: string;
  /** Whether to compute contributions, which requires one request per position. */
  readonly byPosition: boolean;
}

const MAX_POINTS = 100;
/** Minimum number of daily returns for a ratio. With less than a month of returns, ratios are meaningless. */
const MIN_RETURNS = 20;
const ROLLING_MONTHS = [1, 3, 12];
const MAX_SYMBOLS = 100;
const CONCURRENT_REQUESTS = 6;

export type PerformanceReport = Awaited<ReturnType<typeof readPerformance>>;

/**
 * Returns the performance of an account and of a benchmark over a period, as decimal strings
 * (docs/reference/METRICS.md).
 * @throws {TradeAgentError} `unknown_symbol` for a named benchmark that does not exist
 */
export async function readPerformance(
  gateway: AccountHistoryGateway & Pick<GatewayClient, 'bars'>,
  query: PerformanceQuery,
) {
  const line = await readAccountHistory(gateway, query.period);
  const { account, positions, now, equity, returns, activities } = line;
  const { allPoints: all, points, factors = [], timeWeighted, moneyWeighted } = returns;
  const first = all[0] ?? { at: now, value: equity };
  const added = all.slice(1).reduce((sum, { flow }) => sum.plus(flow), ZERO);
  const profit = equity.minus(first.value).minus(added);
  const benchmark = await readBenchmark(gateway, line, query);
  const yearly = volatility(points, factors);
  return {
    period: query.period,
    from: new Date(first.at).toISOString(),
    to: new Date(now).toISOString(),
    equity: account.equity,
    equity_before: first.value.toFixed(2),
    added: added.toFixed(2),
    profit: profit.toFixed(2),
    time_weighted: returnView(timeWeighted),
    money_weighted: returnView(moneyWeighted),
    benchmark: {
      symbol: query.benchmark,
      return: returnView(benchmark),
      excess: excessReturn(timeWeighted, benchmark),
    },
    ratios: computeRatios(factors, benchmark, query.riskFree),
    volatility: yearly === undefined ? null : fraction(yearly),
    rolling: ROLLING_MONTHS.flatMap((months) => rollingView(points, factors, months)),
    dividends_by_month: dividendsByMonth(activities).map(({ month, total }) => ({
      month,
      amount: total.toFixed(2),
    })),
    ...(query.byPosition ? { contributions: await readContributions(gateway, line) } : {}),
    // Without the value at the end of an earlier day, the cash flows since then are unknown.
    ...currentFigures(account, positions, {
      dayFlow: all.length > 1 ? all.at(-1)?.flow : undefined,
      traded: sumTodaysTrades(activities, newYorkMidnight(now)),
    }),
    values: thinned(all, MAX_POINTS).map(({ at, value }) => ({
      at: new Date(at).toISOString(),
      equity: value.toFixed(2),
    })),
    simulated: account.simulated,
  };
}

async function readBenchmark(
  gateway: Pick<GatewayClient, 'bars'>,
  { returns: { points } }: AccountHistory,
  { benchmark: symbol, mustHaveBenchmark }: PerformanceQuery,
): Promise<BenchmarkReturn | undefined> {
  const [first] = points;
  if (first === undefined) return undefined;
  try {
    return benchmarkReturn(points, await readDailyCloses(gateway, { symbol, since: first.at, adjustment: 'all' }));
  } catch (error) {
    // If an optional benchmark can't be read, the other figures are returned without it.
    if (mustHaveBenchmark || !isTradeAgentError(error) || error.code === 'login_required') throw error;
    return undefined;
  }
}

function excessReturn(own: PeriodReturn | undefined, other: PeriodReturn | undefined): string | null {
  return own === undefined || other === undefined ? null : fraction(own.period.minus(other.period));
}

function computeRatios(factors: readonly Dec[], benchmark: BenchmarkReturn | undefined, riskFree: string) {
  const daily = dailyRate(new Dec(riskFree));
  const returns = factors.map((factor) => factor.minus(1));
  const excess = returns.map((one) => one.minus(daily));
  const enough = returns.length >= MIN_RETURNS;
  const pairs = returns.flatMap((portfolio, i) => {
    const factor = benchmark?.factors[i];
    return factor === undefined ? [] : [{ portfolio, benchmark: factor.minus(1) }];
  });
  const shown = (ratio: Dec | undefined) => (enough && ratio !== undefined ? ratio.toFixed(4) : null);
  return {
    risk_free: riskFree,
    returns_counted: returns.length,
    sharpe: shown(sharpeRatio(excess)),
    sortino: shown(sortinoRatio(excess)),
    beta: shown(beta(pairs)),
  };
}

function rollingView(points: AccountHistory['returns']['points'], factors: readonly Dec[], months: number) {
  const found = rollingReturns(points, factors, months);
  if (found === undefined) return [];
  const { count, gains, average, ...windows } = found;
  const view = ({ ends, return: made }: typeof found.latest) => ({ ends, fraction: fraction(made) });
  return [
    {
      months,
      count,
      gains,
      average: fraction(average),
      latest: view(windows.latest),
      best: view(windows.best),
      worst: view(windows.worst),
    },
  ];
}

/** Returns the contributions of the largest positions, and the sum of the rest. */
async function readContributions(gateway: Pick<GatewayClient, 'bars'>, line: AccountHistory) {
  const { positions, returns, activities } = line;
  const { points, factors = [] } = returns;
  const [first] = points;
  const symbols = heldAndTradedSymbols(positions, activities);
  const asked = symbols.slice(0, MAX_SYMBOLS);
  const waiting = [...asked];
  const closes = new Map<string, Awaited<ReturnType<typeof readDailyCloses>>>();
  const worker = async () => {
    for (let symbol = waiting.shift(); symbol !== undefined; symbol = waiting.shift()) {
      const query = { symbol, since: first?.at ?? line.now, adjustment: 'raw' } as const;
      const found = await readDailyCloses(gateway, query).catch((error: unknown) => {
        if (isTradeAgentError(error) && error.code !== 'login_required') return [];
        throw error;
      });
      if (found.length > 0) closes.set(symbol, found);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, worker));
  const found = contributions(points, factors, profitsBySymbol(points, positions, activities, closes));
  const view = ({ profit, contribution }: { profit: Dec; contribution: Dec }) => ({
    profit: profit.toFixed(2),
    contribution: fraction(contribution),
  });
  return {
    positions: found.positions.map((one) => ({ symbol: one.symbol, ...view(one) })),
    rest: view(found.rest),
    total: fraction(found.total),
    not_priced: symbols.filter((symbol) => !closes.has(symbol)),
  };
}

/** Returns the symbols of the positions, largest first, and then other symbols that were traded. */
function heldAndTradedSymbols(positions: readonly Position[], activities: readonly Activity[]): string[] {
  const held = [...positions]
    .sort((a, b) => new Dec(b.market_value).abs().comparedTo(new Dec(a.market_value).abs()))
    .map(({ symbol }) => symbol);
  const traded = activities.flatMap(({ kind, symbol }) => (kind === 'fill' && symbol !== null ? [symbol] : []));
  const moved = toShareExchanges(activities).flatMap(({ legs }) => legs.map(({ symbol }) => symbol));
  return [...new Set([...held, ...[...traded, ...moved].sort()])];
}

function currentFigures(account: Account, positions: readonly Position[], day: PortfolioHistory) {
  const figures = buildPortfolioView(account, positions, day);
  return {
    day_profit: figures.day_change,
    day_fraction: figures.day_change_fraction,
    total_profit: figures.total.unrealized,
    total_fraction: figures.total.unrealized_fraction,
    cash_weight: figures.cash_weight,
    market_value: figures.total.value,
    positions: figures.rows.map(({ symbol, day_change, weight }) => ({
      symbol,
      day_profit: day_change,
      weight,
    })),
  };
}

function returnView(rate: PeriodReturn | undefined) {
  if (rate === undefined) return null;
  return {
    fraction: fraction(rate.period),
    annual: rate.annual === undefined ? null : fraction(rate.annual),
    ...(rate.ended === undefined ? {} : { all_lost: time(rate.ended) }),
    ...(rate.began === undefined ? {} : { began_anew: time(rate.began) }),
  };
}

const time = (at: number) => new Date(at).toISOString();
const fraction = (value: Dec) => value.toDecimalPlaces(6).toFixed();

function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => points[Math.round(at * step)] as T);
}
