import { z } from 'zod';
import { Dec, decimalString, isDecimalString, ZERO } from '../trading/decimal.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { orderRequestSchema, symbolSchema } from '../trading/order.ts';

/*
 * Schema of the rules file. It turns `5%` into a decimal fraction, `15m` into milliseconds and `2026-11-27` into an
 * instant. Source of docs/reference/schema/check-rules.schema.json.
 */

/** Creates a Zod error function with this message for invalid values. Missing values get Zod's default message. */
const unlessMissing =
  (words: string) =>
  ({ input }: { input: unknown }) =>
    input === undefined || input === null ? undefined : words;

/** Matches a percentage such as `12.5%`. */
export const percentPattern = /\d{1,4}(\.\d{1,6})?%/;

/** Converts `12.5%` to `0.125`. */
export const percentToFraction = (percentage: string): string => new Dec(`${percentage.slice(0, -1)}e-2`).toFixed();

const percent = z
  // The percent sign is required because a bare 5 could be meant as a fraction.
  .string({ error: unlessMissing('must be a percentage with a percent sign: 5%') })
  .regex(new RegExp(`^${percentPattern.source}$`), 'must be a percentage with a percent sign: 5%')
  .transform(percentToFraction)
  .describe('A percentage with a percent sign: 5%');

const amount = z
  .union([z.string(), z.number()], { error: 'must be an amount such as 150 or "150.25"' })
  .transform((value) => String(value).replace(/^\$/, ''))
  .pipe(decimalString)
  .describe('Dollars: 150 or "150.25"');

const price = amount.refine(
  (text) => !decimalString.safeParse(text).success || new Dec(text).gt(0),
  'must be greater than zero',
);

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const duration = z
  .string({ error: unlessMissing('must be a duration such as 15m, 2h, 3d or 1w') })
  .regex(/^[1-9]\d{0,3}[mhdw]$/, 'must be a duration such as 15m, 2h, 3d or 1w')
  .transform((text) => Number(text.slice(0, -1)) * units[text.at(-1) as keyof typeof units])
  .describe('A duration: 15m, 2h, 3d, 1w');

const moment = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], {
    error: 'must be a date such as 2026-11-27, or a time such as 2026-11-27T15:00:00-05:00',
  })
  .transform((text) => (text.length === 10 ? newYorkInstant(text, '00:00') : Date.parse(text)))
  .describe('A date (its start in New York) or a time with its offset');

const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

const common = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,47}$/, 'must be up to 48 lowercase letters, digits and "-"')
    .describe('Name of the rule, which identifies its stored state'),
  severity: z.enum(severities).default('warning'),
  message: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .describe('Replaces the default message; {symbol}, {value}, … are filled in'),
  when: z
    .union([z.enum(['always', 'market_open', 'market_closed']), z.strictObject({ before_close: duration })], {
      error: 'must be always, market_open, market_closed, or before_close: 30m',
    })
    .default('always')
    .describe('When the rule is checked'),
  snooze: moment.optional().describe('The rule does not fire before this time'),
  enabled: z.boolean().default(true),
};
const rearm = percent
  .optional()
  .describe(
    'How far the value must move back before the rule can fire again: in percent for prices and amounts, in percentage points for percentages',
  );

const priceLimits = { above: price.optional(), below: price.optional() };
const oneLimit = {
  check: ({ above, below }: { above?: string | undefined; below?: string | undefined }) =>
    (above === undefined) !== (below === undefined),
  message: 'needs exactly one of "above" and "below"',
};

const { side, type, time_in_force, extended_hours } = orderRequestSchema.shape;
const orderSchema = z.strictObject({
  side,
  qty: price.optional().describe('Shares; exactly one of qty and notional'),
  notional: price.optional().describe('Dollars'),
  type,
  time_in_force,
  limit_price: price.optional(),
  stop_price: price.optional(),
  trail_price: price.optional(),
  trail_percent: price.optional(),
  extended_hours,
});
export const ruleOrderKeys = Object.keys(orderSchema.shape);

const kinds = [
  z
    .strictObject({ kind: z.literal('price'), ...common, symbol: symbolSchema, ...priceLimits, rearm })
    .refine(oneLimit.check, oneLimit.message),
  z.strictObject({
    kind: z.literal('move'),
    ...common,
    symbols: z
      .union([z.literal('held'), z.array(symbolSchema).min(1).max(500)], {
        error: 'must be "held" or a list of symbols',
      })
      .default('held'),
    by: percent,
    direction: z.enum(['up', 'down', 'either']).default('either'),
    sessions: z.number().int().min(1).max(250).default(1).describe('Since the close this many sessions ago'),
    rearm,
  }),
  z.strictObject({
    kind: z.literal('drift'),
    ...common,
    band: z
      .union([z.literal('5/25'), percent], { error: 'must be "5/25", or percentage points such as "5%"' })
      .default('5/25'),
    rearm,
  }),
  z.strictObject({
    kind: z.literal('concentration'),
    ...common,
    by: z.enum(['symbol', 'sector']).default('symbol'),
    above: percent,
    rearm,
  }),
  z
    .strictObject({
      kind: z.literal('cash'),
      ...common,
      above: percent.optional(),
      below: percent.optional(),
      rearm,
    })
    .refine(oneLimit.check, oneLimit.message),
  z.strictObject({ kind: z.literal('drawdown'), ...common, above: percent, rearm }),
  z.strictObject({ kind: z.literal('ruin'), ...common, severity: z.enum(severities).default('critical') }),
  z.strictObject({
    kind: z.literal('loss'),
    ...common,
    over: z
      .enum(['day', 'total'])
      .default('day')
      .describe('The loss since the last close, or the unrealized loss since purchase'),
    above: z.union([percent.transform((fraction) => ({ fraction })), amount.transform((dollars) => ({ dollars }))], {
      error: 'must be a percentage such as "3%" or dollars such as 500',
    }),
    rearm,
  }),
  z.strictObject({ kind: z.literal('stale'), ...common, older_than: duration }),
  z.strictObject({ kind: z.literal('open_order'), ...common, older_than: duration }),
  z.strictObject({
    kind: z.literal('missing'),
    ...common,
    symbol: symbolSchema,
    qty: price.optional().describe('Minimum number of shares; any number if omitted'),
  }),
  z.strictObject({ kind: z.literal('closure'), ...common, within: duration }),
  z
    .strictObject({
      kind: z.literal('order'),
      ...common,
      symbol: symbolSchema,
      ...priceLimits,
      before: moment.optional().describe('The rule ends at the start of this date'),
      order: orderSchema.describe('The order to propose'),
    })
    .refine(oneLimit.check, oneLimit.message),
] as const;

export const ruleSchema = z.discriminatedUnion('kind', kinds);
export type Rule = z.output<typeof ruleSchema>;
export type RuleOf<Kind extends Rule['kind']> = Extract<Rule, { kind: Kind }>;
export const ruleKinds = kinds.map((kind) => kind.shape.kind.value);

export function ruleKeys(kind: string): string[] {
  const found = kinds.find((schema) => schema.shape.kind.value === kind);
  return found === undefined ? ['name', 'kind'] : Object.keys(found.shape);
}

export const suggestSchema = z.strictObject({
  buy_only: z.boolean().default(false),
  min_order: amount.default('50').describe('Dollars; smaller orders are not suggested'),
  fractional: z.boolean().default(false),
  cash_reserve: amount.default('0').describe('Dollars to keep in cash'),
  order_type: z.enum(['limit', 'market']).default('limit'),
  slack: percent.default('0.005').describe('How far beyond the quote to set the limit price'),
});

export function isAtMostHundredPercent(parts: Readonly<Record<string, string>>): boolean {
  return Object.values(parts)
    .reduce((sum, part) => sum.plus(part), ZERO)
    .lte(1);
}

/** Target percentages by symbol. `cash` is the percentage that is not invested. */
const targets = z.record(z.union([z.literal('cash'), symbolSchema]), percent).refine(
  (parts) =>
    // Refinements also run on values that the pattern rejected, and Decimal throws on those.
    Object.values(parts).some((part) => !isDecimalString(part)) || isAtMostHundredPercent(parts),
  'must add up to at most 100%',
);

export const rulesFileSchema = z
  .strictObject({
    targets: targets.optional().describe('Target percentage of the account’s value for each symbol'),
    benchmark: symbolSchema.optional().describe('A symbol to compare the account’s total return with: SPY'),
    sectors: z.record(symbolSchema, z.string().min(1).max(60)).default({}).describe('The sector of a symbol'),
    suggest: suggestSchema.prefault({}),
    rules: z.array(ruleSchema).max(200).default([]),
  })
  .superRefine(({ rules }, context) => {
    const seen = new Set<string>();
    rules.forEach(({ name }, index) => {
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: ['rules', index, 'name'],
          message: `"${name}" is already the name of another rule`,
        });
      seen.add(name);
    });
  });
export type RulesFile = z.output<typeof rulesFileSchema>;
