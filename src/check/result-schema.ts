import { z } from 'zod';
import { noticeFailureCodes } from '../notify/notice.ts';
import { decimalString } from '../trading/decimal.ts';
import { sides } from '../trading/order.ts';
import { figureNames } from './incomplete.ts';
import { ruleKinds } from './rules-schema.ts';

/*
 * Schema of the result. Checks don't load this module, because setting up the schema takes as long as checking all
 * rules.
 */

const dollars = decimalString.describe('Dollars');
const fraction = decimalString.describe('A fraction: 0.05 is 5%');
const optional = <T extends z.ZodType>(schema: T) => schema.nullable();

const periodReturn = z.object({
  period: fraction,
  annual: optional(fraction),
  days: z.number(),
  ended: z.string().optional().describe('Time of a total loss, at which the return ends'),
  began: z.string().optional().describe('Time at which new money arrived after a total loss'),
});
const share = z.object({ name: z.string(), value: dollars, weight: fraction });

const findingSchema = z.object({
  rule: z.string(),
  kind: z.enum(ruleKinds as [string, ...string[]]),
  subject: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  message: z.string(),
  facts: z.record(z.string(), z.string()),
  since: z.string().describe('RFC 3339 time at which the finding was first seen'),
  problem: z.string().optional().describe('Why the rule could not be checked'),
});

const noticeReportSchema = z.object({
  id: z.string().describe('Unchanged by retries; also sent to the recipient'),
  channel: z.string(),
  title: z.string(),
  status: z.enum(['delivered', 'waiting', 'given_up']).describe('waiting: retried at the next check'),
  attempts: z.int().describe('Attempts during this check'),
  error: z.object({ code: z.enum(noticeFailureCodes), message: z.string() }).optional(),
});
export type NoticeReport = z.output<typeof noticeReportSchema>;

/** The output of `check --output json`; source of docs/reference/schema/check.json. Amounts are decimal strings. */
export const checkResultSchema = z.object({
  schema: z.literal('trade-agent.check/1'),
  status: z.enum(['clear', 'found']),
  checked_at: z.string().describe('The broker’s time, RFC 3339'),
  rules_file: optional(z.string()),
  account: z.object({
    account: z.string(),
    environment: z.enum(['paper', 'live']),
    simulated: z.boolean(),
    broker: z.string().optional().describe('With --account all: the broker’s name in the gateway’s settings'),
    label: z.string().optional().describe('With --account all: the broker’s display name'),
  }),
  market: z.object({
    is_open: z.boolean(),
    next_open: z.string(),
    next_close: z.string(),
    closures: z.array(z.object({ date: z.string(), what: z.string() })),
  }),
  findings: z.array(findingSchema).describe('New since the previous check'),
  ongoing: z.array(findingSchema).describe('Reported before and still true'),
  snoozed: z.array(findingSchema),
  skipped: z.array(z.object({ rule: z.string(), reason: z.string() })),
  figures: z.object({
    equity: dollars,
    cash: dollars,
    cash_weight: fraction,
    day_profit: optional(dollars).describe('Null if equity at the last close is unknown'),
    day_return: optional(fraction),
    unrealized: dollars,
    unrealized_return: fraction,
    realized_fifo: optional(dollars),
    realized_average_cost: optional(dollars),
    realized_incomplete: z.array(z.string()).describe('Symbols whose realized gains are incomplete'),
    dividends: optional(dollars),
    interest: optional(dollars),
    fees: optional(dollars),
    time_weighted_return: optional(periodReturn),
    money_weighted_return: optional(periodReturn),
    benchmark: optional(
      z.object({
        symbol: z.string(),
        return: periodReturn.describe('With dividends, over the days of the time-weighted return'),
        excess: fraction.describe('The time-weighted return minus the benchmark’s'),
      }),
    ).describe('For the symbol in the rules file'),
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
      .describe('Figures that may be wrong, with the reason'),
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
          amount: optional(dollars).describe('Dollars at the limit price'),
          reason: z.string().describe('drift, funding, or the conditional order’s rule'),
        }),
      ),
      left: z.array(z.object({ symbol: z.string(), reason: z.string() })),
    }),
  ),
  proposals: z
    .array(z.record(z.string(), z.unknown()))
    .describe('The proposed orders of each round, in the format of run --output json'),
  notices: z
    .array(noticeReportSchema)
    .describe('Delivery of this check’s notices, and of notices that earlier checks could not send'),
  notes: z.array(z.string()),
});
export type CheckResult = z.output<typeof checkResultSchema>;
