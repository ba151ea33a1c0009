import type { Dec } from '../trading/decimal.ts';
import type { OrderRequest } from '../trading/order.ts';
import type { Rebalancing } from '../trading/portfolio/rebalance.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import type { Figures } from './figures.ts';
import type { Firing } from './firing.ts';
import type { Look } from './observe.ts';
import { closures } from './observe-account.ts';
import type { CheckResult } from './result-schema.ts';
import type { Snapshot } from './snapshot.ts';

/** Closures of the next two weeks are told with every result, rule or no rule. */
const CLOSURES_AHEAD_MS = 14 * 86_400_000;

const money = (value: Dec) => value.toFixed(2);
const rate = (value: Dec) => value.toDecimalPlaces(12).toFixed();
const time = (at: number) => new Date(at).toISOString();
const returns = (value: PeriodReturn | undefined) =>
  value === undefined
    ? null
    : {
        period: rate(value.period),
        annual: value.annual === undefined ? null : rate(value.annual),
        days: Math.round(value.days * 100) / 100,
        ...(value.ended === undefined ? {} : { ended: time(value.ended) }),
        ...(value.began === undefined ? {} : { began: time(value.began) }),
      };

export interface ResultParts {
  readonly rulesFile: string | undefined;
  readonly snapshot: Snapshot;
  readonly figures: Figures;
  readonly look: Look;
  readonly firing: Firing;
  /** As the rules file has them. */
  readonly targets: Readonly<Record<string, string>>;
  readonly suggestion: CheckResult['suggestion'];
}

/** Puts everything a check found into its one result. */
export function checkResult({
  rulesFile,
  snapshot,
  figures,
  look,
  firing,
  targets,
  suggestion,
}: ResultParts): CheckResult {
  const { account, clock } = snapshot;
  const { performance, drawdowns, realized, income } = figures;
  const shares = (list: Figures['bySymbol']) =>
    list.map(({ name, value, weight }) => ({ name, value: money(value), weight: rate(weight) }));
  const by_symbol = shares(figures.bySymbol);
  const weights = new Map(by_symbol.map(({ name, weight }) => [name, weight]));
  return {
    schema: 'trade-agent.check/1',
    status: firing.findings.length > 0 ? 'found' : 'clear',
    checked_at: time(snapshot.now),
    rules_file: rulesFile ?? null,
    account: { account: account.account, environment: account.environment, simulated: account.simulated },
    market: {
      is_open: clock.is_open,
      next_open: clock.next_open,
      next_close: clock.next_close,
      closures: closures(snapshot, CLOSURES_AHEAD_MS),
    },
    findings: [...firing.findings],
    ongoing: [...firing.ongoing],
    snoozed: [...firing.snoozed],
    skipped: look.skipped.map(({ rule, reason }) => ({ rule: rule.name, reason })),
    figures: {
      equity: money(figures.equity),
      cash: money(figures.cash),
      cash_weight: performance.cashWeight,
      day_profit: performance.dayProfit,
      day_return: performance.dayFraction,
      unrealized: performance.totalProfit,
      unrealized_return: performance.totalFraction,
      realized_fifo: realized === undefined ? null : money(realized.fifo),
      realized_average_cost: realized === undefined ? null : money(realized.average),
      realized_incomplete: [...(realized?.uncovered ?? [])],
      dividends: income === undefined ? null : money(income.dividends),
      interest: income === undefined ? null : money(income.interest),
      fees: income === undefined ? null : money(income.fees),
      time_weighted_return: returns(figures.timeWeighted),
      money_weighted_return: returns(figures.moneyWeighted),
      benchmark: benchmarkView(snapshot, figures),
      volatility: figures.volatility === undefined ? null : rate(figures.volatility),
      drawdown: rate(drawdowns.current),
      high_water_mark:
        drawdowns.mark === undefined
          ? null
          : { value: money(drawdowns.mark.value), at: time(drawdowns.mark.at) },
      worst_drawdown:
        drawdowns.worst === undefined
          ? null
          : {
              fraction: rate(drawdowns.worst.fraction),
              peak_at: time(drawdowns.worst.peakAt),
              trough_at: time(drawdowns.worst.troughAt),
              recovered_at:
                drawdowns.worst.recoveredAt === undefined ? null : time(drawdowns.worst.recoveredAt),
            },
      by_symbol,
      by_sector: shares(figures.bySector),
      incomplete: figures.incomplete.map(({ figures: named, reason }) => ({ figures: [...named], reason })),
    },
    targets: Object.entries(targets)
      .filter(([symbol]) => symbol !== 'cash')
      .map(([symbol, target]) => ({ symbol, target, weight: weights.get(symbol) ?? '0' })),
    suggestion,
    proposals: [],
    notices: [],
    notes: [...snapshot.notes],
  };
}

function benchmarkView({ benchmark }: Snapshot, figures: Figures): CheckResult['figures']['benchmark'] {
  const own = figures.timeWeighted;
  const other = figures.benchmark && returns(figures.benchmark);
  if (benchmark === undefined || own === undefined || !other) return null;
  return { symbol: benchmark.symbol, return: other, excess: rate(own.period.minus(other.period)) };
}

/** A suggested order as the result shows it. @param amount dollars it comes to; null where it has terms of its own */
export function suggestedOrder(request: OrderRequest, amount: string | null, reason: string) {
  const { symbol, side, qty = null, notional = null, type, limit_price = null } = request;
  return { symbol, side, qty, notional, type, limit_price, amount, reason };
}

/** A rebalancing as the result shows it. */
export function suggestionView(rebalancing: Rebalancing): NonNullable<CheckResult['suggestion']> {
  return {
    orders: rebalancing.orders.map(({ request, amount, reason }) =>
      suggestedOrder(request, money(amount), reason),
    ),
    left: [...rebalancing.left],
  };
}
