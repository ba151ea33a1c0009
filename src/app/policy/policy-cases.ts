import { z } from 'zod';
import type { CountedFacts, Facts, OptionFacts } from '../../gateway/policy/decision.ts';
import { orderFacts } from '../../gateway/policy/order-world.ts';
import { optionOf, unitsOf } from '../../trading/asset-class.ts';
import { nothingCounted } from '../../trading/counted-order.ts';
import { Dec, decimalString, plain, positiveDecimalString } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import {
  checkOrder,
  environments,
  normalizeOrder,
  type OrderDraft,
  orderRequestSchema,
  slippageSchema,
} from '../../trading/order.ts';
import { policyReasons } from '../../trading/policy-reasons.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { orderOf } from './check-policy.ts';

/*
 * A file of cases, as docs/guide/POLICY.md has it: orders, what is known with each, and what is to be decided.
 */

const price = positiveDecimalString;
const time = z.iso.datetime({ offset: true });
const count = z.number().int().min(0);

/** What is known, by the names of a recorded decision; what is left out is that of a quiet morning. */
const givenFacts = z.strictObject({
  at: time.optional(),
  environment: z.enum(environments).optional(),
  reference_price: price.optional(),
  max_slippage: slippageSchema.optional(),
  market: z
    .strictObject({
      /** Bid, ask and last at once. */
      price: price.optional(),
      bid: price.nullable().optional(),
      ask: price.nullable().optional(),
      last: price.nullable().optional(),
      is_open: z.boolean().optional(),
      quoted_at: time.optional(),
      session: z.iso.date().nullable().optional(),
      next_open: time.optional(),
    })
    .nullable()
    .optional(),
  broker: z
    .strictObject({
      trading_blocked: z.boolean(),
      tradable: z.boolean(),
      fractionable: z.boolean(),
      class_enabled: z.boolean(),
    })
    .partial()
    .nullable()
    .optional(),
  holdings: z
    .strictObject({
      equity: decimalString,
      last_equity: decimalString.nullable(),
      day_flow: decimalString.nullable(),
      qty: decimalString,
      value: decimalString,
      open_elsewhere: z
        .strictObject({
          orders: count,
          symbol_notional: decimalString.nullable(),
          symbol_sells: decimalString,
          opposes: z.boolean(),
        })
        .partial(),
    })
    .partial()
    .nullable()
    .optional(),
  /** Of an order for an option. */
  option: z
    .strictObject({
      level: z.int().min(0).max(3),
      free_shares: decimalString.nullable(),
      free_cash: decimalString.nullable(),
    })
    .partial()
    .optional(),
  counted: z
    .strictObject({
      state: z.enum(tradingStates),
      day_notional: decimalString,
      day_orders: count,
      last_minute: count,
      open_orders: count,
      open_symbol_notional: decimalString,
      open_symbol_sells: decimalString,
      same_before: count.nullable(),
      clock_behind: z.int().positive().optional(),
      opposes_open: z.boolean(),
      covering: z.strictObject({ shares: decimalString, cash: decimalString, buys: decimalString }),
    } satisfies Record<Exclude<keyof CountedFacts, 'mandate'>, z.ZodType>)
    .partial()
    .optional(),
  more: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]))
    .optional(),
});
export type GivenFacts = z.output<typeof givenFacts>;

const caseSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** A sentence of the built-in planner's, or the order's own fields. */
  order: z.union([z.string().min(1), orderRequestSchema], {
    error: 'must be "buy 5 AAPL", or the order’s fields',
  }),
  /** By whose yes: of a proposal nothing yet. */
  approval: z.enum(['none', 'tap', 'mandate']).default('none'),
  facts: givenFacts.default({}),
  expect: z.enum(['allow', 'ask', 'deny']),
  /** All of them, in any order; any where it is left out. */
  reasons: z.array(z.enum(policyReasons)).optional(),
});
export type PolicyCase = z.output<typeof caseSchema>;

export const policyCasesSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }),
  account: z.string().min(1).max(64).optional(),
  /** A path beside the file, or what such a file says; left out, those in force at the gateway. */
  limits: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  /** A folder or file of *.cedar beside the file. */
  policies: z.string().min(1).optional(),
  /** Of every case, where it says nothing else. */
  facts: givenFacts.default({}),
  cases: z.array(caseSchema).min(1).max(10_000),
});

/** Wednesday, ten in the morning in New York. */
const QUIET_MORNING = '2026-11-25T15:00:00.000Z';
const DEFAULT_PRICE = '100';
const DEFAULT_SLIPPAGE = '0.01';
const DEFAULT_EQUITY = '100000';

/**
 * What is known of a case's order.
 * @throws {TradeAgentError} `usage`, `invalid_order` for what is none
 */
export function factsOf(one: PolicyCase, general: GivenFacts, account: string): Facts {
  const given = merged(general, one.facts);
  const { environment = 'paper', at = QUIET_MORNING } = given;
  const request =
    typeof one.order === 'string' ? orderRequestSchema.parse(orderOf(one.order).order) : one.order;
  checkOrder(request);
  const now = new Date(at).toISOString();
  const market = given.market ?? {};
  const reference =
    given.reference_price ??
    market.price ??
    market.last ??
    request.limit_price ??
    request.stop_price ??
    DEFAULT_PRICE;
  const draft = normalizeOrder<OrderDraft>({
    ...request,
    account,
    environment,
    reference_price: reference,
    max_slippage: given.max_slippage ?? DEFAULT_SLIPPAGE,
    client_order_id: 'ta-policy-case',
    expires_at: '2100-01-01T00:00:00Z',
  });
  return {
    at: now,
    account,
    environment,
    order: orderFacts(draft),
    market: given.market === null ? null : marketFacts(market, reference, now),
    broker:
      given.broker === null
        ? null
        : over(
            {
              trading_blocked: false,
              tradable: true,
              fractionable: true,
              class_enabled: true,
              objection: null,
            },
            given.broker ?? {},
          ),
    holdings:
      given.holdings === null ? null : holdingFacts(given.holdings ?? {}, reference, unitsOf(draft.symbol)),
    ...(optionOf(draft.symbol) === undefined ? {} : { option: optionFacts(draft, given.option ?? {}) }),
    counted: over(nothingCounted, given.counted ?? {}),
    more: given.more ?? {},
  };
}

/** All that an account may be let at, and nothing behind what it sells, unless that is given. */
function optionFacts(
  { position_intent: intent = null }: { position_intent?: OptionFacts['intent'] | undefined },
  given: NonNullable<GivenFacts['option']>,
): OptionFacts {
  return over<OptionFacts>({ intent, level: 3, free_shares: '0', free_cash: '0' }, given);
}

function marketFacts(
  { price: all, ...given }: NonNullable<GivenFacts['market']>,
  reference: string,
  now: string,
): NonNullable<Facts['market']> {
  const at = all ?? reference;
  const quiet = { is_open: true, next_open: '2026-11-27T14:30:00Z', session: newYorkDate(Date.parse(now)) };
  return over<NonNullable<Facts['market']>>(
    { at: now, ...quiet, bid: at, ask: at, last: at, quoted_at: now },
    given,
  );
}

function holdingFacts(
  { open_elsewhere = {}, ...given }: NonNullable<GivenFacts['holdings']>,
  reference: string,
  units: number,
): NonNullable<Facts['holdings']> {
  const { equity = DEFAULT_EQUITY, qty = '0' } = given;
  const elsewhere = { orders: 0, symbol_notional: '0', symbol_sells: '0', opposes: false };
  return over<NonNullable<Facts['holdings']>>(
    {
      equity,
      last_equity: equity,
      day_flow: '0',
      qty,
      value: plain(new Dec(qty).times(units).times(reference)),
      open_elsewhere: over<NonNullable<Facts['holdings']>['open_elsewhere']>(elsewhere, open_elsewhere),
    },
    given,
  );
}

/** What is given, and otherwise what is usual. */
function over<T extends object>(usual: T, given: { readonly [Name in keyof T]?: T[Name] | undefined }): T {
  return {
    ...usual,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** A case's own facts over those of all. */
function merged(general: GivenFacts, own: GivenFacts): GivenFacts {
  const both = <Name extends 'market' | 'broker' | 'holdings' | 'counted' | 'more'>(name: Name) => {
    const [under, over] = [general[name], own[name]];
    if (over === null || over === undefined || under === null || under === undefined)
      return over ?? (over === null ? null : under);
    return { ...under, ...over };
  };
  return {
    ...general,
    ...own,
    ...Object.fromEntries(
      (['market', 'broker', 'holdings', 'counted', 'more'] as const)
        .map((name) => [name, both(name)] as const)
        .filter(([, value]) => value !== undefined),
    ),
  };
}
