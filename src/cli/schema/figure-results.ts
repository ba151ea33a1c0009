import { z } from 'zod';
import { activityKinds } from '../../trading/activity.ts';
import { sides } from '../../trading/order.ts';
import { periods } from '../../trading/period.ts';
import { lotMethods } from '../../trading/portfolio/lot-pool.ts';

const dollars = z.string().describe('dollars, a decimal number');
const fraction = z.string().describe('a fraction, a decimal number: 0.05 is 5 %');
const decimal = z.string().describe('a decimal number, never a float');
const date = z.string().describe('YYYY-MM-DD, in New York');
const lotSides = z.enum(['long', 'short']);
const term = z.enum(['short', 'long', 'unknown']);
const method = z.enum(lotMethods).describe('which shares a sale takes');
const rates = z
  .object({
    fraction,
    annual: fraction.nullable().describe('a year’s rate, from a year on'),
    all_lost: z.string().optional().describe('RFC 3339: when all was lost, where the return ends'),
    began_anew: z.string().optional().describe('RFC 3339: when it began, after all had been lost'),
  })
  .nullable()
  .describe('null where no rate says it');
const totals = z.object({ proceeds: dollars, cost: dollars, adjustment: dollars, gain: dollars });
const windowReturn = z.object({ ends: date, fraction });
const contribution = z.object({ profit: dollars, contribution: fraction });
const incomplete = z.array(z.string()).describe('symbols of which not all is known');
const imported = z.int().describe('how many of the activities were imported from files');

/** docs/reference/METRICS.md defines each figure. */
export const figureResults = {
  performance: z.object({
    period: z.enum(periods),
    from: z.string().describe('RFC 3339'),
    to: z.string().describe('RFC 3339'),
    equity: dollars,
    equity_before: dollars.describe('dollars, at the end of the day before the period'),
    added: dollars.describe('dollars that came from outside, less those that went there'),
    profit: dollars,
    time_weighted: rates,
    money_weighted: rates,
    benchmark: z.object({
      symbol: z.string(),
      return: rates.describe(
        'with dividends, over the account’s own days; null where its prices don’t reach back',
      ),
      excess: fraction.nullable().describe('the time-weighted return less the benchmark’s'),
    }),
    ratios: z
      .object({
        risk_free: fraction.describe('a year’s rate'),
        returns_counted: z.int(),
        sharpe: decimal.nullable(),
        sortino: decimal.nullable(),
        beta: decimal.nullable(),
      })
      .describe('null below twenty daily returns, or where there is nothing to divide by'),
    volatility: fraction.nullable().describe('a year’s'),
    rolling: z
      .array(
        z.object({
          months: z.int(),
          count: z.int(),
          gains: z.int().describe('how many of them made a gain'),
          average: fraction,
          latest: windowReturn,
          best: windowReturn,
          worst: windowReturn,
        }),
      )
      .describe('of every stretch of so many months that ends on a day of the period'),
    dividends_by_month: z.array(z.object({ month: z.string(), amount: dollars })),
    contributions: z
      .object({
        positions: z.array(contribution.extend({ symbol: z.string() })),
        rest: contribution.describe('interest, fees, and positions without prices'),
        total: fraction.describe('the time-weighted return: what all of them add up to'),
        not_priced: z.array(z.string()),
      })
      .optional(),
    day_profit: dollars.nullable().describe('null where equity at the last close is not known'),
    day_fraction: fraction.nullable(),
    total_profit: dollars.describe('dollars, unrealized'),
    total_fraction: fraction,
    cash_weight: fraction,
    market_value: dollars,
    positions: z.array(z.object({ symbol: z.string(), day_profit: dollars, weight: fraction })),
    values: z.array(z.object({ at: z.string(), equity: dollars })).describe('a hundred at most, evenly'),
    simulated: z.boolean(),
  }),
  gains: z.object({
    year: z.string().nullable(),
    method,
    gains: z
      .array(
        z.object({
          symbol: z.string(),
          side: lotSides,
          qty: decimal,
          description: z.string(),
          acquired: date.nullable(),
          sold: date,
          proceeds: dollars.nullable(),
          cost: dollars.nullable(),
          adjustment_code: z.enum(['W', '']).describe('W: a wash sale'),
          adjustment: dollars.describe('dollars of loss that are disallowed'),
          gain: dollars.nullable().describe('proceeds - cost + adjustment'),
          term,
        }),
      )
      .describe('Form 8949, columns (a) to (h), oldest first'),
    totals: z
      .object({ short_term: totals, long_term: totals, all: totals })
      .describe('of lines whose gain is known'),
    by_year: z.array(z.object({ year: z.string(), short_term: dollars, long_term: dollars, all: dollars })),
    incomplete,
    imported,
    notes: z.array(z.string()),
    simulated: z.boolean(),
  }),
  lots: z.object({
    method,
    lots: z.array(
      z.object({
        symbol: z.string(),
        side: lotSides,
        acquired: date.nullable(),
        qty: decimal,
        cost: dollars.nullable(),
        value: dollars,
        gain: dollars.nullable().describe('unrealized'),
        term,
        long_term_from: date.nullable(),
      }),
    ),
    incomplete,
    imported,
    simulated: z.boolean(),
  }),
  import: z.object({
    id: z.string().describe('of the file: the same file has the same'),
    file: z.string(),
    account: z.string(),
    dry_run: z.boolean(),
    taken: z
      .array(
        z.object({
          line: z.int(),
          at: z.string().describe('RFC 3339'),
          kind: z.enum(activityKinds),
          symbol: z.string().nullable(),
          side: z.enum(sides).nullable(),
          qty: decimal.nullable(),
          price: decimal.nullable(),
          amount: decimal.nullable(),
        }),
      )
      .describe('what was not there'),
    known: z.array(z.int()).describe('lines of what was there already'),
    told_by_broker: z
      .array(z.int())
      .describe('lines of the time that the broker tells of itself: kept, not counted'),
    broker_since: date.nullable(),
    bad: z.array(z.object({ line: z.int(), reason: z.string() })),
    ignored_columns: z.array(z.string()),
    simulated: z.boolean(),
  }),
  imports: z.object({
    imports: z.array(z.object({ id: z.string(), file: z.string(), at: z.string(), rows: z.int() })),
  }),
  'import-undone': z.object({ id: z.string(), removed: z.int() }),
} as const satisfies Record<string, z.ZodObject>;
