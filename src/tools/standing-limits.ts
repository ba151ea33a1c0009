import { TradeAgentError } from '../errors/errors.ts';
import { formatUtcSeconds } from '../machine/clock.ts';
import { Dec } from '../trading/decimal.ts';
import { countDueTimes } from '../trading/mandate/due-times.ts';
import { MAX_MANDATE_DAYS, type MandateRequestInput } from '../trading/mandate/envelope.ts';
import { isRecurring, type StandingOrderTerms, standingOrderCadence } from '../trading/mandate/standing-order.ts';
import { ONE_DAY_MS } from '../trading/new-york-time.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';

export const DEFAULT_DAYS = MAX_MANDATE_DAYS.live;

type MandateTerms = Partial<MandateRequestInput>;

/** Maximum amount of an order, as a multiple of its amount at the current price or at the price that triggers it. */
const HEADROOM = { now: '1.2', below: '1.02', above: '1.1' } as const;

/**
 * Adds the default limits of a standing order: the maximum per order, the number of orders (one per due time), and
 * their product.
 * @param now epoch milliseconds
 * @throws {TradeAgentError} `usage` if the order has no size; `unknown_symbol`
 */
export async function withDefaultStandingOrderLimits(
  gateway: Pick<GatewayClient, 'quotes'>,
  now: number,
  given: MandateTerms,
): Promise<MandateTerms> {
  const { standing } = given;
  if (standing === undefined) return given;
  const { order, when } = standing;
  const expires = given.expires_at ?? formatUtcSeconds(now + DEFAULT_DAYS * ONE_DAY_MS);
  const from = given.not_before === undefined ? now : Date.parse(given.not_before);
  const perOrder = given.max_order_notional ?? (await worstCaseNotional(gateway, standing));
  const times = isRecurring(when) ? Math.max(1, countDueTimes(when, from, Date.parse(expires))) : 1;
  const orders = given.max_orders ?? times;
  return {
    ...given,
    symbols: [order.symbol],
    sides: [order.side],
    order_types: [order.type],
    times_in_force: [order.time_in_force],
    cadence: standingOrderCadence(when),
    expires_at: expires,
    max_order_notional: perOrder,
    max_orders: orders,
    max_total_notional: given.max_total_notional ?? new Dec(perOrder).times(orders).toFixed(2, Dec.ROUND_UP),
  };
}

async function worstCaseNotional(
  gateway: Pick<GatewayClient, 'quotes'>,
  { order, when }: StandingOrderTerms,
): Promise<string> {
  const { notional, qty, side, limit_price } = order;
  if (notional !== undefined) return notional;
  if (qty === undefined) {
    throw new TradeAgentError('usage', 'the size of the order is missing', {
      hint: 'Give shares or dollars: --qty 5, --amount 200.',
    });
  }
  const dollars = (price: string, room: string) => new Dec(qty).times(price).times(room).toFixed(2, Dec.ROUND_UP);
  if (side === 'buy' && limit_price !== undefined) return dollars(limit_price, '1');
  if (!isRecurring(when)) {
    return dollars(Dec.max(when.at, limit_price ?? 0).toFixed(), HEADROOM[when.price]);
  }
  const [quote] = await gateway.quotes([order.symbol]);
  if (quote === undefined) {
    throw new TradeAgentError('unknown_symbol', `there is no price for ${order.symbol}`, {
      hint: 'Check the symbol, or give the maximum for one order: --per-order 700.',
    });
  }
  return dollars(Dec.max(quote.ask, quote.last, limit_price ?? 0).toFixed(), HEADROOM.now);
}
