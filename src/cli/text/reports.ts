import type { OrderRow } from '../../app/orders/orders.ts';
import { safeLine } from '../../text/sanitize.ts';
import { formatDollarAmount, formatSharePrice, formatShares, formatSignedPercent } from '../../trading/amounts.ts';
import { parseDecimal } from '../../trading/decimal.ts';
import { isMultiLeg } from '../../trading/order-legs.ts';
import { displayedTerms } from '../../trading/order-words.ts';
import { sparkline } from '../../trading/sparkline.ts';
import type { Order, OrderLeg, Quote } from '../../trading/views.ts';
import { formatFill } from './approval-lines.ts';
import { priceAgeText } from './as-of.ts';
import { type OutputAudience, programAudience } from './audience.ts';
import { fitTable, numberColumn } from './table.ts';
import { type Paint, paintSignedAmount, plainPaint } from './theme.ts';
import { labeledLines } from './wrap.ts';

const SPARKLINE_WIDTH = 20;

export function quotesText(
  quotes: readonly Quote[],
  options: {
    /** Maximum width (default: unlimited, so that all columns are shown). */
    readonly width?: number;
    readonly paint?: Paint;
    readonly unicode?: boolean;
    /** Earlier prices for a sparkline, by symbol, oldest first. */
    readonly seen?: ReadonlyMap<string, readonly string[]>;
    /** The current time in milliseconds since the epoch. If set, prices older than a minute are marked. */
    readonly now?: number;
  } = {},
): Promise<string> {
  const { width = Number.POSITIVE_INFINITY, paint = plainPaint, unicode = true, seen, now } = options;
  const line = ({ symbol }: Quote) => sparkline(seen?.get(symbol) ?? [], SPARKLINE_WIDTH, unicode);
  const age = ({ at }: Quote) => (now === undefined ? '' : priceAgeText(at, now));
  return fitTable<Quote>(
    [
      { head: 'SYMBOL', cell: ({ symbol }) => safeLine(symbol) },
      numberColumn('LAST', ({ last }) => formatSharePrice(last)),
      numberColumn('CHANGE', (quote) => paintSignedAmount(paint, formatSignedPercent(dayChange(quote)))),
      numberColumn('BID', ({ bid }) => formatSharePrice(bid)),
      numberColumn('ASK', ({ ask }) => formatSharePrice(ask)),
      ...(seen === undefined ? [] : [{ rank: 1, head: 'SEEN', cell: line }]),
      ...(quotes.some((quote) => age(quote) !== '')
        ? [{ head: 'AGE', cell: (quote: Quote) => paint('warn', age(quote)) }]
        : []),
      {
        rank: 2,
        head: 'NAME',
        cell: (quote) => safeLine(`${quote.name ?? ''}${quote.simulated ? ' (simulated)' : ''}`),
      },
    ],
    quotes,
    width,
  );
}

function dayChange({ last, previous_close }: Quote): string {
  const before = parseDecimal(previous_close);
  return before.isZero() ? '0' : parseDecimal(last).div(before).minus(1).toFixed(6);
}

export function ordersText(orders: readonly OrderRow[], audience: OutputAudience = programAudience): Promise<string> {
  const rows = orders.flatMap((order): OrderRow[] => [order, ...(order.legs ?? []).map(toLegRow)]);
  const short = audience.ids(rows.map(({ id }) => id));
  const at = (text: string) => audience.time(text.replace(/\.\d+/, ''));
  const hasSeveralBrokers = orders.some(({ account }) => account !== undefined);
  return fitTable<OrderRow>(
    [
      // The ID column is never dropped, because showing, changing or canceling an order needs the ID.
      { head: 'ID', cell: ({ id }) => safeLine(short(id)) },
      { head: 'SIDE', cell: ({ side }) => side.toUpperCase() },
      numberColumn('QTY', (order) => orderAmount(order)),
      {
        head: 'SYMBOL',
        // The cell does not list an option order's legs, because they follow in their own rows.
        cell: ({ symbol, order_class, legs = [] }) =>
          audience.person && legs.length > 0 && isMultiLeg({ order_class, legs })
            ? `${legs.length} legs`
            : safeLine(symbol),
      },
      { head: 'TYPE', cell: (order) => orderTerms(order), shortens: true },
      { head: 'STATUS', cell: (order) => formatFill(order), shortens: true },
      ...(hasSeveralBrokers
        ? [
            { head: 'ACCOUNT', cell: ({ account }: OrderRow) => safeLine(account ?? '') },
            { rank: 2, head: 'BROKER', cell: ({ label }: OrderRow) => safeLine(label ?? '') },
          ]
        : []),
      { rank: 1, head: 'SUBMITTED', cell: ({ submitted_at }) => at(safeLine(submitted_at)) },
    ],
    rows,
    audience.columns,
  );
}

function toLegRow(leg: OrderLeg): Order {
  return { ...leg, side: `↳ ${leg.side}` };
}

export function orderText(order: OrderRow, audience: OutputAudience = programAudience): string {
  const { legs = [] } = order;
  const short = audience.ids([order, ...legs].map(({ id }) => id));
  const rows: [string, string][] = [
    ['id', short(order.id)],
    ['client id', order.client_order_id],
    ...accountRow(order),
    ['order', `${order.side.toUpperCase()} ${orderAmount(order)} ${order.symbol} ${orderTerms(order)}`],
    ['TIF', order.time_in_force + (order.extended_hours ? ', extended hours' : '')],
    ['status', formatFill(order)],
    ['submitted', audience.time(order.submitted_at)],
  ];
  if (order.filled_at !== null) rows.push(['filled', audience.time(order.filled_at)]);
  if (order.order_class !== undefined) rows.push(['class', order.order_class]);
  for (const leg of legs) {
    const what = `${leg.side.toUpperCase()} ${orderAmount(leg)} ${leg.symbol} ${orderTerms(leg)}`;
    rows.push(['leg', `${what}, ${formatFill(leg)}, id ${short(leg.id)}`]);
  }
  return rows.flatMap(([label, value]) => labeledLines(label.padEnd(10), value, audience.columns)).join('\n');
}

function accountRow({ account, label }: OrderRow): [string, string][] {
  return account === undefined || label === undefined ? [] : [['account', `${account} at ${label}`]];
}

function orderAmount(order: Order): string {
  if (order.qty !== null) return formatShares(order.qty);
  return order.notional !== null ? formatDollarAmount(order.notional) : '';
}

function orderTerms(given: Order): string {
  const { bound, ...order } = displayedTerms(given);
  const parts: string[] = [order.type.replaceAll('_', ' ')];
  if (order.stop_price !== null) parts.push(formatSharePrice(order.stop_price));
  if (order.limit_price !== null) parts.push(formatSharePrice(order.limit_price));
  if (order.trail_price !== null) parts.push(formatSharePrice(order.trail_price));
  if (order.trail_percent !== null) parts.push(`${order.trail_percent}%`);
  return bound === undefined ? parts.join(' ') : `${parts.join(' ')}, ${bound}`;
}
