import { z } from 'zod';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import { badParameter, checkedBy, timeIn } from '../books/broker-error.ts';
import { stableUuid } from '../books/tradable-asset.ts';

const querySchema = z.object({
  activity_types: z.string().optional(),
  category: z.enum(['trade_activity', 'non_trade_activity']).optional(),
  date: z.string().optional(),
  after: z.string().optional(),
  until: z.string().optional(),
  direction: z.enum(['asc', 'desc']).default('desc'),
  page_size: z.coerce.number().int().min(1).max(100).default(100),
  page_token: z.string().max(128).optional(),
});

/**
 * Alpaca's account activities: fills (TradingActivities) and other bookings (NonTradeActivities), paged. `date`,
 * `after` and `until` refer to the booking. @throws {BrokerError} 422
 */
export function activities(
  query: Record<string, string>,
  accountId: string,
  { ledger, orders }: { ledger: Ledger; orders: OrderBook },
) {
  const asked = checkedBy(querySchema, query);
  const { activity_types, category, direction, page_size, page_token } = asked;
  if (activity_types && category) throw badParameter('activity_types and category exclude each other');
  const types = activity_types?.split(',');
  const after = timeIn(asked.after, 'after') ?? Number.NEGATIVE_INFINITY;
  const until = timeIn(asked.until, 'until') ?? Number.POSITIVE_INFINITY;
  const day = asked.date?.slice(0, 10);

  const all = [
    ...ledger
      .fills(accountId)
      .map((fill, seq) => ({ at: fill.at, row: fillRow(fill, seq, orders, accountId) })),
    ...ledger.entries(accountId).flatMap((entry, seq) => {
      const moves = entry.amount !== null || entry.qty !== '0';
      return moves ? [{ at: entry.at, row: entryRow(entry, seq) }] : [];
    }),
  ]
    .filter(({ at }) => at > after && at < until)
    .filter(({ at }) => day === undefined || new Date(at).toISOString().startsWith(day))
    .filter(({ row }) => types === undefined || types.includes(row.activity_type))
    .filter(
      ({ row }) =>
        category === undefined || (category === 'trade_activity') === (row.activity_type === 'FILL'),
    )
    .map(({ row }) => row)
    // By event time, with which the id begins; then by booking.
    .sort((a, b) => beginning(a.id).localeCompare(beginning(b.id)));
  if (direction === 'desc') all.reverse();
  const from = page_token === undefined ? 0 : all.findIndex(({ id }) => id === page_token) + 1;
  if (page_token !== undefined && from === 0) throw badParameter('invalid page_token');
  return all.slice(from, from + page_size);
}

function fillRow(
  fill: ReturnType<Ledger['fills']>[number],
  seq: number,
  orders: OrderBook,
  accountId: string,
) {
  const order = fill.order_id === null ? undefined : orders.byId(accountId, fill.order_id);
  const whole = order?.qty === null || order === undefined ? fill.qty : order.qty;
  const filled = order === undefined ? fill.qty : order.filled_qty;
  return {
    id: rowId(fill.at, `fill:${accountId}:${seq}`),
    activity_type: 'FILL',
    transaction_time: new Date(fill.at).toISOString(),
    type: new Dec(fill.qty).lt(whole) ? 'partial_fill' : 'fill',
    symbol: fill.symbol,
    side: fill.side,
    qty: fill.qty,
    price: fill.price,
    cum_qty: filled,
    leaves_qty: plain(Dec.max(0, new Dec(whole).minus(filled))),
    // Opening positions have no order, but the contract requires an id.
    order_id: fill.order_id ?? stableUuid(`opening:${accountId}:${seq}`),
    order_status: order?.status ?? 'filled',
  };
}

function entryRow(entry: ReturnType<Ledger['entries']>[number], seq: number) {
  const { type, sub_type, date, symbol, qty, entitled, per_share, group_id } = entry;
  return {
    id: rowId(Date.parse(date), `entry:${entry.account_id}:${seq}`),
    activity_type: type,
    ...(sub_type === null ? {} : { activity_sub_type: sub_type }),
    // Alpaca writes only the date; its contract says date-time.
    date: `${date}T00:00:00Z`,
    created_at: new Date(entry.at).toISOString(),
    net_amount: plain(entry.amount ?? '0'),
    currency: 'USD',
    status: 'executed',
    ...(symbol === null ? {} : { symbol }),
    ...((qty ?? entitled) === null ? {} : { qty: qty ?? entitled }),
    ...(per_share === null ? {} : { per_share_amount: per_share }),
    ...(group_id === null ? {} : { group_id }),
  };
}

/** `YYYYMMDDhhmmssmmm::uuid`, as at Alpaca: sorts by time. */
function rowId(at: number, name: string): string {
  return `${new Date(at).toISOString().replace(/\D/g, '')}::${stableUuid(name)}`;
}

const beginning = (id: string): string => id.slice(0, id.indexOf(':'));
