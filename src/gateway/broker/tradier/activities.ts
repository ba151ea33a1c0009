import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Activity, activitySchema } from '../../../trading/activity.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import type { Order } from '../../../trading/views.ts';
import { fillOf, movement } from '../activity-parts.ts';
import type { ActivityPage, ActivityQuery } from '../broker.ts';
import type { RestClient } from '../rest-client.ts';
import { wrapped } from './client.ts';
import { listed } from './orders.ts';
import { ourSymbol } from './symbols.ts';

const PAGE = 100;

/** "Get an account's history". A negative `deposit` is a withdrawal; with shares it is a transfer. */
const kinds: Readonly<Record<string, Activity['kind']>> = {
  trade: 'fill',
  ach: 'deposit',
  wire: 'deposit',
  check: 'deposit',
  journal: 'deposit',
  transfer: 'deposit',
  dividend: 'dividend',
  interest: 'interest',
  fee: 'fee',
  tax: 'fee',
};

const detail = z.object({
  symbol: z.string().optional(),
  quantity: z.number().optional(),
  price: z.number().optional(),
});
const event = z.looseObject({ amount: z.number(), date: z.string(), type: z.string() });
type Event = z.output<typeof event>;
const events = wrapped('history', 'event', event);

/** `GET /accounts/{id}/history` lags a night and has dates only; today's fills are among the orders. */
export async function activitiesOf(
  client: RestClient,
  path: string,
  { after, page = '1' }: ActivityQuery,
  now: number,
): Promise<ActivityPage> {
  const number = /^[1-9]\d{0,3}$/.test(page) ? page : '1';
  const today = newYorkDate(now);
  const query = {
    page: number,
    limit: `${PAGE}`,
    ...(after === undefined ? {} : { start: newYorkDate(after.getTime()) }),
  };
  const rows = events.parse(await client(`${path}/history`, { query }));
  const fills = number === '1' ? fillsOf(await listed(client, `${path}/orders`), today) : [];
  const seen = new Map<string, number>();
  const earlier = rows.filter(({ date }) => date.slice(0, 10) < today).map((row) => eventView(row, seen));
  return {
    activities: [...fills, ...earlier].filter(
      ({ at }) => after === undefined || Date.parse(at) > after.getTime(),
    ),
    next_page: rows.length === PAGE ? `${Number(number) + 1}` : null,
  };
}

/** Open orders of earlier days are listed too; their earlier fills are not today's. */
function fillsOf(orders: readonly Order[], today: string): Activity[] {
  return orders.flatMap((order) => {
    const at = order.filled_at ?? order.submitted_at;
    const isFilled = order.filled_qty !== '0' && order.filled_avg_price !== null;
    return isFilled && newYorkDate(Date.parse(at)) === today ? [fillOf(order, 'trade', at)] : [];
  });
}

/** Events have no ids: a digest identifies one, with a number among equal ones. */
function eventView(row: Event, seen: Map<string, number>): Activity {
  const digest = createHash('sha256').update(JSON.stringify(row)).digest('base64url').slice(0, 22);
  const nth = seen.get(digest) ?? 0;
  seen.set(digest, nth + 1);
  const { symbol, quantity, price } = detail.parse(row[row.type] ?? {});
  const shares = quantity === undefined || quantity === 0 ? undefined : new Dec(String(quantity));
  const fill =
    kinds[row.type] === 'fill' && shares !== undefined && price !== undefined
      ? { price, sells: shares.isNegative() }
      : undefined;
  return activitySchema.parse({
    id: `${digest}.${nth}`,
    kind: kindOf(row, fill !== undefined, shares !== undefined),
    type: row.type,
    at: new Date(newYorkInstant(row.date.slice(0, 10), '00:00')).toISOString(),
    symbol: symbol === undefined || symbol === '' ? null : ourSymbol(symbol),
    group: null,
    ...movement(shares, fill, row.amount),
  });
}

function kindOf({ type, amount }: Event, isFill: boolean, moves: boolean): Activity['kind'] {
  const known = kinds[type] ?? 'unknown';
  if (known === 'fill') return isFill ? 'fill' : 'unknown';
  if (known !== 'deposit') return known;
  if (moves) return 'transfer';
  return amount < 0 ? 'withdrawal' : 'deposit';
}
