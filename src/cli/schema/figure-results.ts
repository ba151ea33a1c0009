import { z } from 'zod';
import { activityKinds } from '../../trading/activity.ts';
import { sides } from '../../trading/order.ts';
import { periods } from '../../trading/period.ts';
import { lotMethods } from '../../trading/portfolio/lot-pool.ts';

const dollars = z.string().describe('dollars, as a decimal number');
const fraction = z.string().describe('a fraction, as a decimal number: 0.05 is 5%');
const decimal = z.string().describe('a decimal number, as a string');
const date = z.string().describe('YYYY-MM-DD, New York time');
const lotSides = z.enum(['long', 'short']);
const term = z.enum(['short', 'long', 'unknown']);
const method = z.enum(lotMethods).describe('which lots a sale uses');
const rateSchema = z
  .object({
    fraction,
    annual: fraction.nullable().describe('annualized rate, for periods of a year or more'),
    all_lost: z.string().optional().describe('RFC 3339 time of a total loss, where the return ends'),
    began_anew: z.string().optional().describe('RFC 3339 time when the return starts, if it follows a total loss'),
  })
  .nullable()
  .describe('null if no rate can be computed');
const totals = z.object({ proceeds: dollars, cost: dollars, adjustment: dollars, gain: dollars });
const windowReturn = z.object({ ends: date, fraction });
const contribution = z.object({ profit: dollars, contribution: fraction });
const incomplete = z.array(z.string()).describe('symbols with incomplete data');
const imported = z.int().describe('number of activities that were imported from files');

// docs/reference/METRICS.md defines each figure.
export const portfolioResultSchemas = {
  performance: z.object({
    period: z.enum(periods),
    from: z.string().describe('RFC 3339'),
    to: z.string().describe('RFC 3339'),
    equity: dollars,
    equity_before: dollars.describe('dollars, at the close before the period'),
    added: dollars.describe('net deposits, in dollars'),
    profit: dollars,
    time_weighted: rateSchema,
    money_weighted: rateSchema,
    benchmark: z.object({
      symbol: z.string(),
      return: rateSchema.describe(
        'with dividends, over the same days as the account; null if its prices do not go back that far',
      ),
      excess: fraction.nullable().describe('time-weighted return minus the benchmark’s return'),
    }),
    ratios: z
      .object({
        risk_free: fraction.describe('annual rate'),
        returns_counted: z.int(),
        sharpe: decimal.nullable(),
        sortino: decimal.nullable(),
        beta: decimal.nullable(),
      })
      .describe('null with fewer than twenty daily returns, or if the divisor is zero'),
    volatility: fraction.nullable().describe('annualized'),
    rolling: z
      .array(
        z.object({
          months: z.int(),
          count: z.int(),
          gains: z.int().describe('number of periods with a gain'),
          average: fraction,
          latest: windowReturn,
          best: windowReturn,
          worst: windowReturn,
        }),
      )
      .describe('every period of that many months that ends on a day of the reporting period'),
    dividends_by_month: z.array(z.object({ month: z.string(), amount: dollars })),
    contributions: z
      .object({
        positions: z.array(contribution.extend({ symbol: z.string() })),
        rest: contribution.describe('interest, fees, and positions without prices'),
        total: fraction.describe('the time-weighted return, which is the sum of all contributions'),
        not_priced: z.array(z.string()),
      })
      .optional(),
    day_profit: dollars.nullable().describe('null if the equity at the last close is unknown'),
    day_fraction: fraction.nullable(),
    total_profit: dollars.describe('dollars, unrealized'),
    total_fraction: fraction,
    cash_weight: fraction,
    market_value: dollars,
    positions: z.array(z.object({ symbol: z.string(), day_profit: dollars, weight: fraction })),
    values: z.array(z.object({ at: z.string(), equity: dollars })).describe('at most 100 points, evenly spaced'),
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
          adjustment_code: z.enum(['W', '']).describe('W for a wash sale'),
          adjustment: dollars.describe('disallowed loss, in dollars'),
          gain: dollars.nullable().describe('proceeds - cost + adjustment'),
          term,
        }),
      )
      .describe('Form 8949, columns (a) to (h), oldest first'),
    totals: z
      .object({ short_term: totals, long_term: totals, all: totals })
      .describe('totals of the lines with a known gain'),
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
    id: z.string().describe('ID of the file; the same file always has the same ID'),
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
      .describe('activities imported by this command'),
    known: z.array(z.int()).describe('line numbers of activities that were already imported'),
    told_by_broker: z
      .array(z.int())
      .describe('line numbers of activities in the period that the broker covers; stored but not counted'),
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
