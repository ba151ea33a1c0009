import type { OrderRecord } from '../../../store/sandbox/records.ts';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { assetId } from './tradable-asset.ts';

const time = (at: number) => new Date(at).toISOString();
const timeOrNull = (at: number | null) => (at === null ? null : time(at));

export function orderJson(order: OrderRecord, legs: readonly OrderRecord[] = []): OrderJson {
  return { ...rowJson(order), legs: legs.length === 0 ? null : legs.map((leg) => orderJson(leg)) };
}

type OrderJson = ReturnType<typeof rowJson> & { legs: OrderJson[] | null };

function rowJson(order: OrderRecord) {
  const filled = new Dec(order.filled_qty);
  return {
    id: order.id,
    client_order_id: order.client_order_id,
    created_at: time(order.created_at),
    updated_at: time(order.updated_at),
    submitted_at: time(order.created_at),
    filled_at: timeOrNull(order.filled_at),
    expired_at: timeOrNull(order.expired_at),
    canceled_at: timeOrNull(order.canceled_at),
    failed_at: timeOrNull(order.failed_at),
    replaced_at: timeOrNull(order.replaced_at),
    replaced_by: order.replaced_by,
    replaces: order.replaces,
    ...instrumentJson(order),
    notional: order.notional,
    qty: order.qty,
    filled_qty: order.filled_qty,
    filled_avg_price: filled.isZero() ? null : toPlain(new Dec(order.filled_value).div(filled).toDecimalPlaces(6)),
    order_class: order.order_class,
    order_type: order.type,
    type: order.type,
    time_in_force: order.time_in_force,
    limit_price: order.limit_price,
    stop_price: order.stop_price,
    status: order.status,
    extended_hours: order.extended_hours === 1,
    trail_percent: order.trail_percent,
    trail_price: order.trail_price,
    hwm: order.hwm,
    ...(order.expires_at === null ? {} : { expires_at: time(order.expires_at) }),
  };
}

function instrumentJson(order: OrderRecord) {
  const { symbol, side, position_intent, ratio_qty } = order;
  if (symbol === '') return {};
  const what = {
    asset_id: assetId(symbol),
    symbol,
    asset_class: symbolAssetClass(symbol),
    side,
    position_intent,
  };
  return ratio_qty === null ? what : { ...what, ratio_qty };
}

export type BookedOrder = OrderJson & Pick<OrderRecord, 'symbol' | 'side'> & { account_number: string };
