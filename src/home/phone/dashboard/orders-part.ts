import { html } from 'hono/html';
import { describeOrderState } from '../../../approval/kinds/order/kind.ts';
import { markInvisibleCharacters } from '../../../text/sanitize.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from '../../../trading/amounts.ts';
import { hasEnded, isMultiLeg } from '../../../trading/order-legs.ts';
import { findOrderType, type TimeInForce, timeInForceWords } from '../../../trading/order-types.ts';
import { displayedTerms } from '../../../trading/order-words.ts';
import type { Order, OrderLeg } from '../../../trading/views.ts';
import { withLocalTimes } from '../decision/local-time.ts';
import { renderIcon } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';

const MAX_CLOSED_ORDERS = 10;

export function renderOrdersPart(orders: readonly Order[]): Markup {
  const open = orders.filter((order) => !hasEnded(order));
  const over = orders.filter(hasEnded).slice(0, MAX_CLOSED_ORDERS);
  if (orders.length === 0) return html`<p class="soft none" data-testid="no-orders">No orders.</p>`;
  return html`${open.length === 0 ? html`<p class="soft none" data-testid="no-open-orders">No open orders.</p>` : ''}
<ul class="lines orders" data-testid="orders">${[...open, ...over].map(orderLine)}</ul>`;
}

function orderLine(order: Order): Markup {
  const { side, status, time_in_force } = order;
  const what = isMultiLeg(order)
    ? html`<strong>${markInvisibleCharacters(capitalizeWord(order.order_class ?? 'legs'))}</strong>`
    : partLine(order);
  const legs = (order.legs ?? []).map(
    (leg) =>
      html`<br><span class="small" data-testid="order-leg">${partLine(leg)} · ${legTerms(leg)} · ${markInvisibleCharacters(capitalizeWord(leg.status))}</span>`,
  );
  const terms = [...(side === '' ? [] : [legTerms(order)]), timeInForceText(time_in_force)].join(' · ');
  return html`<li data-testid="order" data-status="${status}"><span>${what}</span>
<span class="outcome">${hasEnded(order) ? '' : html`<span class="mark open">open</span> `}${markInvisibleCharacters(describeOrderState(order))}</span>
<span class="terms"><span class="soft small">${terms} · ${withLocalTimes(formatToSecond(order.submitted_at))}</span>${legs}</span></li>`;
}

/** Renders a line such as `Buy 5 AAPL` with an icon for the side. An unknown side is shown unchanged. */
function partLine({ side, symbol, qty, notional }: OrderLeg): Markup {
  const much = qty === null ? formatDollarAmount(notional ?? '0') : formatShares(qty);
  const marked = side === 'buy' || side === 'sell' ? html`<span class="${side}">${renderIcon(side)}</span> ` : '';
  return html`${marked}<strong>${markInvisibleCharacters(capitalizeWord(side))} ${much} ${markInvisibleCharacters(symbol)}</strong>`;
}

/** Describes type and prices, as in `Limit order at $100.00`. For an unknown type, uses the broker's name. */
function legTerms(order: OrderLeg): string {
  const { type, limit_price, stop_price, bound } = displayedTerms(order);
  const name = findOrderType(type)?.words.name ?? markInvisibleCharacters(capitalizeWord(type));
  const [limit, stop] = [limit_price, stop_price].map((price) => (price === null ? '' : formatSharePrice(price)));
  const prices =
    limit !== '' && stop !== '' ? `: stop ${stop}, limit ${limit}` : `${limit}${stop}`.replace(/^(?=.)/, ' at ');
  return `${name} order${prices}${bound === undefined ? '' : `, ${bound}`}`;
}

function timeInForceText(timeInForce: string): string {
  return Object.hasOwn(timeInForceWords, timeInForce)
    ? timeInForceWords[timeInForce as TimeInForce].name
    : markInvisibleCharacters(timeInForce);
}

/** Converts a broker's identifier to text, such as `partially_filled` to `Partially filled`. */
function capitalizeWord(word: string): string {
  const words = word.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Formats a time in UTC with seconds, so that `withLocalTimes` recognizes it. */
export function formatToSecond(at: string): string {
  const moment = Date.parse(at);
  return Number.isNaN(moment) ? markInvisibleCharacters(at) : new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');
}
