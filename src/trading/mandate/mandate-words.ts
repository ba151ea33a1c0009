import { capitalize } from '../../text/first-letter.ts';
import { formatDollarAmount, formatExactPercent, formatSharePrice } from '../amounts.ts';
import { formatDayOfMonth } from '../date-words.ts';
import { newYorkDate } from '../new-york-time.ts';
import { timeInForceWords } from '../order-types.ts';
import { describeCadence } from './cadence.ts';
import type { MandateEnvelope } from './envelope.ts';
import { describeStandingOrder, describeStandingOrderTimes } from './standing-order-words.ts';

/** Returns the mandate's last New York day: `Dec 24`. */
export function formatLastDay(expiresAt: string): string {
  return formatDayOfMonth(newYorkDate(Date.parse(expiresAt) - 1));
}

export function mandateHeadline(terms: Pick<MandateEnvelope, 'max_total_notional' | 'expires_at'>): string {
  const { max_total_notional, expires_at } = terms;
  return `Up to ${formatDollarAmount(max_total_notional)} total, without asking again, until ${formatLastDay(expires_at)}`;
}

/** Describes the covered orders: `Buy AAPL, MSFT`, or `Buy $200.00 of VTI every Monday at 10:00 AM New York time`. */
export function describeCoveredOrders(
  terms: Pick<MandateEnvelope, 'sides' | 'symbols' | 'standing' | 'expires_at'>,
): string {
  const { sides, symbols, standing } = terms;
  if (standing !== undefined)
    return `${describeStandingOrder(standing)} ${describeStandingOrderTimes(standing, terms.expires_at)}`;
  const verbs = [...(sides.includes('buy') ? ['buy'] : []), ...(sides.includes('sell') ? ['sell'] : [])].join(' and ');
  return `${capitalize(verbs)} ${symbols.join(', ')}`;
}

export function describeMandateAmounts(
  terms: Pick<MandateEnvelope, 'max_order_notional' | 'max_day_notional' | 'max_orders'>,
): string {
  const { max_order_notional, max_day_notional, max_orders } = terms;
  return [
    `at most ${formatDollarAmount(max_order_notional)} per order`,
    ...(max_day_notional === undefined ? [] : [`${formatDollarAmount(max_day_notional)} a day`]),
    `${max_orders} ${max_orders === 1 ? 'order' : 'orders'} total`,
  ].join(', ');
}

export function describeMandateTimes(
  terms: Pick<MandateEnvelope, 'cadence' | 'orders_per_slot' | 'standing' | 'expires_at'>,
): string {
  const { cadence, orders_per_slot = 1, standing, expires_at } = terms;
  return standing === undefined
    ? describeCadence(cadence, orders_per_slot)
    : `${describeStandingOrderTimes(standing, expires_at)}, placed by the gateway`;
}

export function mandateFields(terms: MandateEnvelope): [label: string, value: string][] {
  const { price, not_before, expires_at, times_in_force } = terms;
  return [
    ['mandate', mandateHeadline(terms)],
    ['for', describeCoveredOrders(terms)],
    ['amounts', describeMandateAmounts(terms)],
    ['how often', describeMandateTimes(terms)],
    ['order types', terms.order_types.join(', ')],
    ['duration', times_in_force.map((one) => timeInForceWords[one].terms).join(', ')],
    ...(price === undefined ? [] : [['price', formatPriceBands(price)] as [string, string]]),
    ['slippage', `at most ${formatExactPercent(terms.max_slippage)} from the current price`],
    ['account', `${terms.account} ${terms.environment.toUpperCase()}`],
    ['from', not_before],
    ['until', expires_at],
    ['key', terms.agent_jkt],
    ['policy', terms.policy],
    ...(terms.replaces === undefined ? [] : [['replaces', terms.replaces] as [string, string]]),
    ['id', terms.mandate_id],
  ];
}

/** Formats price bands: `AAPL from $150.00 to $190.00, MSFT up to $400.00`. */
export function formatPriceBands(price: NonNullable<MandateEnvelope['price']>): string {
  return Object.entries(price)
    .map(([symbol, { min, max }]) =>
      [
        symbol,
        ...(min === undefined ? [] : [`from ${formatSharePrice(min)}`]),
        ...(max === undefined ? [] : [`${min === undefined ? 'up to' : 'to'} ${formatSharePrice(max)}`]),
      ].join(' '),
    )
    .join(', ');
}
