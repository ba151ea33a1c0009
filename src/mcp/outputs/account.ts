import { z } from 'zod';
import { gainsSchema, performanceSchema, periodActivitiesSchema } from '../../tools/result-schemas.ts';
import { accountEntriesSchema } from '../../trading/account-entry.ts';
import { decimalString } from '../../trading/decimal.ts';
import { watchlistSchema } from '../../trading/market-news.ts';
import { environments, orderRequestSchema } from '../../trading/order.ts';
import { periods } from '../../trading/period.ts';
import { decisionViewSchema } from '../../trading/policy-views.ts';
import { accountSchema, orderSchema, positionSchema } from '../../trading/views.ts';

/* The fields of the results of tools about accounts. Amounts are dollars, and dates are `YYYY-MM-DD` in New York. */

export const sessionOutput = z.object({
  name: z.string().nullable(),
  email: z.string().nullable(),
  subject: z.string(),
  profile: z.string(),
  environment: z.enum(environments),
});

export const accountsOutput = accountEntriesSchema.unwrap();

/** A list of which the result shows one page. */
const pageShape = { total: z.int(), next_cursor: z.string().nullable() };

export const portfolioOutput = z.object({
  account: accountSchema,
  positions: z.array(positionSchema),
  ...pageShape,
  traded_today: z.array(z.object({ symbol: z.string(), qty: decimalString, paid: decimalString })).optional(),
});

export const watchlistOutput = z.object({ watchlist: watchlistSchema });

/** Set if the result leaves out activities that the owner imported. */
const historyShape = { not_counted: z.string().optional() };

export const performanceOutput = performanceSchema.extend({
  positions: z.object({
    symbol: z.array(z.string()),
    day_profit: z.array(decimalString),
    weight: z.array(decimalString),
  }),
  values: z.object({ date: z.array(z.string()), equity: z.array(decimalString) }),
  ...historyShape,
});

export const activitiesOutput = periodActivitiesSchema.extend({ ...pageShape, ...historyShape });

const time = z.string();

export const riskOutput = z.object({
  period: z.enum(periods),
  from: time,
  to: time,
  equity: decimalString,
  returns_counted: z.int(),
  volatility: decimalString.nullable(),
  drawdown: z.object({
    now: decimalString,
    high: z.object({ value: decimalString, at: time }).nullable(),
    worst: z
      .object({ fraction: decimalString, peak_at: time, trough_at: time, recovered_at: time.nullable() })
      .nullable(),
  }),
  concentration: z.object({
    largest: decimalString,
    five_largest: decimalString,
    cash: decimalString,
    herfindahl: decimalString.nullable(),
    effective_positions: decimalString.nullable(),
  }),
  positions: z.array(z.object({ symbol: z.string(), value: decimalString, weight: decimalString })),
  left_out: z.int().optional(),
  simulated: z.boolean(),
  ...historyShape,
});

export const taxLotsOutput = z.object({
  method: z.string(),
  symbol: z.string().optional(),
  lots: z.array(
    z.object({
      symbol: z.string(),
      acquired: z.string(),
      qty: decimalString,
      cost: decimalString,
      value: decimalString,
      gain: decimalString,
      term: z.enum(['short', 'long']),
      long_term_from: z.string().nullable(),
    }),
  ),
  left_out: z.int().optional(),
  ...pageShape,
  gain: z.object({ short_term: decimalString, long_term: decimalString }),
  incomplete: z.array(z.object({ symbol: z.string(), unknown_qty: decimalString, reason: z.string() })),
  incomplete_left_out: z.int().optional(),
  imported: z.int(),
  simulated: z.boolean(),
  ...historyShape,
});

export const realizedGainsOutput = gainsSchema.extend({ left_out: z.int().optional(), ...pageShape, ...historyShape });

const saleSchema = z.object({
  date: z.string(),
  qty: decimalString,
  price: decimalString,
  gain: decimalString,
  loss: decimalString,
  loss_qty: decimalString,
  unknown_cost_qty: decimalString,
  window: z.object({ begins: z.string(), ends: z.string() }),
  purchases: z.array(z.object({ date: z.string(), qty: decimalString, price: decimalString })),
  purchases_left_out: z.int().optional(),
  affected_qty: decimalString,
  affected_loss: decimalString,
  unclear: z.string().optional(),
});

export const washSaleOutput = z.object({
  symbol: z.string(),
  verdict: z.enum(['not_held', 'wash_sale', 'partly_wash_sale', 'cost_unknown', 'no_loss', 'no_purchase_known']),
  sale: saleSchema.nullable(),
  open_purchases: z.array(
    z.object({ order_id: z.string(), qty: decimalString.nullable(), notional: decimalString.nullable() }),
  ),
  open_purchases_left_out: z.int().optional(),
  earlier_losses: z.array(saleSchema),
  earlier_left_out: z.int().optional(),
  not_known: z.array(z.string()),
  simulated: z.boolean(),
  ...historyShape,
});

const findingSchema = z.object({
  rule: z.string(),
  kind: z.string(),
  subject: z.string(),
  severity: z.string(),
  message: z.string(),
  since: time,
  problem: z.string().optional(),
});

export const findingsOutput = z.object({
  rules_file: z.string().nullable(),
  checked_at: time,
  findings: z.array(findingSchema),
  ongoing: z.array(findingSchema),
  snoozed: z.array(findingSchema),
  skipped: z.array(z.object({ rule: z.string(), reason: z.string() })),
  left_out: z.int().optional(),
  simulated: z.boolean(),
});

export const ordersOutput = z.object({
  state: z.enum(['open', 'closed', 'all']),
  total: z.int(),
  total_is_minimum: z.literal(true).optional(),
  orders: z.array(orderSchema),
  next_cursor: z.string().nullable(),
});

export const orderOutput = z.object({ order: orderSchema });

export const rulesOutput = decisionViewSchema
  .unwrap()
  .pick({ effect: true, reasons: true, texts: true, limit: true, value: true, hint: true })
  .extend({ order: orderRequestSchema });

export const rebalanceOutput = z.object({
  orders: z.array(orderRequestSchema),
  left_out: z.int().optional(),
  targets: z.array(z.object({ symbol: z.string(), target: decimalString, weight: decimalString })),
  left: z.array(z.object({ symbol: z.string(), reason: z.string() })),
  without_target: z.array(z.string()),
  equity: decimalString,
  cash: decimalString,
  simulated: z.boolean(),
});
