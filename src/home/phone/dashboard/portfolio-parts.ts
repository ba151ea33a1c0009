import { html } from 'hono/html';
import { markInvisibleCharacters, safeLine } from '../../../text/sanitize.ts';
import { type Activity, toFlows } from '../../../trading/activity.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
  formatTodayChange,
} from '../../../trading/amounts.ts';
import { formatDate, formatDay } from '../../../trading/date-words.ts';
import { Dec, parseDecimal } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkMidnight } from '../../../trading/new-york-time.ts';
import { drawdowns } from '../../../trading/portfolio/drawdown.ts';
import {
  buildPortfolioView,
  type PortfolioRow,
  type PortfolioView,
} from '../../../trading/portfolio/portfolio-view.ts';
import { sumTodaysTrades } from '../../../trading/portfolio/todays-trades.ts';
import { toValuePoints } from '../../../trading/portfolio/value-point.ts';
import type { Account, Order, Position } from '../../../trading/views.ts';
import { DAY_MS } from '../../../values/durations.ts';
import { renderEnvironmentBanner, renderIcon } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';
import type { AccountReads, DatedValue, Period } from './dashboard-data.ts';

export function summaryPart(account: Account, positions: readonly Position[]): Markup {
  const view = buildPortfolioView(account, positions);
  return html`${headline(view)}
<dl class="figures">
<div><dt>Cash</dt><dd>${formatDollarAmount(view.cash)} <span class="soft">${formatWeight(view.cash_weight)}</span></dd></div>
<div><dt>Buying power</dt><dd>${formatDollarAmount(view.buying_power)}</dd></div>
<div><dt>Open gain</dt><dd>${formatGain(view.total.unrealized)} (${formatGainPercent(view.total.unrealized_fraction)})</dd></div>
<div><dt>Account</dt><dd>${markInvisibleCharacters(view.account)}</dd></div>
</dl>`;
}

/** Renders the account's value and today's change. */
export const headlinePart = (account: Account, positions: readonly Position[]): Markup =>
  headline(buildPortfolioView(account, positions));

function headline(view: PortfolioView): Markup {
  return html`${renderEnvironmentBanner(view.environment)}
<p class="label">Portfolio value${view.simulated ? html` <span class="simulated" data-testid="simulated">simulated</span>` : ''}</p>
<p class="equity" data-testid="equity">${formatDollarAmount(view.equity)}</p>
<p class="today" data-testid="today">${todayLine(view)}</p>
${view.trading_blocked ? html`<p class="problem">The broker has blocked trading in this account.</p>` : ''}`;
}

function todayLine({ day_change, day_change_fraction }: PortfolioView): Markup {
  if (day_change === null || day_change_fraction === null) {
    return html`<span class="soft">${formatTodayChange(null, null)}</span>`;
  }
  return html`${formatGain(day_change)} (${formatGainPercent(day_change_fraction)}) <span class="soft">today</span>`;
}

/** Reads the portfolio, with each position's change today. */
export async function readPortfolio(reads: AccountReads, now: number): Promise<PortfolioView> {
  const began = newYorkMidnight(now);
  const [account, positions, activities] = await Promise.all([
    reads.account(),
    reads.positions(),
    // Not every broker lists activities. Without them, the day's change is measured from the last close.
    reads.activities({ after: began - 1 }).catch(() => []),
  ]);
  return buildPortfolioView(account, positions, { traded: sumTodaysTrades(activities, began) });
}

export async function positionsPart(reads: AccountReads, now: number, link: SymbolLink): Promise<Markup> {
  const view = await readPortfolio(reads, now);
  if (view.rows.length === 0)
    return html`<p class="soft none" data-testid="no-positions">No positions; ${formatDollarAmount(view.cash)} in cash.</p>`;
  // Amounts in the millions are wider than a phone, so the table can scroll, also by keyboard.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of positions"><table class="wide-table" data-testid="positions">
<thead><tr><th scope="col">Symbol</th><th scope="col">Value</th><th scope="col">Today</th><th scope="col">Gain</th></tr></thead>
<tbody>${view.rows.map((row) => toRow(row, link))}</tbody>
<tfoot>${totalRow(view)}</tfoot>
</table></div>`;
}

function toRow(row: PortfolioRow, link: SymbolLink): Markup {
  return html`<tr data-testid="position"><th scope="row"><a class="symbol" href="${link(row.symbol)}">${markInvisibleCharacters(row.symbol)}</a>${
    row.side === 'short' ? html` <span class="mark">short</span>` : ''
  }<br><span class="soft small">${formatShares(row.qty)} × ${formatSharePrice(row.price)}</span></th>
<td>${formatDollarAmount(row.value)}<br><span class="soft small">${formatWeight(row.weight)}</span>${weightBar(row.weight)}</td>
<td>${formatGain(row.day_change)}<br><span class="small">${formatGainPercent(row.day_change_fraction)}</span></td>
<td>${formatGain(row.unrealized)}<br><span class="small">${formatGainPercent(row.unrealized_fraction)}</span></td></tr>`;
}

function totalRow({ total }: PortfolioView): Markup {
  return html`<tr><th scope="row">Total</th><td>${formatDollarAmount(total.value)}<br><span class="soft small">${formatWeight(total.weight)}</span></td>
<td>${formatGain(total.day_change)}<br><span class="small">${formatGainPercent(total.day_change_fraction)}</span></td>
<td>${formatGain(total.unrealized)}<br><span class="small">${formatGainPercent(total.unrealized_fraction)}</span></td></tr>`;
}

/** Returns the address of a symbol's page. */
type SymbolLink = (symbol: string) => string;

/** Number of positions shown before the list is opened. */
const MAX_HOLDINGS = 10;

/** Renders the positions for a phone: one line each, the largest first, then the cash. */
export async function holdingsPart(reads: AccountReads, now: number, link: SymbolLink): Promise<Markup> {
  const { rows, cash, buying_power } = await readPortfolio(reads, now);
  const list = (shown: readonly PortfolioRow[]) =>
    html`<ul class="lines holdings">${shown.map((row) => holdingLine(row, link))}</ul>`;
  const rest = rows.slice(MAX_HOLDINGS);
  return html`${rows.length === 0 ? html`<p class="soft none" data-testid="no-positions">No positions yet. Ask your agent for an order; it appears here for your approval.</p>` : list(rows.slice(0, MAX_HOLDINGS))}
${rest.length === 0 ? '' : html`<details class="all" data-keep="holdings"><summary>${rest.length} smaller positions</summary>${list(rest)}</details>`}
<ul class="lines"><li><span>Cash</span><span><strong>${formatDollarAmount(cash)}</strong><br><span class="soft small">${formatDollarAmount(buying_power)} buying power</span></span></li></ul>`;
}

function holdingLine(row: PortfolioRow, link: SymbolLink): Markup {
  const { symbol, side, qty, price, value, day_change, day_change_fraction } = row;
  return html`<li data-testid="holding"><a href="${link(symbol)}"><span><strong>${markInvisibleCharacters(symbol)}</strong>${
    side === 'short' ? html` <span class="mark">short</span>` : ''
  }<br><span class="soft small">${formatShares(qty)} × ${formatSharePrice(price)}</span></span>
<span><strong>${formatDollarAmount(value)}</strong><br><span class="small">${formatGain(day_change)} (${formatGainPercent(day_change_fraction)})</span></span></a></li>`;
}

const MAX_ACTIVITIES = 8;
const MAX_ORDERS = 100;
const MAX_SYMBOL_LENGTH = 40;
const ACTIVITY_DAYS = 31;
const TRADE_DAYS = 366;

/**
 * Renders the latest trades, dividends and transfers. A broker that lists no activities lists its filled orders.
 * @param only the symbol whose trades alone are shown
 */
export async function activityPart(reads: AccountReads, now: number, only?: string): Promise<Markup> {
  const after = now - (only === undefined ? ACTIVITY_DAYS : TRADE_DAYS) * DAY_MS;
  const isShown = (one: { readonly symbol: string | null; readonly kind?: Activity['kind'] }) =>
    only === undefined || (one.symbol === only && (one.kind ?? 'fill') === 'fill');
  const lines = await reads.activities({ after }).then(
    (activities) => activities.filter(isShown).toReversed().map(activityLine),
    async () =>
      (await reads.orders({ status: 'all', limit: MAX_ORDERS }))
        .filter((order) => order.filled_at !== null && Date.parse(order.filled_at) > after && isShown(order))
        .map(filledOrderLine),
  );
  return lines.length === 0
    ? html`<p class="soft none" data-testid="no-activity">Nothing in the last ${only === undefined ? 'month' : 'year'}.</p>`
    : html`<ul class="lines" data-testid="activity">${lines.slice(0, MAX_ACTIVITIES)}</ul>`;
}

const activityWords: Readonly<Record<Activity['kind'], string>> = {
  fill: 'Trade',
  deposit: 'Deposit',
  withdrawal: 'Withdrawal',
  dividend: 'Dividend',
  interest: 'Interest',
  fee: 'Fee',
  transfer: 'Shares transferred',
  other: 'Change in shares',
  unknown: 'Other booking',
};

function activityLine({ kind, at, symbol, side, qty, price, amount }: Activity): Markup {
  const name = symbol === null ? '' : ` ${safeLine(symbol, MAX_SYMBOL_LENGTH)}`;
  const shares = qty === null ? '' : ` ${formatShares(qty)}`;
  if (kind === 'fill' && side !== null && price !== null)
    return tradeLine({ side, what: `${shares}${name}`, price, at });
  return dayLine(
    html`<strong>${activityWords[kind]}${name}</strong>`,
    at,
    amount === null ? shares : formatGain(amount),
  );
}

function filledOrderLine({ side, symbol, filled_qty, filled_avg_price, filled_at }: Order): Markup {
  const what = ` ${formatShares(filled_qty)} ${safeLine(symbol, MAX_SYMBOL_LENGTH)}`;
  return tradeLine({ side, what, price: filled_avg_price, at: filled_at ?? '' });
}

function tradeLine({
  side,
  what,
  price,
  at,
}: {
  side: string;
  what: string;
  price: string | null;
  at: string;
}): Markup {
  const sign = side === 'buy' || side === 'sell' ? html`<span class="${side}">${renderIcon(side)}</span> ` : '';
  const word = side === 'buy' ? 'Bought' : side === 'sell' ? 'Sold' : 'Traded';
  return dayLine(
    html`${sign}<strong>${word}${what}</strong>`,
    at,
    price === null ? '' : `at ${formatSharePrice(price)}`,
  );
}

function dayLine(what: Markup, at: string, beside: Markup | string): Markup {
  const time = Date.parse(at);
  return html`<li data-testid="activity-line"><span>${what}<br><span class="soft small">${Number.isNaN(time) ? '' : formatDay(time)}</span></span><span>${beside}</span></li>`;
}

/** Maximum number of points that fit on a chart of the page's width. */
const MAX_POINTS = 800;

export const PERIOD_DAYS: Readonly<Record<Period, number>> = {
  '1D': 1,
  '1W': 7,
  '1M': 31,
  '3M': 93,
  '1A': 366,
  '10A': 3660,
};

/** Returns the values of today, or of the last day with values if today has none yet. */
async function readDay(reads: AccountReads): Promise<readonly DatedValue[]> {
  const today = await reads.valueHistory('1D');
  if (today.length > 1) return today;
  const week = await reads.valueHistory('1W');
  const dayOf = ({ at }: DatedValue) => newYorkDate(Date.parse(at));
  const last = week.at(-1);
  return last === undefined ? today : week.filter((value) => dayOf(value) === dayOf(last));
}

/**
 * Renders the account's value and drawdown as chart data and text. Deposits and withdrawals aren't gains or losses.
 * @param brief whether to leave the drawdown out
 */
export async function valuePart(reads: AccountReads, period: Period, now: number, brief = false): Promise<Markup> {
  const [values, activities] = await Promise.all([
    period === '1D' ? readDay(reads) : reads.valueHistory(period),
    reads.activities({ after: now - PERIOD_DAYS[period] * DAY_MS }),
  ]);
  const points = toValuePoints(
    values.map(({ at, equity }) => ({ at: Date.parse(at), value: new Dec(equity) })),
    toFlows(activities),
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2)
    return html`<p class="soft none" data-testid="no-value">No chart yet. The broker has too few values of this period.</p>`;
  const { series, current, worst } = drawdowns(points);
  const drawn = limitPoints(points.map((point, index) => ({ ...point, below: series[index]?.fraction })));
  const chart = JSON.stringify({
    at: drawn.map(({ at }) => Math.round(at / 1000)),
    value: drawn.map(({ value }) => value.toDecimalPlaces(2).toNumber()),
    ...(brief ? {} : { drawdown: drawn.map(({ below }) => -(below?.toDecimalPlaces(6).toNumber() ?? 0)) }),
  });
  const moved = points.reduce((sum, { flow }) => sum.plus(flow), new Dec(0));
  const earned = last.value.minus(first.value).minus(moved);
  const [began, ended] = [newYorkDate(first.at), newYorkDate(last.at)];
  const deepest =
    worst === undefined
      ? 'It had no drawdown.'
      : html`Deepest drawdown <span class="loss">-${formatWeight(worst.fraction.toFixed(12))}</span>, ${formatDate(newYorkDate(worst.peakAt))} to ${formatDate(newYorkDate(worst.troughAt))}; now <span class="${current.isZero() ? 'even' : 'loss'}">-${formatWeight(current.toFixed(12))}</span>.`;
  return html`<div class="chart ${brief ? 'brief' : ''}" data-chart="${chart}" data-period="${period}" data-keep="chart"></div>
<p class="words small" data-testid="value-words">${began === ended ? `On ${formatDate(began)}` : `From ${formatDate(began)} to ${formatDate(ended)}`}: ${formatDollarAmount(first.value.toFixed())} to ${formatDollarAmount(last.value.toFixed())}, ${formatGain(earned.toFixed(2))}${
    moved.isZero() ? '' : html` excluding net deposits of ${formatDollarAmount(moved.toFixed(2))}`
  }. ${brief ? '' : deepest}</p>`;
}

/** Keeps every nth point, and always the last point. */
export function limitPoints<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, index) => (points.length - 1 - index) % step === 0);
}

/** Renders a gain or loss with its color and sign: `+$12.00`. */
export function formatGain(amount: string): Markup {
  return html`<span class="${gainTone(amount)}">${formatSignedDollars(amount)}</span>`;
}

export function formatGainPercent(fraction: string): Markup {
  return html`<span class="${gainTone(fraction)}">${formatSignedPercent(fraction)}</span>`;
}

function gainTone(amount: string): 'gain' | 'loss' | 'even' {
  const exact = parseDecimal(amount);
  return exact.gt(0) ? 'gain' : exact.lt(0) ? 'loss' : 'even';
}

/** Formats a share of the total without a sign: `12.3%`. */
export function formatWeight(fraction: string): string {
  return `${parseDecimal(fraction).mul(100).toFixed(1)}%`;
}

/** Draws a share of the total as a bar. @param fraction values above 1 are drawn as 1 */
function weightBar(fraction: string): Markup {
  const width = Math.min(100, Math.max(0, parseDecimal(fraction).abs().mul(100).toNumber()));
  return html`<svg class="weight" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="100" height="4" rx="2"/><rect class="part" width="${width.toFixed(1)}" height="4" rx="2"/></svg>`;
}
