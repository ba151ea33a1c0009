import { html } from 'hono/html';
import { orderText } from '../../../approval/kinds/order/kind.ts';
import { markedText } from '../../../net/shown-text.ts';
import { dollars, sharePrice, shares } from '../../../trading/amounts.ts';
import { isFinal, type Order } from '../../../trading/views.ts';
import { timed } from '../decision/local-time.ts';
import { sign } from '../decision/signs.ts';
import type { Markup } from '../page.ts';

/** Orders that are over, below those that are open. */
const LATEST = 10;

/** Orders at the broker: all that are open, and the latest of the others. */
export function ordersPart(orders: readonly Order[]): Markup {
  const open = orders.filter(({ status }) => !isFinal(status));
  const over = orders.filter(({ status }) => isFinal(status)).slice(0, LATEST);
  if (orders.length === 0) return html`<p class="soft none" data-testid="no-orders">There are no orders.</p>`;
  return html`${open.length === 0 ? html`<p class="soft none" data-testid="no-open-orders">None is open.</p>` : ''}
<ul class="lines" data-testid="orders">${[...open, ...over].map(orderLine)}</ul>`;
}

function orderLine(order: Order): Markup {
  const { side, symbol, qty, notional, type, limit_price, stop_price, time_in_force } = order;
  const much = qty === null ? dollars(notional ?? '0') : shares(qty);
  const terms = [
    type.replaceAll('_', ' '),
    ...(limit_price === null ? [] : [`limit ${sharePrice(limit_price)}`]),
    ...(stop_price === null ? [] : [`stop ${sharePrice(stop_price)}`]),
    time_in_force,
  ].join(' · ');
  return html`<li data-testid="order" data-status="${order.status}"><span><span class="${side}">${sign(side)}</span> <strong>${side === 'buy' ? 'Buy' : 'Sell'} ${much} ${markedText(symbol)}</strong><br><span class="soft small">${terms} · ${timed(seconds(order.submitted_at))}</span></span>
<span class="outcome">${isFinal(order.status) ? '' : html`<span class="mark open">open</span> `}${markedText(orderText(order))}</span></li>`;
}

/** As `timed` finds it: to the second, UTC. */
export function seconds(at: string): string {
  const moment = Date.parse(at);
  return Number.isNaN(moment) ? markedText(at) : new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');
}
