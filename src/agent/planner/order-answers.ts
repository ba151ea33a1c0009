import { z } from 'zod';
import { lowercaseFirst } from '../../text/first-letter.ts';
import { english, type Say } from '../../text/phrase.ts';
import { createIdShortener } from '../../text/short-id.ts';
import { DEFAULT_DAYS } from '../../tools/standing-limits.ts';
import { formatSharePrice, formatShares } from '../../trading/amounts.ts';
import { formatDate, formatNewYorkDateTime } from '../../trading/date-words.ts';
import { describeBatchOutcome } from '../../trading/kinds/batch.ts';
import { type BatchLine, batchLineSchema } from '../../trading/kinds/kind-words.ts';
import { mandateResultSchema } from '../../trading/mandate/granted.ts';
import { formatLastDayWithWeekday } from '../../trading/mandate/mandate-end.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { describeOrderOutcome, orderStatus } from '../../trading/order-outcome.ts';
import { type Order, orderSchema } from '../../trading/views.ts';
import type { ResultView } from './lookup-step.ts';
import { markdownTable } from './table.ts';

export const orderList = z.lazy(() =>
  z.object({
    state: z.string(),
    total: z.number(),
    total_is_minimum: z.boolean().optional(),
    orders: z.array(orderSchema),
  }),
);
/** `approval` is `approved`, or `approved by mandate M-…`. */
const oneOrder = z.lazy(() => z.object({ order: orderSchema, approval: z.string().optional() }));
const batch = z.lazy(() => z.object({ lines: z.array(batchLineSchema) }));
const grantedOne = z.lazy(() =>
  z.object({
    granted: mandateResultSchema.unwrap().extend({ for: z.string(), worst: z.string(), expires_at: z.string() }),
  }),
);

type OrderList = z.output<typeof orderList>;

/** Formats an answer about orders: the outcomes of calls, or a list of orders. */
export function formatOrderAnswer(
  tool: string,
  args: Record<string, unknown>,
  content: unknown,
  { dated }: Pick<ResultView, 'dated'>,
  say: Say,
): string | undefined {
  switch (tool) {
    case 'list_orders':
      return orderTable(orderList.parse(content), args.symbol, say, dated === true);
    case 'place_order':
    case 'close_position':
    case 'replace_order':
    case 'cancel_order':
      return placedAnswer(oneOrder.parse(content), say);
    case 'place_standing_order':
      return standingOrderAnswer(grantedOne.parse(content).granted, args, say);
    case 'place_orders':
      return batchList(batch.parse(content).lines, say);
    default:
      return undefined;
  }
}

function placedAnswer({ order, approval }: z.output<typeof oneOrder>, say: Say): string {
  const mandate = /^approved by mandate (.+)$/.exec(approval ?? '')?.[1];
  const outcome = describeOrderOutcome(order, say);
  return mandate === undefined ? say`${outcome}.` : say`${outcome} (approved by mandate ${mandate}).`;
}

function standingOrderAnswer(
  { mandate, for: what, worst, expires_at, next_at }: z.output<typeof grantedOne>['granted'],
  { until, before }: Readonly<Record<string, unknown>>,
  say: Say,
): string {
  const isEndSaid = until !== undefined || before !== undefined;
  return [
    say`${what}: the gateway will place it automatically. ${worst}.`,
    ...(isEndSaid
      ? []
      : [say`You gave no end date, so it lasts ${DEFAULT_DAYS} days, until ${lastDay(expires_at, say)}.`]),
    next_at === undefined ? say`It is watching the price now.` : say`Next: ${formatNewYorkDateTime(next_at, say)}.`,
    say`To end it, run \`trade-agent mandates revoke ${mandate}\`.`,
  ].join(' ');
}

/** Returns the last day before the mandate's end. */
const lastDay = (expires_at: string, say: Say) =>
  say.locale === undefined
    ? formatLastDayWithWeekday(expires_at)
    : formatDate(newYorkDate(Date.parse(expires_at) - 1), say.locale);

function batchList(lines: readonly BatchLine[], say: Say): string {
  return [`${describeBatchOutcome(lines, say)}:`, ...lines.map((line) => `- ${lineSummary(line, say)}`)].join('\n');
}

export function orderTable(list: OrderList, symbol: unknown, say: Say, isDated = false): string {
  const { state, total, total_is_minimum: isMinimum = false, orders } = list;
  const only = typeof symbol === 'string' ? symbol : undefined;
  const [newest] = orders;
  if (newest === undefined) return noOrders(state, only, say);
  const sum = isMinimum ? say`at least ${total}` : `${total}`;
  const count = countOrders(state, only, sum, total === 1, say);
  const first =
    state === 'open' ? say`You have ${count}.` : say`Newest of ${count}: ${formatOrderSummary(newest, say)}.`;
  const rejected = orders.find(({ status }) => status === 'rejected');
  const why =
    rejected === undefined
      ? ''
      : ` ${say`Rejected: ${describeOpenOrder(rejected)}. The list has no reason for it; your broker’s app may.`}`;
  const lead = `${first}${why}\n\n`;
  const short = createIdShortener(orders.map(({ id }) => id));
  const rows = markdownTable(
    [say`ID`, say`Order`, ...(isDated ? [say`Placed`] : []), say`State`, say`Filled`, say`Price`, say`Good`],
    orders.map((order) => [
      short(order.id),
      describeOpenOrder(order),
      ...(isDated ? [formatNewYorkDateTime(order.submitted_at, say)] : []),
      statusWord(order, say),
      formatShares(order.filled_qty),
      order.filled_avg_price === null ? '' : formatSharePrice(order.filled_avg_price),
      goodUntil(order.time_in_force, say),
    ]),
  );
  const shown = orders.length;
  return total === shown ? `${lead}${rows}` : `${lead}${rows}\n\n${say`Showing the newest ${shown} of ${sum}.`}`;
}

function noOrders(state: string, symbol: string | undefined, say: Say): string {
  switch (state) {
    case 'open':
      return symbol === undefined ? say`No open orders.` : say`No open ${symbol} orders.`;
    case 'closed':
      return symbol === undefined ? say`No closed orders.` : say`No closed ${symbol} orders.`;
    default:
      return symbol === undefined ? say`No orders.` : say`No ${symbol} orders.`;
  }
}

function countOrders(state: string, symbol: string | undefined, sum: string, isOne: boolean, say: Say): string {
  const of = symbol === undefined ? say`orders` : say`${symbol} orders`;
  const one = symbol === undefined ? say`order` : say`${symbol} order`;
  switch (state) {
    case 'open':
      return isOne ? say`${sum} open ${one}` : say`${sum} open ${of}`;
    case 'closed':
      return isOne ? say`${sum} closed ${one}` : say`${sum} closed ${of}`;
    default:
      return `${sum} ${isOne ? one : of}`;
  }
}

/** Returns an order's status in the broker's word or, in other languages, in a translated word. */
const statusWord = ({ status }: Order, say: Say) =>
  say.locale === undefined ? status.replaceAll('_', ' ') : lowercaseFirst(orderStatus(status).in(say));

function goodUntil(time: string, say: Say): string {
  return time === 'day' ? say`until the close` : time === 'gtc' ? say`until canceled` : time;
}

/** Returns a line such as `BUY 5 AAPL LMT 182.50: filled 5 at $181.20`. */
export function formatOrderSummary(order: Order, say: Say = english): string {
  const line = `${describeOpenOrder(order)}: ${statusWord(order, say)}`;
  return order.filled_avg_price === null
    ? line
    : say`${line} ${formatShares(order.filled_qty)} at ${formatSharePrice(order.filled_avg_price)}`;
}

/** Returns a line such as `2 of 3 orders placed, 1 refused: SELL 5 AAPL …: filled …; refused: …`. */
export function formatBatchSummary(lines: readonly BatchLine[]): string {
  return `${describeBatchOutcome(lines)}: ${lines.map((line) => lineSummary(line, english)).join('; ')}`;
}

function lineSummary({ outcome, order, reason }: BatchLine, say: Say): string {
  if (order !== undefined) return formatOrderSummary(order, say);
  if (outcome === 'not_sent') return say`not sent`;
  return reason === undefined ? say`refused: the gateway refused it` : say`refused: ${reason.text}`;
}
