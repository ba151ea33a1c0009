import { z } from 'zod';
import { activitySchema, tradingDaySchema } from '../trading/activity.ts';
import { periods } from '../trading/period.ts';
import { lotMethods } from '../trading/portfolio/lot-pool.ts';

/* Results that both the commands (--output json) and the MCP server's tools return. */

export const dollarsSchema = z.string().describe('dollars, as a decimal number');
const fraction = z.string().describe('a fraction, as a decimal number: 0.05 is 5%');
export const decimalSchema = z.string().describe('a decimal number, as a string');
export const dateSchema = z.string().describe('YYYY-MM-DD, New York time');
export const lotSideSchema = z.enum(['long', 'short']);
export const holdingTermSchema = z.enum(['short', 'long', 'unknown']);
export const lotMethodSchema = z.enum(lotMethods).describe('which lots a sale uses');
const rateSchema = z
  .object({
    fraction,
    annual: fraction.nullable().describe('annualized rate, for periods of a year or more'),
    all_lost: z.string().optional().describe('RFC 3339 time of a total loss, where the return ends'),
    began_anew: z.string().optional().describe('RFC 3339 time when the return starts, if it follows a total loss'),
  })
  .nullable()
  .describe('null if no rate can be computed');
const totals = z.object({
  proceeds: dollarsSchema,
  cost: dollarsSchema,
  adjustment: dollarsSchema,
  gain: dollarsSchema,
});
const windowReturn = z.object({ ends: dateSchema, fraction });
const contribution = z.object({ profit: dollarsSchema, contribution: fraction });
export const incompleteSymbolsSchema = z.array(z.string()).describe('symbols with incomplete data');
export const importedCountSchema = z.int().describe('number of activities that were imported from files');

// docs/reference/METRICS.md defines each figure.
export const performanceSchema = z.object({
  period: z.enum(periods),
  from: z.string().describe('RFC 3339'),
  to: z.string().describe('RFC 3339'),
  equity: dollarsSchema,
  equity_before: dollarsSchema.describe('dollars, at the close before the period'),
  added: dollarsSchema.describe('net deposits, in dollars'),
  profit: dollarsSchema,
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
      sharpe: decimalSchema.nullable(),
      sortino: decimalSchema.nullable(),
      beta: decimalSchema.nullable(),
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
  dividends_by_month: z.array(z.object({ month: z.string(), amount: dollarsSchema })),
  contributions: z
    .object({
      positions: z.array(contribution.extend({ symbol: z.string() })),
      rest: contribution.describe('interest, fees, and positions without prices'),
      total: fraction.describe('the time-weighted return, which is the sum of all contributions'),
      not_priced: z.array(z.string()),
    })
    .optional(),
  day_profit: dollarsSchema.nullable().describe('null if the equity at the last close is unknown'),
  day_fraction: fraction.nullable(),
  total_profit: dollarsSchema.describe('dollars, unrealized'),
  total_fraction: fraction,
  cash_weight: fraction,
  market_value: dollarsSchema,
  positions: z.array(z.object({ symbol: z.string(), day_profit: dollarsSchema, weight: fraction })),
  values: z.array(z.object({ at: z.string(), equity: dollarsSchema })).describe('at most 100 points, evenly spaced'),
  simulated: z.boolean(),
});

export const gainsSchema = z.object({
  year: z.string().nullable(),
  method: lotMethodSchema,
  gains: z
    .array(
      z.object({
        symbol: z.string(),
        side: lotSideSchema,
        qty: decimalSchema,
        description: z.string(),
        acquired: dateSchema.nullable(),
        sold: dateSchema,
        proceeds: dollarsSchema.nullable(),
        cost: dollarsSchema.nullable(),
        adjustment_code: z.enum(['W', '']).describe('W for a wash sale'),
        adjustment: dollarsSchema.describe('disallowed loss, in dollars'),
        gain: dollarsSchema.nullable().describe('proceeds - cost + adjustment'),
        term: holdingTermSchema,
      }),
    )
    .describe('Form 8949, columns (a) to (h), oldest first'),
  totals: z
    .object({ short_term: totals, long_term: totals, all: totals })
    .describe('totals of the lines with a known gain'),
  by_year: z.array(
    z.object({ year: z.string(), short_term: dollarsSchema, long_term: dollarsSchema, all: dollarsSchema }),
  ),
  incomplete: incompleteSymbolsSchema,
  imported: importedCountSchema,
  notes: z.array(z.string()),
  simulated: z.boolean(),
});

const activityTotal = z.string().describe('dollars, as a decimal number; negative for payments');

export const periodActivitiesSchema = z.object({
  period: z.enum(periods),
  start: dateSchema,
  activities: z.array(activitySchema).describe('newest first'),
  left_out: z.int().optional().describe('number of activities that were left out'),
  totals: z
    .object({ dividends: activityTotal, interest: activityTotal, fees: activityTotal })
    .describe('totals of the whole period'),
  simulated: z.boolean(),
});

export const tradingDaysSchema = z.object({
  today: dateSchema,
  start: dateSchema,
  end: z.string().describe('YYYY-MM-DD, inclusive'),
  time_zone: z.string().describe('time zone of open and close'),
  days: z.array(tradingDaySchema).describe('trading days only'),
});
