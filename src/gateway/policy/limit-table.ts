import { z } from 'zod';
import {
  formatDollarAmount,
  formatExactPercent,
  formatPercent,
  formatSharePrice,
  formatShares,
} from '../../trading/amounts.ts';
import { assetClasses, assetClassWords, isSymbolOrOptionOn, symbolAssetClass } from '../../trading/asset-class.ts';
import { Dec, positiveDecimalString } from '../../trading/decimal.ts';
import type { LimitName, LimitSubkey } from '../../trading/limit-words.ts';
import { describeRecipientKey, isRecipientKey } from '../../trading/message.ts';
import { orderTypes, sides, symbolSchema } from '../../trading/order.ts';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import { adverseSide, currentPrice, sideOutsideBand } from '../../trading/price-drift.ts';
import { sentLimitPrice } from '../../trading/worst-case.ts';
import { isTimeZone, weekdays, zonedTimeOfDay } from '../../trading/zoned-time.ts';
import { isQuoteStale } from './broker-checks.ts';
import {
  collectObjections,
  computeDayLoss,
  type DecisionFacts,
  isReducingOrder,
  type MarketFacts,
  type MessageFacts,
  type Objection,
  type OrderFacts,
} from './decision.ts';
import { findUnsaidAfter, OWN_WORDS_HINT, OWN_WORDS_MESSAGE_HINT } from './origin.ts';

interface Compared {
  readonly facts: DecisionFacts;
  readonly order: OrderFacts;
  /** Whether the order replaces another order. */
  readonly replaces: boolean;
}

/** How an order exceeds a limit: the allowed and the actual value (amounts or counts), and a sentence about both. */
interface Excess {
  readonly text: string;
  readonly limit?: string;
  readonly value?: string | null;
  /** Reported instead of the limit's own reason. */
  readonly reason?: PolicyReason;
}

/** Why a limit can't be checked: a fact that it needs is unknown, or too old. */
type UncheckableLimit = 'unavailable' | 'stale';

interface LimitRow<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly reason: PolicyReason;
  /** Describes the facts that the limit needs, for the error message if a fact is unknown or too old. */
  readonly needs: string;
  /** Returns how the order exceeds the limit; undefined if it does not. */
  readonly check: (limit: z.output<Schema>, compared: Compared) => Excess | UncheckableLimit | undefined;
  /** A remedy other than changing the limit, for the hint. */
  readonly instead?: string;
}

/** Returns the row unchanged. Lets TypeScript infer the type of the limit from its schema. */
function defineLimit<Schema extends z.ZodType>(row: LimitRow<Schema>): LimitRow<Schema> {
  return row;
}

/* All limits of limits.yaml. An order equal to a limit is within it. An unbounded purchase exceeds any limit in dollars. */

const inQuotes = (example: string) => `must be in quotes, such as "${example}"`;
const amount = z.string({ error: inQuotes('1000') }).pipe(positiveDecimalString);
const fraction = z
  .string({ error: inQuotes('0.05') })
  .pipe(positiveDecimalString)
  .refine((text) => Number(text) <= 1, 'must be a fraction of at most 1: "0.05" is 5%');
const count = z.number().int().min(1).max(100_000);
/** Maximum number of recipients, because people must be able to read the list on a phone. */
const MAX_RECIPIENTS = 50;
const wall = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time of day in quotes: "09:30"');

const openOrders = ({ facts: { counted, holdings } }: Compared): number | undefined =>
  holdings === null ? undefined : counted.open_orders + holdings.open_elsewhere.orders;

export const limitTable = {
  max_order_notional: defineLimit({
    schema: amount,
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    needs: 'the order’s maximum total',
    instead: 'Propose a smaller order',
    check(limit, { order: { notional } }) {
      if (notional !== null && new Dec(notional).lte(limit)) return undefined;
      return {
        text: `${totalText(notional)}, but one order may total at most ${formatDollarAmount(limit)}`,
        ...dollarValues(limit, notional),
      };
    },
  }),
  max_order_qty: defineLimit({
    schema: amount,
    reason: 'QUANTITY_EXCEEDS_MAX_PER_ORDER',
    needs: 'the quantity',
    instead: 'Propose a smaller order',
    check(limit, { order }) {
      if (new Dec(order.shares).lte(limit)) return undefined;
      return {
        text: `the order is for ${formatShares(order.shares)} shares, but one order may be for at most ${formatShares(limit)}`,
        limit: new Dec(limit).toFixed(),
        value: order.shares,
      };
    },
  }),
  max_day_notional: defineLimit({
    schema: amount,
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_DAY',
    needs: 'the order’s maximum total',
    instead: 'Propose a smaller order, or wait until tomorrow (New York time)',
    check(limit, { order: { notional }, facts: { counted } }) {
      const value = notional === null ? null : new Dec(counted.day_notional).plus(notional);
      if (value?.lte(limit)) return undefined;
      const today = `${formatDollarAmount(counted.day_notional)} of ${formatDollarAmount(limit)} a day are already used`;
      return { text: `${totalText(notional)}, but ${today}`, ...dollarValues(limit, value) };
    },
  }),
  max_day_orders: defineLimit({
    schema: count,
    reason: 'ORDERS_EXCEED_MAX_PER_DAY',
    needs: 'the orders of the day',
    instead: 'Wait until tomorrow (New York time)',
    check(limit, { facts: { counted } }) {
      if (counted.day_orders < limit) return undefined;
      return {
        text: `${counted.day_orders} orders were already sent today, and the limit is ${limit} a day`,
        ...countValues(limit, counted.day_orders + 1),
      };
    },
  }),
  max_orders_per_minute: defineLimit({
    schema: count,
    reason: 'RATE_EXCEEDS_MAX_PER_MINUTE',
    needs: 'the orders of the last minute',
    instead: 'Wait a minute',
    check(limit, { facts: { counted } }) {
      if (counted.last_minute < limit) return undefined;
      return {
        text: `${counted.last_minute} orders were sent in the last minute, and the limit is ${limit}`,
        ...countValues(limit, counted.last_minute + 1),
      };
    },
  }),
  max_open_orders: defineLimit({
    schema: count,
    reason: 'ORDERS_EXCEED_MAX_OPEN',
    needs: 'the open orders',
    instead: 'Cancel an open order first',
    check(limit, compared) {
      const open = openOrders(compared);
      if (open === undefined) return 'unavailable';
      if (open < limit) return undefined;
      return { text: `${open} orders are open, and the limit is ${limit}`, ...countValues(limit, open + 1) };
    },
  }),
  max_day_loss: defineLimit({
    schema: amount,
    reason: 'LOSS_EXCEEDS_MAX_PER_DAY',
    needs: 'the account’s value at the last close, and deposits and withdrawals since',
    check(limit, { order, facts }) {
      const { holdings } = facts;
      const loss = holdings === null ? undefined : computeDayLoss(holdings);
      if (loss === undefined) return isReducingOrder(order, facts) ? undefined : 'unavailable';
      // A sale passes here. If it is for more than the holdings, the trading state rejects it.
      if (order.side === 'sell' || loss.lte(limit)) return undefined;
      return {
        text: `the account has lost ${formatDollarAmount(loss.toFixed())} since the last close, and the limit is ${formatDollarAmount(limit)} a day`,
        ...dollarValues(limit, loss),
      };
    },
  }),
  max_position_weight: defineLimit({
    schema: fraction,
    reason: 'POSITION_EXCEEDS_MAX_WEIGHT',
    needs: 'the values of the account and the position',
    instead: 'Propose a smaller order',
    check: positionWeight,
  }),
  max_price_deviation: defineLimit({
    schema: fraction,
    reason: 'PRICE_DEVIATES_FROM_QUOTE',
    needs: 'a quote',
    instead: 'Check the price, and propose the order again closer to it',
    check: priceDeviation,
  }),
  min_seconds_between_same: defineLimit({
    schema: z.number().int().min(1).max(86_400),
    reason: 'ORDER_DUPLICATES_RECENT',
    needs: 'the earlier orders',
    instead: 'Check whether the first order was enough, or wait',
    check(limit, { replaces, facts: { counted } }) {
      const ago = counted.same_before;
      if (replaces || ago === null || ago >= limit) return undefined;
      return {
        text: `an order of about the same size was sent ${ago} seconds ago, and the limit is one every ${limit} seconds`,
        ...countValues(limit, ago),
      };
    },
  }),
  deny_opposing: defineLimit({
    schema: z.literal(true, { error: 'must be true or omitted' }),
    reason: 'ORDER_OPPOSES_OPEN',
    needs: 'the open orders',
    instead: 'Cancel the open order first',
    check(_, { order, facts: { counted, holdings } }) {
      if (holdings === null) return 'unavailable';
      if (!counted.opposes_open && !holdings.open_elsewhere.opposes) return undefined;
      const other = order.side === 'buy' ? 'sell' : 'buy';
      return { text: `an order to ${other} ${order.symbol} is open, and the two orders could fill each other` };
    },
  }),
  symbols: defineLimit({
    schema: z
      .strictObject({
        allow: z.array(symbolSchema).optional(),
        deny: z.array(symbolSchema).optional(),
      } satisfies Record<LimitSubkey<'symbols'>, z.ZodType>)
      .refine(({ allow, deny }) => allow !== undefined || deny !== undefined, 'must have "allow" or "deny"'),
    reason: 'SYMBOL_NOT_ALLOWED',
    needs: 'the symbol',
    check({ allow, deny }, { order: { symbol } }) {
      if (deny?.some((one) => isSymbolOrOptionOn(symbol, one))) {
        return { reason: 'SYMBOL_DENIED', text: `${symbol} is not allowed here`, value: symbol };
      }
      if (allow === undefined || allow.includes(symbol)) return undefined;
      return { text: `${symbol} is not among the allowed symbols`, value: symbol };
    },
  }),
  asset_classes: defineLimit({
    schema: z.array(z.enum(assetClasses)).min(1),
    reason: 'ASSET_CLASS_NOT_ALLOWED',
    needs: 'the symbol',
    check(limit, { order: { symbol } }) {
      const value = symbolAssetClass(symbol);
      if (limit.includes(value)) return undefined;
      return { text: `${assetClassWords[value]} are not allowed here`, limit: limit.join(', '), value };
    },
  }),
  sides: defineLimit({
    schema: z.array(z.enum(sides)).min(1),
    reason: 'SIDE_NOT_ALLOWED',
    needs: 'the side',
    check(limit, { order: { side } }) {
      if (limit.includes(side)) return undefined;
      return { text: `orders to ${side} are not allowed here`, limit: limit.join(', '), value: side };
    },
  }),
  types: defineLimit({
    schema: z.array(z.enum(orderTypes)).min(1),
    reason: 'TYPE_NOT_ALLOWED',
    needs: 'the type',
    instead: 'Propose a different type of order',
    check(limit, { order: { type } }) {
      if ((limit as readonly string[]).includes(type)) return undefined;
      return { text: `${type} orders are not allowed here`, limit: limit.join(', '), value: type };
    },
  }),
  hours: defineLimit({
    schema: z
      .strictObject({
        zone: z.string().refine(isTimeZone, 'must be a time zone such as America/New_York').default('America/New_York'),
        from: wall,
        to: wall,
        days: z.array(z.enum(weekdays)).min(1).default(['mon', 'tue', 'wed', 'thu', 'fri']),
      })
      .refine(({ from, to }) => from < to, '"to" must be after "from"'),
    reason: 'HOURS_OUTSIDE_WINDOW',
    needs: 'the exchange’s time',
    instead: 'Propose the order again during those hours',
    check({ zone, from, to, days }, { facts: { market } }) {
      if (market === null) return 'unavailable';
      const { day, time } = zonedTimeOfDay(Date.parse(market.at), zone);
      if (days.includes(day) && time >= from && time < to) return undefined;
      const window = `${from} to ${to} on ${days.join(' ')}, ${zone}`;
      return {
        text: `it is ${day} ${time}, but orders are sent only from ${window}`,
        limit: window,
        value: `${day} ${time}`,
      };
    },
  }),
  own_words: defineLimit({
    schema: z.literal(true, { error: 'must be true or omitted' }),
    reason: 'PROVENANCE_NOT_OWN_WORDS',
    needs: 'the conversation',
    instead: OWN_WORDS_HINT,
    check(_, { facts }) {
      const outside = findUnsaidAfter(facts);
      return outside === undefined
        ? undefined
        : { text: `neither the symbol nor the amount is in the owner’s own words, after text from ${outside}` };
    },
  }),
  message_recipients: defineLimit({
    // Checked in findMessageObjections.
    schema: z
      .array(
        z
          .string()
          .refine(
            isRecipientKey,
            'must be recipients such as gmail:bob@example.com (domain in lowercase) or slack:#trading',
          ),
      )
      .max(MAX_RECIPIENTS),
    reason: 'RECIPIENT_NOT_KNOWN',
    needs: 'the recipient',
    check: () => undefined,
  }),
  max_day_messages: defineLimit({
    // Checked in findMessageObjections.
    schema: count,
    reason: 'MESSAGES_EXCEED_MAX_PER_DAY',
    needs: 'the messages of the day',
    check: () => undefined,
  }),
  number_matching_above: defineLimit({
    // Checked in parties.ts.
    schema: amount,
    reason: 'APPROVAL_NEEDS_CODE',
    needs: 'the order’s maximum total',
    check: () => undefined,
  }),
  second_person_above: defineLimit({
    // Checked in parties.ts.
    schema: amount,
    reason: 'APPROVAL_NEEDS_SECOND',
    needs: 'the order’s maximum total',
    check: () => undefined,
  }),
  live: defineLimit({
    // Checked in parties.ts.
    schema: z.strictObject({
      mandate_up_to: amount.optional(),
      second_person_above: amount.optional(),
      acr: z.string().min(1).max(256).optional(),
    } satisfies Record<LimitSubkey<'live'>, z.ZodType>),
    reason: 'LIVE_NEEDS_TAP',
    needs: 'the environment',
    check: () => undefined,
  }),
} as const satisfies { readonly [Name in LimitName]: LimitRow };

const names = Object.keys(limitTable) as readonly LimitName[];

type Shape = { [Name in LimitName]: z.ZodOptional<(typeof limitTable)[Name]['schema']> };
const shape = Object.fromEntries(names.map((name) => [name, limitTable[name].schema.optional()]));

export const accountLimitsSchema = z.strictObject(shape as Shape);
export type AccountLimits = z.output<typeof accountLimitsSchema>;

export function findLimitObjections(limits: AccountLimits, compared: Compared): Objection[] {
  return names.flatMap((name) => {
    const limit = limits[name];
    if (limit === undefined) return [];
    const row: LimitRow = limitTable[name];
    const found = row.check(limit, compared);
    if (found === undefined) return [];
    if (typeof found === 'string') return [unknownFact(name, row, found)];
    const raise = `have the gateway’s owner change ${name} in limits.yaml.`;
    return [
      {
        reason: row.reason,
        ...found,
        hint: row.instead === undefined ? `H${raise.slice(1)}` : `${row.instead}, or ${raise}`,
      },
    ];
  });
}

/** Maximum number of messages per day if the limits don't specify it. */
export const DEFAULT_DAY_MESSAGES = 5;

/**
 * Returns why a message must not be sent. Messages are limited even if the owner has set no limits: no recipient is
 * allowed until the owner adds one.
 */
export function findMessageObjections(
  limits: AccountLimits = {},
  { recipient, sent_today }: MessageFacts,
  facts: Pick<DecisionFacts, 'more'>,
): Objection[] {
  const { message_recipients: known = [], max_day_messages: limit = DEFAULT_DAY_MESSAGES } = limits;
  const outside = findUnsaidAfter(facts);
  return collectObjections<Objection>(
    !known.includes(recipient) && {
      reason: 'RECIPIENT_NOT_KNOWN',
      text: `messages to ${describeRecipientKey(recipient)} are not allowed, because the recipient is not known`,
      hint: `Check the address. To allow it, run "trade-agent policy set message_recipients+=${recipient}" and approve that on your phone.`,
      value: recipient,
    },
    sent_today >= limit && {
      reason: 'MESSAGES_EXCEED_MAX_PER_DAY',
      text: `${sent_today} messages were sent today, and the limit is ${limit}`,
      hint: `Wait until tomorrow (New York time), or run "trade-agent policy set max_day_messages=${sent_today + 1}" and approve that on your phone.`,
      ...countValues(limit, sent_today + 1),
    },
    outside !== undefined && {
      reason: 'PROVENANCE_NOT_OWN_WORDS',
      text: `the recipient or the text is not in the owner’s own words, after text from ${outside}`,
      hint: OWN_WORDS_MESSAGE_HINT,
    },
  );
}

function unknownFact(name: LimitName, { needs }: LimitRow, which: UncheckableLimit): Objection {
  return which === 'stale'
    ? {
        reason: 'FACT_STALE',
        text: `${name} needs ${needs}, but the available data is too old`,
        hint: RETRY_HINT,
      }
    : {
        reason: 'FACT_UNAVAILABLE',
        text: `${name} needs ${needs}, which could not be determined`,
        hint: RETRY_HINT,
      };
}

const RETRY_HINT = 'Try again in a moment.';

function positionWeight(limit: string, { order, facts: { holdings, counted } }: Compared) {
  if (order.side === 'sell') return undefined;
  if (holdings === null || !new Dec(holdings.equity).gt(0)) return 'unavailable';
  const elsewhere = holdings.open_elsewhere.symbol_notional;
  const known = order.notional !== null && elsewhere !== null;
  const after = new Dec(holdings.value)
    .plus(counted.open_symbol_notional)
    .plus(elsewhere ?? 0)
    .plus(order.notional ?? 0);
  if (known && after.lte(new Dec(holdings.equity).times(limit))) return undefined;
  const weight = known ? after.div(holdings.equity).toDecimalPlaces(4, Dec.ROUND_UP).toFixed() : null;
  const part = weight === null ? 'any part' : formatPercent(weight);
  return {
    text: `${order.symbol} could become ${part} of the account, but one position may be at most ${formatExactPercent(limit)}`,
    limit: new Dec(limit).toFixed(),
    value: weight,
  };
}

function totalText(notional: string | null): string {
  return notional === null
    ? 'the order’s total has no upper bound'
    : `the order can total ${formatDollarAmount(notional)}`;
}

function dollarValues(limit: string, value: Dec | string | null) {
  return {
    limit: new Dec(limit).toFixed(2),
    value: value === null ? null : new Dec(value).toFixed(2, Dec.ROUND_UP),
  };
}

function countValues(limit: number, value: number) {
  return { limit: String(limit), value: String(value) };
}

/**
 * Checks how far the order's limit price is on the harmful side of the market price: above it for a buy, below it for a
 * sell. On the other side, a limit can't cause a bad fill. If a stop has not been reached, the limit is compared with
 * the stop price instead of the market price. Market and stop orders are sent with a limit that follows from their
 * slippage, so this check also bounds `max_slippage`.
 */
function priceDeviation(limit: string, { order, facts: { market } }: Compared) {
  const by = order.limit_price === null ? ' that max_slippage allows' : '';
  const own = deviationOf(limit, { ...order, by, limit_price: sentLimitPrice(order) ?? null }, market);
  if (own !== undefined || order.stop_loss === undefined) return own;
  // A stop-loss leg is a separate sell order, with a stop and a limit.
  const exit = { symbol: order.symbol, side: 'sell', by: '', ...order.stop_loss } as const;
  return deviationOf(limit, exit, market);
}

function deviationOf(
  limit: string,
  {
    side,
    limit_price,
    stop_price,
    symbol,
    by,
  }: Pick<OrderFacts, 'side' | 'limit_price' | 'stop_price' | 'symbol'> & { readonly by: string },
  market: MarketFacts | null,
) {
  if (limit_price === null) return undefined;
  if (market === null) return 'unavailable';
  const { bid, ask, last, session, quoted_at } = market;
  if (isQuoteStale(quoted_at, session)) return 'stale';
  const now = currentPrice(side, { bid: bid ?? '0', ask: ask ?? '0', last: last ?? '0' });
  if (now === undefined) return 'unavailable';
  const around =
    stop_price === null ? now : (side === 'buy' ? Dec.max(stop_price, now) : Dec.min(stop_price, now)).toFixed();
  if (sideOutsideBand(limit_price, { around, fraction: limit }) !== adverseSide[side]) return undefined;
  return {
    text: `the limit of ${formatSharePrice(limit_price)}${by} is more than ${formatExactPercent(limit)} ${adverseSide[side]} ${symbol} at ${formatSharePrice(around)}`,
    limit: new Dec(limit).toFixed(),
    value: new Dec(limit_price).minus(around).abs().div(around).toDecimalPlaces(4, Dec.ROUND_UP).toFixed(),
  };
}
