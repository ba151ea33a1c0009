import { html } from 'hono/html';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { EARLIEST_ACTIVITY_MS } from '../../../trading/activity.ts';
import { formatDollarAmount, formatSharePrice, formatShares } from '../../../trading/amounts.ts';
import { formatDate } from '../../../trading/date-words.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { hasEnded } from '../../../trading/order-legs.ts';
import { computeTaxLots, type TaxLot } from '../../../trading/portfolio/tax-lots.ts';
import { DAY_MS } from '../../../values/durations.ts';
import { withLocalTimes } from '../decision/local-time.ts';
import type { Markup } from '../page/page.ts';
import { PERIOD_DAYS, readBars } from './chart-reads.ts';
import type { AccountReads, Period } from './dashboard-data.ts';
import { formatToSecond, renderOrdersPart } from './orders-part.ts';
import {
  formatGain,
  formatGainPercent,
  formatWeight,
  limitPoints,
  readPortfolio,
  tradeKey,
} from './portfolio-parts.ts';

/** Renders a symbol's name, price, and change since the last close. */
export async function quotePart(reads: AccountReads, symbol: string): Promise<Markup> {
  const [quote] = await reads.quotes([symbol]);
  if (quote === undefined) return html`<p class="soft none" data-testid="no-quote">No price available.</p>`;
  const { name, last, previous_close, simulated } = quote;
  const change = new Dec(last).minus(previous_close);
  const fraction = new Dec(previous_close).isZero() ? undefined : change.div(previous_close).toFixed(6);
  return html`<p class="label" data-testid="symbol-name">${safeLine(name ?? symbol, MAX_NAME_LENGTH)}${simulated ? html` <span class="simulated" data-testid="simulated">simulated</span>` : ''}</p>
<p class="equity" data-testid="last-price">${formatSharePrice(last)}</p>
<p class="today">${fraction === undefined ? '' : html`${change.abs().lt('0.01') ? '' : html`${formatGain(change.toFixed())} `}(${formatGainPercent(fraction)}) <span class="soft">since the last close</span>`}</p>`;
}

const MAX_NAME_LENGTH = 120;
/** Renders a period's closing prices as chart data and text, with the person's own trades. */
export async function pricePart(
  reads: AccountReads,
  symbol: string,
  { period, now }: { readonly period: Period; readonly now: number },
): Promise<Markup> {
  const [all, activities] = await Promise.all([
    readBars(reads, symbol, { period, now }),
    // Not every broker lists activities. Without them, the chart shows no trades.
    reads.activities({ after: now - PERIOD_DAYS[period] * DAY_MS }).catch(() => []),
  ]);
  const bars = limitPoints(all);
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined || bars.length < 2)
    return html`<p class="soft none" data-testid="no-prices">No prices for this period.</p>`;
  const starts = bars.map(({ at }) => Date.parse(at));
  const trades = activities.flatMap(({ kind, symbol: traded, side, at }) => {
    if (kind !== 'fill' || traded !== symbol || side === null) return [];
    const index = starts.findLastIndex((start) => start <= Date.parse(at));
    return index < 0 ? [] : [[index, side] as const];
  });
  const chart = JSON.stringify({
    at: starts.map((start) => Math.round(start / 1000)),
    value: bars.map(({ close }) => Number(close)),
    trades,
  });
  const change = new Dec(last.close).minus(first.close).div(first.close).toFixed(6);
  const [began, ended] = [newYorkDate(starts[0] ?? 0), newYorkDate(starts.at(-1) ?? 0)];
  return html`<div class="chart brief" data-chart="${chart}" data-label="Price over time" data-period="${period}" data-keep="chart"></div>
${trades.length === 0 ? '' : html`<ul class="key small soft" data-testid="chart-key">${tradeKey(trades)}</ul>`}
<p class="words small" data-testid="price-words">${began === ended ? `On ${formatDate(began)}` : `From ${formatDate(began)} to ${formatDate(ended)}`}: ${formatSharePrice(first.close)} to ${formatSharePrice(last.close)} (${formatGainPercent(change)}).</p>`;
}

/** Renders the person's position in a symbol, with its tax lots if the broker lists all activities. */
export async function symbolPositionPart(reads: AccountReads, symbol: string, now: number): Promise<Markup> {
  const [{ rows }, positions] = await Promise.all([readPortfolio(reads, now), reads.positions()]);
  const row = rows.find((one) => one.symbol === symbol);
  const position = positions.find((one) => one.symbol === symbol);
  if (row === undefined || position === undefined)
    return html`<p class="soft none" data-testid="not-held">You have no position.</p>`;
  const lots = await reads.activities({ after: EARLIEST_ACTIVITY_MS }).then(
    (activities) => computeTaxLots(activities, [position], now)[0],
    () => undefined,
  );
  return html`<dl class="figures" data-testid="held">
<div><dt>Quantity</dt><dd>${formatShares(row.qty)}</dd></div>
<div><dt>Value</dt><dd>${formatDollarAmount(row.value)} <span class="soft">${formatWeight(row.weight)}</span></dd></div>
<div><dt>Average cost</dt><dd>${formatSharePrice(position.avg_entry_price)}</dd></div>
<div><dt>Today</dt><dd>${formatGain(row.day_change)} (${formatGainPercent(row.day_change_fraction)})</dd></div>
<div><dt>Gain</dt><dd>${formatGain(row.unrealized)} (${formatGainPercent(row.unrealized_fraction)})</dd></div>
</dl>
${
  lots === undefined || lots.lots.length === 0
    ? ''
    : html`<details class="all" data-keep="lots"><summary>${lots.lots.length} ${lots.lots.length === 1 ? 'lot' : 'lots'}${lots.complete ? '' : ', incomplete'}</summary><ul class="lines" data-testid="lots">${lots.lots.map(lotLine)}</ul></details>`
}`;
}

function lotLine({ acquired, qty, cost, gain, term }: TaxLot): Markup {
  return html`<li><span><strong>${formatShares(qty.toFixed())}</strong> since ${formatDate(acquired)}<br><span class="soft small">cost ${formatDollarAmount(cost.toFixed())}, ${term}-term</span></span><span>${formatGain(gain.toFixed())}</span></li>`;
}

const MAX_ORDERS = 100;

export async function openOrdersPart(reads: AccountReads, symbol: string): Promise<Markup> {
  const orders = await reads.orders({ status: 'all', limit: MAX_ORDERS });
  const open = orders.filter(
    (order) => !hasEnded(order) && (order.symbol === symbol || order.legs?.some((leg) => leg.symbol === symbol)),
  );
  return open.length === 0
    ? html`<p class="soft none" data-testid="no-open-orders">No open orders.</p>`
    : renderOrdersPart(open);
}

const MAX_ARTICLES = 5;
const MAX_HEADLINE_LENGTH = 200;

/** Renders headlines, which are untrusted: shortened, without invisible characters, and linked only over https. */
export async function newsPart(reads: AccountReads, symbol: string): Promise<Markup> {
  const articles = await reads.news({ symbols: [symbol], limit: MAX_ARTICLES });
  if (articles.length === 0) return html`<p class="soft none" data-testid="no-news">No news.</p>`;
  return html`<ul class="lines" data-testid="news">${articles.map(({ headline, source, url, at }) => {
    const text = safeLine(headline, MAX_HEADLINE_LENGTH);
    return html`<li><span>${
      url !== null && isSecureUrl(url)
        ? html`<a href="${url}" target="_blank" rel="noopener noreferrer">${text}</a>`
        : html`<strong>${text}</strong>`
    }<br><span class="soft small">${safeLine(source, MAX_NAME_LENGTH)} · ${withLocalTimes(formatToSecond(at))}</span></span></li>`;
  })}</ul>`;
}
