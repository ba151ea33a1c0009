import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import { formatUtcSeconds } from '../machine/clock.ts';
import { MANDATE_SCOPE, PROPOSE_ORDERS_SCOPE } from '../oauth/scopes.ts';
import { symbolAssetClass } from '../trading/asset-class.ts';
import { positiveDecimalString } from '../trading/decimal.ts';
import { dayPattern, type MentionedEnd, parseMandateEnd } from '../trading/mandate/mandate-end.ts';
import {
  DEFAULT_STANDING_ORDER_TIME,
  recurrences,
  type StandingOrderTerms,
  standingOrderSchema,
} from '../trading/mandate/standing-order.ts';
import { newYorkDate } from '../trading/new-york-time.ts';
import { accountNumberSchema, sides, symbolSchema } from '../trading/order.ts';
import { defined } from '../values/defined.ts';
import { accountArgument } from './account-argument.ts';
import { normalizeArguments } from './exact-numbers.ts';
import type { MandateTool } from './tool.ts';

const daySchema = () =>
  z.string().regex(dayPattern, 'must be a day such as 2026-12-04, 12-04, friday, today or tomorrow');

const requestSchema = z.lazy(() =>
  z.strictObject({
    side: z.enum(sides),
    symbol: symbolSchema,
    qty: positiveDecimalString.optional().describe('number of shares; give either qty or notional'),
    notional: positiveDecimalString.optional().describe('amount in dollars; give either qty or notional'),
    limit_price: positiveDecimalString.optional().describe('dollars per share; a market order if omitted'),
    every: z.enum(recurrences).optional().describe('day: every trading day; month: on the 1st'),
    at: z
      .string()
      .regex(/^[0-9]{2}:[0-9]{2}$/, 'must be HH:MM in New York')
      .optional()
      .describe(`with every: a time during market hours in New York; ${DEFAULT_STANDING_ORDER_TIME} if omitted`),
    below: positiveDecimalString
      .optional()
      .describe('dollars per share: the order is placed once, when the price is below this'),
    above: positiveDecimalString
      .optional()
      .describe('dollars per share: the order is placed once, when the price is above this'),
    until: daySchema().optional().describe('the last day of the standing order; a weekday means the next such day'),
    before: daySchema().optional().describe('the first day on which the standing order no longer applies'),
  }),
);
const argumentsSchema = z.lazy(() => requestSchema.unwrap().extend({ account: accountArgument }));

/**
 * Proposes a mandate for orders that the gateway places automatically, repeatedly or once at a price.
 * `agent/graph/standing-request.ts` decides whether the person's own words allow the proposal.
 */
export const placeStandingOrder: MandateTool<typeof argumentsSchema> = {
  name: 'place_standing_order',
  title: 'Propose a standing order',
  description:
    'Proposes a standing order, which the gateway places automatically: every day, week or month, or once when a price is crossed. ' +
    'Give exactly one of "every", "below" and "above". Every field must be in the user’s own words in this conversation; ' +
    'anything else is refused. The user approves it on their phone; nothing is placed before that.',
  schema: argumentsSchema,
  scopes: [PROPOSE_ORDERS_SCOPE, MANDATE_SCOPE],
  risk: 'mandate',
};

export interface StandingOrderRequest {
  readonly standing: StandingOrderTerms;
  readonly end: MentionedEnd | undefined;
}

/** Parses a standing order. @throws {TradeAgentError} `invalid_order` naming the field */
export function parseStandingOrderRequest(args: Record<string, unknown>): StandingOrderRequest {
  const parsed = requestSchema.safeParse(normalizeArguments(args));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalidStandingOrder(issue?.path.join('.') ?? '', issue?.message ?? '');
  }
  checkArguments(parsed.data);
  const { side, symbol, qty, notional, limit_price, until, before } = parsed.data;
  const order: StandingOrderTerms['order'] = {
    symbol,
    side,
    ...defined({ qty, notional }),
    type: limit_price === undefined ? 'market' : 'limit',
    ...defined({ limit_price }),
    time_in_force: 'day',
  };
  const standing = standingOrderSchema.safeParse({ order, when: toSchedule(parsed.data) });
  if (!standing.success) throw invalidStandingOrder('at', 'must be a New York time from 09:30 to 15:59');
  const end = before === undefined ? undefined : { before };
  return { standing: standing.data, end: until === undefined ? end : { until } };
}

type StandingOrderArguments = z.output<typeof requestSchema>;

function checkArguments({
  symbol,
  qty,
  notional,
  every,
  at,
  below,
  above,
  until,
  before,
}: StandingOrderArguments): void {
  if (symbolAssetClass(symbol) !== 'us_equity') {
    throw invalidStandingOrder('symbol', 'must be a stock or fund: standing orders support nothing else');
  }
  if ((qty === undefined) === (notional === undefined))
    throw invalidStandingOrder('qty', 'give either qty or notional');
  if ([every, below, above].filter((one) => one !== undefined).length !== 1) {
    throw invalidStandingOrder('every', 'give exactly one of "every", "below" and "above"');
  }
  if (at !== undefined && every === undefined) throw invalidStandingOrder('at', 'is allowed only with "every"');
  if (until !== undefined && before !== undefined)
    throw invalidStandingOrder('until', 'give either until or before, not both');
}

function toSchedule({ every, at = DEFAULT_STANDING_ORDER_TIME, below, above }: StandingOrderArguments) {
  if (every !== undefined) return { every, at };
  return below === undefined ? { price: 'above', at: above } : { price: 'below', at: below };
}

function invalidStandingOrder(field: string, message: string): TradeAgentError {
  return new TradeAgentError('invalid_order', field === '' ? message : `${field}: ${message}`, {
    hint: 'Correct the standing order and ask again.',
    details: { field },
  });
}

/** Returns the end time in RFC 3339, if there is one. @throws {TradeAgentError} as {@link parseMandateEnd} does */
export function formatStandingOrderExpiry(end: MentionedEnd | undefined, now: number): string | undefined {
  return end === undefined ? undefined : formatUtcSeconds(parseMandateEnd(end, now));
}

/** Returns the shell command for a standing order. The schemas ensure that each value is a single shell word. */
export function formatStandingOrderCommand(
  { standing, end }: StandingOrderRequest,
  now: number,
  account?: string,
): string {
  const { order, when } = standing;
  const { side, symbol, qty, notional, limit_price } = order;
  const expires = formatStandingOrderExpiry(end, now);
  return [
    `trade-agent mandates add --${side} ${symbol}`,
    qty === undefined ? `--amount ${notional}` : `--qty ${qty}`,
    ...(limit_price === undefined ? [] : [`--limit ${limit_price}`]),
    ...('every' in when
      ? [`--every ${when.every}`, ...(when.at === DEFAULT_STANDING_ORDER_TIME ? [] : [`--at ${when.at}`])]
      : [`--${when.price} ${when.at}`]),
    ...(expires === undefined ? [] : [`--until ${newYorkDate(Date.parse(expires) - 1)}`]),
    ...(account === undefined ? [] : [`--account ${accountNumberSchema.parse(account)}`]),
  ].join(' ');
}
