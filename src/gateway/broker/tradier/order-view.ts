import { z } from 'zod';
import { type Order, orderSchema } from '../../../trading/views.ts';
import { formatAmount, formatMoney, toPrintableBrokerValue, translateBrokerValue } from '../json-amounts.ts';
import { fromTradierSymbol } from './symbols.ts';

/*
 * A client_order_id is sent as Tradier's `tag`, which may contain letters, digits and "-". "-" is written as "--" and
 * "_" as "-u", so a tag has at most 96 characters (Tradier allows 255).
 */

export function toTradierTag(clientOrderId: string): string {
  return clientOrderId.replace(/[-_]/g, (mark) => (mark === '-' ? '--' : '-u'));
}

/** Returns the client_order_id in a tag, or the tag itself if the gateway did not create it. */
function parseTag(tag: string | undefined): string {
  if (tag === undefined) return '';
  const id = tag.replace(/-(.)/g, (pair, mark: string) => (mark === '-' ? '-' : mark === 'u' ? '_' : pair));
  return toTradierTag(id) === tag ? id : tag;
}

const statuses: Readonly<Record<string, Order['status']>> = {
  open: 'new',
  pending: 'pending_new',
  partially_filled: 'partially_filled',
  filled: 'filled',
  expired: 'expired',
  canceled: 'canceled',
  pending_cancel: 'pending_cancel',
  rejected: 'rejected',
  error: 'rejected',
  held: 'held',
  calculated: 'calculated',
  accepted_for_bidding: 'accepted_for_bidding',
};

const part = z.object({
  id: z.number().int(),
  type: z.string(),
  symbol: z.string(),
  option_symbol: z.string().nullish(),
  side: z.string(),
  quantity: z.number(),
  status: z.string(),
  duration: z.string(),
  price: z.number().optional(),
  stop_price: z.number().optional(),
  avg_fill_price: z.number().optional(),
  exec_quantity: z.number(),
  transaction_date: z.string().optional(),
});
export const orderRowSchema = part.extend({
  class: z.string(),
  create_date: z.string(),
  tag: z.string().optional(),
  reason_description: z.string().optional(),
  leg: z.array(part).optional(),
});
export type OrderRow = z.output<typeof orderRowSchema>;

export function toOrder(order: OrderRow): Order {
  const { leg: legs = [], class: kind } = order;
  return orderSchema.parse({
    ...partView(order, order),
    ...(kind === 'equity' || kind === 'option'
      ? {}
      : { order_class: kind === 'multileg' || kind === 'combo' ? 'mleg' : toPrintableBrokerValue(kind) }),
    ...(legs.length === 0 ? {} : { legs: legs.map((one) => partView(one, order)) }),
  });
}

/** Converts an order or a leg. Values that we don't recognize are kept unchanged. */
function partView(one: z.output<typeof part>, { create_date, tag }: OrderRow): Record<string, unknown> {
  const { type, side, duration, exec_quantity } = one;
  const option = one.option_symbol ?? undefined;
  const status = translateBrokerValue(statuses, one.status);
  const isExtended = duration === 'pre' || duration === 'post';
  const money = (value: number | undefined) => (value === undefined ? null : formatMoney(value));
  return {
    id: String(one.id),
    client_order_id: parseTag(tag),
    symbol: option ?? fromTradierSymbol(one.symbol),
    side: /^(buy|sell)/.exec(side)?.[0] ?? toPrintableBrokerValue(side),
    type: toPrintableBrokerValue(type),
    time_in_force: isExtended ? 'day' : toPrintableBrokerValue(duration),
    qty: formatAmount(one.quantity),
    notional: null,
    limit_price: /^(market|stop)$/.test(type) ? null : money(one.price),
    stop_price: type.includes('stop') ? money(one.stop_price) : null,
    trail_price: null,
    trail_percent: null,
    extended_hours: isExtended,
    status,
    filled_qty: formatAmount(exec_quantity),
    filled_avg_price: exec_quantity > 0 ? money(one.avg_fill_price) : null,
    submitted_at: new Date(create_date).toISOString(),
    filled_at:
      status === 'filled' && one.transaction_date !== undefined ? new Date(one.transaction_date).toISOString() : null,
    ...(option === undefined ? {} : { asset_class: 'us_option' }),
    ...(option !== undefined && side.includes('_to_') ? { position_intent: toPrintableBrokerValue(side) } : {}),
  };
}
