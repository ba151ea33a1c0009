import { html } from 'hono/html';
import { orderText } from '../../../approval/kinds/order/kind.ts';
import { markedText } from '../../../text/shown-text.ts';
import { dollars, sharePrice, shares } from '../../../trading/amounts.ts';
import { isMultiLeg, isOver } from '../../../trading/order-legs.ts';
import type { Order, OrderLeg } from '../../../trading/views.ts';
import { timed } from '../decision/local-time.ts';
import { sign } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';

const MAX_CLOSED_ORDERS = 10;

export function ordersPart(orders: readonly Order[]): Markup {
  const open = orders.filter((order) => !isOver(order));
  const over = orders.filter(isOver).slice(0, MAX_CLOSED_ORDERS);
  if (orders.length === 0) return html`<p class="soft none" data-testid="no-orders">No orders.</p>`;
  return html`${open.length === 0 ? html`<p class="soft none" data-testid="no-open-orders">No open orders.</p>` : ''}
<ul class="lines" data-testid="orders">${[...open, ...over].map(orderLine)}</ul>`;
}

function orderLine(order: Order): Markup {
  const { side, status, time_in_force } = order;
  const what = isMultiLeg(order)
    ? html`<strong>${markedText(capitalizeWord(order.order_class ?? 'legs'))}</strong>`
    : partLine(order);
  const legs = (order.legs ?? []).map(
    (leg) =>
      html`<br><span class="small" data-testid="order-leg">${partLine(leg)} · ${legTerms(leg)} · ${markedText(capitalizeWord(leg.status))}</span>`,
  );
  const terms = [...(side === '' ? [] : [legTerms(order)]), markedText(time_in_force)].join(' · ');
  return html`<li data-testid="order" data-status="${status}"><span>${what}<br><span class="soft small">${terms} · ${timed(seconds(order.submitted_at))}</span>${legs}</span>
<span class="outcome">${isOver(order) ? '' : html`<span class="mark open">open</span> `}${markedText(orderText(order))}</span></li>`;
}

/** Renders `Buy 5 AAPL` with its sign. An unknown side is shown as it is. */
function partLine({ side, symbol, qty, notional }: OrderLeg): Markup {
  const much = qty === null ? dollars(notional ?? '0') : shares(qty);
  const marked = side === 'buy' || side === 'sell' ? html`<span class="${side}">${sign(side)}</span> ` : '';
  return html`${marked}<strong>${markedText(capitalizeWord(side))} ${much} ${markedText(symbol)}</strong>`;
}

function legTerms({ type, limit_price, stop_price }: OrderLeg): string {
  return [
    markedText(type.replaceAll('_', ' ')),
    ...(limit_price === null ? [] : [`limit ${sharePrice(limit_price)}`]),
    ...(stop_price === null ? [] : [`stop ${sharePrice(stop_price)}`]),
  ].join(' · ');
}

/** Capitalizes a broker's word: `Partially filled`. */
function capitalizeWord(word: string): string {
  const words = word.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Formats a time to the second in UTC, as `timed` expects it. */
export function seconds(at: string): string {
  const moment = Date.parse(at);
  return Number.isNaN(moment) ? markedText(at) : new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');
}
