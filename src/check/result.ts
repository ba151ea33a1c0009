import { z } from 'zod';
import { failureCodes } from '../notify/notice.ts';
import { type Dec, decimalString } from '../trading/decimal.ts';
import { type OrderRequest, sides } from '../trading/order.ts';
import type { Rebalancing } from '../trading/portfolio/rebalance.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import type { Figures } from './figures.ts';
import type { Firing } from './firing.ts';
import { figureNames } from './incomplete.ts';
import type { Look } from './observe.ts';
import { closures } from './observe-account.ts';
import { ruleKinds } from './rules-schema.ts';
import type { Snapshot } from './snapshot.ts';

const dollars = decimalString.describe('Dollars');
const fraction = decimalString.describe('A fraction: 0.05 is 5 %');
const optional = <T extends z.ZodType>(schema: T) => schema.nullable();

const periodReturn = z.object({
  period: fraction,
  annual: optional(fraction),
  days: z.number(),
  ended: z.string().optional().describe('When all was lost: there is no return from there on'),
  began: z.string().optional().describe('When it began anew, with new money after all was lost'),
});
const share = z.object({ name: z.string(), value: dollars, weight: fraction });

const findingSchema = z.object({
  rule: z.string(),
  kind: z.enum(ruleKinds as [string, ...string[]]),
  subject: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  message: z.string(),
  facts: z.record(z.string(), z.string()),
  since: z.string().describe('When it was first seen, RFC 3339'),
  problem: z.string().optional().describe('Why the rule could not look'),
});

const noticeReportSchema = z.object({
  id: z.string().describe('The same at each retry, and what the recipient gets'),
  channel: z.string(),
  title: z.string(),
  status: z
    .enum(['delivered', 'waiting', 'given_up'])
    .describe('waiting: it is tried again at the next check'),
  attempts: z.int().describe('At this check'),
  error: z.object({ code: z.enum(failureCodes), message: z.string() }).optional(),
});
export type NoticeReport = z.output<typeof noticeReportSchema>;

/** What `check --output json` prints; docs/schema/check.json is made from this. Amounts are decimal strings. */
export const checkResultSchema = z.object({
  schema: z.literal('trade-agent.check/1'),
  status: z.enum(['clear', 'found']),
  checked_at: z.string().describe('The broker’s time, RFC 3339'),
  rules_file: optional(z.string()),
  account: z.object({
    account: z.string(),
    environment: z.enum(['paper', 'live']),
    simulated: z.boolean(),
    broker: z.string().optional().describe('Of --account all: its name in the gateway’s settings'),
    label: z.string().optional().describe('Of --account all: what that broker is called'),
  }),
  market: z.object({
    is_open: z.boolean(),
    next_open: z.string(),
    next_close: z.string(),
    closures: z.array(z.object({ date: z.string(), what: z.string() })),
  }),
  findings: z.array(findingSchema).describe('New since the check before'),
  ongoing: z.array(findingSchema).describe('Told before, and still so'),
  snoozed: z.array(findingSchema),
  skipped: z.array(z.object({ rule: z.string(), reason: z.string() })),
  figures: z.object({
    equity: dollars,
    cash: dollars,
    cash_weight: fraction,
    day_profit: dollars,
    day_return: fraction,
    unrealized: dollars,
    unrealized_return: fraction,
    realized_fifo: optional(dollars),
    realized_average_cost: optional(dollars),
    realized_incomplete: z
      .array(z.string())
      .describe('Symbols whose trades do not tell what their sales made'),
    dividends: optional(dollars),
    interest: optional(dollars),
    fees: optional(dollars),
    time_weighted_return: optional(periodReturn),
    money_weighted_return: optional(periodReturn),
    benchmark: optional(
      z.object({
        symbol: z.string(),
        return: periodReturn.describe('With dividends, over the days of the time-weighted return'),
        excess: fraction.describe('The time-weighted return less the benchmark’s'),
      }),
    ).describe('Of the symbol that the rules file names'),
    volatility: optional(fraction),
    drawdown: fraction,
    high_water_mark: optional(z.object({ value: dollars, at: z.string() })),
    worst_drawdown: optional(
      z.object({ fraction, peak_at: z.string(), trough_at: z.string(), recovered_at: optional(z.string()) }),
    ),
    by_symbol: z.array(share),
    by_sector: z.array(share),
    incomplete: z
      .array(z.object({ figures: z.array(z.enum(figureNames)), reason: z.string() }))
      .describe('Which of these may not be what they say, and why'),
  }),
  targets: z.array(z.object({ symbol: z.string(), target: fraction, weight: fraction })),
  suggestion: optional(
    z.object({
      orders: z.array(
        z.object({
          symbol: z.string(),
          side: z.enum(sides),
          qty: optional(decimalString),
          notional: optional(dollars),
          type: z.string(),
          limit_price: optional(dollars),
          amount: optional(dollars).describe('What it moves, at the limit'),
          reason: z.string().describe('drift, funding, or the conditional order’s rule'),
        }),
      ),
      left: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    }),
  ),
  proposals: z
    .array(z.record(z.string(), z.unknown()))
    .describe('As run --output json prints them, one for each round'),
  notices: z
    .array(noticeReportSchema)
    .describe('What became of the notices: this check’s, and those that earlier ones could not send'),
  notes: z.array(z.string()),
});
export type CheckResult = z.output<typeof checkResultSchema>;

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
  readonly targets: ReadonlyMap<string, Dec>;
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
    targets: [...targets].map(([symbol, target]) => ({
      symbol,
      target: rate(target),
      weight: weights.get(symbol) ?? '0',
    })),
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
