import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { findCoinPair } from '../../agent/reader/coins.ts';
import { parsePrompt } from '../../agent/reader/read.ts';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { evaluatePolicy } from '../../gateway/policy/decide.ts';
import type { CountedTotals, DecisionFacts, OptionFacts } from '../../gateway/policy/decision.ts';
import type { LoadedRules } from '../../gateway/policy/files/rules-source.ts';
import { toOrderFacts } from '../../gateway/policy/order-world.ts';
import { limitsSchema } from '../../gateway/policy/rules.ts';
import { contractMultiplier, parseOptionSymbol } from '../../trading/asset-class.ts';
import { emptyCountedTotals } from '../../trading/counted-order.ts';
import { Dec, decimalString, positiveDecimalString, toPlain } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import {
  checkOrder,
  environments,
  normalizeOrder,
  type OrderDraft,
  type OrderRequest,
  orderRequestSchema,
  slippageSchema,
} from '../../trading/order.ts';
import { withOrderDefaults } from '../../trading/order-defaults.ts';
import { policyReasons } from '../../trading/policy-reasons.ts';
import { tradingStates } from '../../trading/policy-views.ts';
import { sharesForFraction } from '../../trading/portfolio/allocation.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { compileActiveRules, compileRules, readLimitsFile, readPolicyFiles, toRuleTexts } from './diff-policy.ts';

/**
 * Returns the policy's current decision on an order. Requests no approval.
 * @param sentence an order for the built-in planner, such as `buy 5 AAPL limit 180`
 * @throws {TradeAgentError} `usage` for text that is not an order, `login_required`, and errors from completing the
 *   order
 */
export async function checkPolicy(app: Pick<App, 'gateway'>, sentence: string) {
  const read = parseOrder(sentence);
  const gateway = await app.gateway();
  const order =
    read.fraction === undefined
      ? read.order
      : { ...read.order, ...(await partialQty(gateway, read.order.symbol, read.fraction)) };
  return { order, decision: await gateway.checkPolicy(order) };
}

/** Parses a sentence with exactly one order. @throws {TradeAgentError} `usage` for anything else */
function parseOrder(sentence: string): { readonly order: OrderRequest; readonly fraction?: string } {
  const parsed = parsePrompt(sentence);
  if ('refusal' in parsed) {
    const { message, hint } = parsed.refusal;
    throw new TradeAgentError('usage', message, defined({ hint }));
  }
  const [intent, ...more] = parsed.intents;
  if (intent?.kind !== 'order' || more.length > 0) {
    throw new TradeAgentError('usage', 'the text is not a single order', {
      hint: 'For example: trade-agent policy check "buy 5 AAPL limit 180".',
    });
  }
  const { request, fraction, contract } = intent;
  if (contract !== undefined) {
    throw new TradeAgentError('usage', 'only the broker can look up this contract', {
      hint: 'Use its symbol: trade-agent policy check "buy 1 AAPL261218C00190000 at 2.50".',
    });
  }
  const symbol = findCoinPair(String(request.symbol)) ?? request.symbol;
  return { order: orderRequestSchema.parse(withOrderDefaults({ ...request, symbol })), ...defined({ fraction }) };
}

async function partialQty(
  gateway: Awaited<ReturnType<App['gateway']>>,
  symbol: string,
  fraction: string,
): Promise<{ readonly qty: string }> {
  const held = (await gateway.positions()).find((position) => position.symbol === symbol);
  if (held !== undefined) return { qty: sharesForFraction(fraction, held) };
  throw new TradeAgentError('invalid_order', `you hold no ${symbol}`, {
    hint: 'Run "trade-agent portfolio" to see your positions.',
  });
}

export type TestedPolicyCase = ReturnType<typeof runCase>;

/** Account number for cases files that specify none. */
const DEFAULT_ACCOUNT = 'TEST';

/**
 * Runs a file of cases offline, against the file's rules or, if it has none, the active rules.
 * @throws {TradeAgentError} `invalid_config`, with the line; `login_required` if the gateway is needed
 */
export async function runPolicyCases(app: Pick<App, 'gateway'>, file: string) {
  const text = readRequiredFile(file, 'policy cases file', 'See docs/guide/POLICY.md for the format.');
  const suite = await parseYaml(policyCasesSchema, text, file);
  const { account, rules } = await resolveRules(app, suite, file);
  const named = suite.account ?? account;
  return { policy: rules.digest, cases: suite.cases.map((one) => runCase(one, suite.facts, named, rules)) };
}

async function resolveRules(
  app: Pick<App, 'gateway'>,
  { limits, policies }: { readonly limits?: unknown; readonly policies?: string | undefined },
  file: string,
) {
  if (limits === undefined && policies === undefined) {
    const view = await (await app.gateway()).policy();
    return { account: view.account, rules: await compileActiveRules(view) };
  }
  const beside = (path: string) => resolve(dirname(file), path);
  const rules = await compileRules({
    limits: limits === undefined ? undefined : await readCaseLimits(limits, beside, file),
    texts: policies === undefined ? [] : toRuleTexts('policies', readPolicyFiles(beside(policies))),
  });
  return { account: DEFAULT_ACCOUNT, rules };
}

async function readCaseLimits(limits: unknown, beside: (path: string) => string, file: string) {
  if (typeof limits === 'string') return await readLimitsFile(beside(limits));
  return await parseYaml(limitsSchema, JSON.stringify(limits), `limits of ${file}`);
}

function runCase(one: PolicyCase, general: PolicyCase['facts'], account: string, rules: LoadedRules) {
  const { name, approval, expect, reasons } = one;
  const subject = {
    sub: 'owner',
    client: 'trade-agent',
    owner: 'owner',
    approval,
    approvers: approval === 'tap' ? ['owner'] : [],
  };
  const decision = evaluatePolicy(rules, subject, 'place', caseFacts(one, general, account));
  const sameReasons =
    reasons === undefined ||
    (reasons.length === decision.reasons.length && reasons.every((reason) => decision.reasons.includes(reason)));
  return {
    name,
    ok: decision.effect === expect && sameReasons,
    effect: decision.effect,
    reasons: decision.reasons,
    expected: { effect: expect, ...defined({ reasons }) },
  };
}

/** Returns a case's facts. @throws {TradeAgentError} `invalid_config`, naming the case */
function caseFacts(one: PolicyCase, general: PolicyCase['facts'], account: string) {
  try {
    return buildDecisionFacts(one, general, account);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { message, hint } = error;
    throw new TradeAgentError('invalid_config', `case "${one.name}": ${message}`, defined({ hint }));
  }
}

/* Schema of a cases file (docs/guide/POLICY.md): orders, their facts, and the expected decisions. */

const price = positiveDecimalString;
const time = z.iso.datetime({ offset: true });
const count = z.number().int().min(0);
const partialObject = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).partial().optional();
const nullablePartialObject = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape).partial().nullable().optional();

/** Schema of facts, named as in recorded decisions. By default, the market is open and nothing unusual has happened. */
const givenFacts = z.strictObject({
  at: time.optional(),
  environment: z.enum(environments).optional(),
  reference_price: price.optional(),
  max_slippage: slippageSchema.optional(),
  market: nullablePartialObject({
    /** Sets the bid, ask and last price. */
    price,
    bid: price.nullable(),
    ask: price.nullable(),
    last: price.nullable(),
    is_open: z.boolean(),
    quoted_at: time,
    session: z.iso.date().nullable(),
    next_open: time,
  }),
  broker: nullablePartialObject({
    trading_blocked: z.boolean(),
    tradable: z.boolean(),
    fractionable: z.boolean(),
    class_enabled: z.boolean(),
  }),
  holdings: nullablePartialObject({
    equity: decimalString,
    last_equity: decimalString.nullable(),
    day_flow: decimalString.nullable(),
    qty: decimalString,
    value: decimalString,
    open_elsewhere: partialObject({
      orders: count,
      symbol_notional: decimalString.nullable(),
      symbol_sells: decimalString,
      opposes: z.boolean(),
    }),
  }),
  option: partialObject({
    level: z.int().min(0).max(3),
    free_shares: decimalString.nullable(),
    free_cash: decimalString.nullable(),
  }),
  counted: partialObject({
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
  } satisfies Record<Exclude<keyof CountedTotals, 'mandate'>, z.ZodType>),
  more: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()])).optional(),
});
type GivenFacts = z.output<typeof givenFacts>;

const caseSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** A sentence for the built-in planner, or an object with the order's fields. */
  order: z.union([z.string().min(1), orderRequestSchema], {
    error: 'must be a sentence such as "buy 5 AAPL", or the order’s fields',
  }),
  approval: z.enum(['none', 'tap', 'mandate']).default('none'),
  facts: givenFacts.default({}),
  expect: z.enum(['allow', 'ask', 'deny']),
  /** All expected reasons, in any order. If absent, the reasons are not checked. */
  reasons: z.array(z.enum(policyReasons)).optional(),
});
type PolicyCase = z.output<typeof caseSchema>;

const policyCasesSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }),
  account: z.string().min(1).max(64).optional(),
  /** A file path, relative to the cases file, or the limits themselves. Defaults to the gateway's active limits. */
  limits: z.union([z.string().min(1), z.record(z.string(), z.unknown())]).optional(),
  /** A *.cedar file or a folder of such files, relative to the cases file. */
  policies: z.string().min(1).optional(),
  facts: givenFacts.default({}),
  cases: z.array(caseSchema).min(1).max(10_000),
});

/** A Wednesday at 10 a.m. in New York. */
const QUIET_MORNING = '2026-11-25T15:00:00.000Z';
const DEFAULT_PRICE = '100';
const DEFAULT_SLIPPAGE = '0.01';
const DEFAULT_EQUITY = '100000';

/** Builds a case's facts. @throws {TradeAgentError} `usage`, `invalid_order` for text that is not an order */
export function buildDecisionFacts(one: PolicyCase, general: GivenFacts, account: string): DecisionFacts {
  const given = mergeFacts(general, one.facts);
  const { environment = 'paper', at = QUIET_MORNING } = given;
  const request = typeof one.order === 'string' ? parseOrder(one.order).order : one.order;
  checkOrder(request);
  const now = new Date(at).toISOString();
  const market = given.market ?? {};
  const reference =
    given.reference_price ?? market.price ?? market.last ?? request.limit_price ?? request.stop_price ?? DEFAULT_PRICE;
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
    order: toOrderFacts(draft),
    market: given.market === null ? null : marketFacts(market, reference, now),
    broker:
      given.broker === null
        ? null
        : withOverrides(
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
      given.holdings === null ? null : holdingFacts(given.holdings ?? {}, reference, contractMultiplier(draft.symbol)),
    ...(parseOptionSymbol(draft.symbol) === undefined ? {} : { option: optionFacts(draft, given.option ?? {}) }),
    counted: withOverrides(emptyCountedTotals, given.counted ?? {}),
    more: given.more ?? {},
  };
}

/** Returns an option order's facts. By default, the account has the highest option level, and nothing covers a sale. */
function optionFacts(
  { position_intent: intent = null }: { position_intent?: OptionFacts['intent'] | undefined },
  given: NonNullable<GivenFacts['option']>,
): OptionFacts {
  return withOverrides<OptionFacts>({ intent, level: 3, free_shares: '0', free_cash: '0' }, given);
}

function marketFacts(
  { price: all, ...given }: NonNullable<GivenFacts['market']>,
  reference: string,
  now: string,
): NonNullable<DecisionFacts['market']> {
  const at = all ?? reference;
  const quiet = { is_open: true, next_open: '2026-11-27T14:30:00Z', session: newYorkDate(Date.parse(now)) };
  return withOverrides<NonNullable<DecisionFacts['market']>>(
    { at: now, ...quiet, bid: at, ask: at, last: at, quoted_at: now },
    given,
  );
}

function holdingFacts(
  { open_elsewhere = {}, ...given }: NonNullable<GivenFacts['holdings']>,
  reference: string,
  units: number,
): NonNullable<DecisionFacts['holdings']> {
  const { equity = DEFAULT_EQUITY, qty = '0' } = given;
  const elsewhere = { orders: 0, symbol_notional: '0', symbol_sells: '0', opposes: false };
  return withOverrides<NonNullable<DecisionFacts['holdings']>>(
    {
      equity,
      last_equity: equity,
      day_flow: '0',
      qty,
      value: toPlain(new Dec(qty).times(units).times(reference)),
      open_elsewhere: withOverrides<NonNullable<DecisionFacts['holdings']>['open_elsewhere']>(
        elsewhere,
        open_elsewhere,
      ),
    },
    given,
  );
}

function withOverrides<T extends object>(usual: T, given: { readonly [Name in keyof T]?: T[Name] | undefined }): T {
  return {
    ...usual,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

function mergeFacts(general: GivenFacts, own: GivenFacts): GivenFacts {
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
