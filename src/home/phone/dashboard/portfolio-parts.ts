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
import { contractMultiplier } from '../../../trading/asset-class.ts';
import { formatDate, formatDay } from '../../../trading/date-words.ts';
import { Dec, parseDecimal, ZERO } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkMidnight } from '../../../trading/new-york-time.ts';
import { benchmarkValues } from '../../../trading/portfolio/benchmark.ts';
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
import { isIntraday, PERIOD_DAYS, readBenchmark, readCloses, readNames, readValues } from './chart-reads.ts';
import type { AccountReads, Period } from './dashboard-data.ts';

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
export async function readPortfolio(
  reads: AccountReads,
  now: number,
  closes?: ReadonlyMap<string, readonly string[]>,
): Promise<PortfolioView> {
  const began = newYorkMidnight(now);
  const [account, positions, activities] = await Promise.all([
    reads.account(),
    reads.positions(),
    // Not every broker lists activities. Without them, the day's change is measured from the last close.
    reads.activities({ after: began - 1 }).catch(() => []),
  ]);
  return buildPortfolioView(account, positions, { closes, traded: sumTodaysTrades(activities, began) });
}

/** Reads the portfolio with the names of its positions, and last month's closing prices of the largest ones. */
async function readNamedPortfolio(reads: AccountReads, now: number) {
  const { rows } = await readPortfolio(reads, now);
  const symbols = rows.map(({ symbol }) => symbol);
  const [names, closes] = await Promise.all([readNames(reads, symbols), readCloses(reads, symbols, now)]);
  return { view: await readPortfolio(reads, now, closes), names };
}

export async function positionsPart(reads: AccountReads, now: number, link: SymbolLink): Promise<Markup> {
  const { view, names } = await readNamedPortfolio(reads, now);
  if (view.rows.length === 0)
    return html`<p class="soft none" data-testid="no-positions">No positions; ${formatDollarAmount(view.cash)} in cash. To buy, tell your agent, for example <span class="mono">buy 1 SPY</span>; you approve it first.</p>`;
  // Amounts in the millions are wider than a phone, so the table scrolls, also by keyboard.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of positions"><table class="wide-table" data-testid="positions">
<thead><tr><th scope="col">Symbol</th><th scope="col" class="month">Month</th><th scope="col">Value</th><th scope="col">Today</th><th scope="col">Gain</th></tr></thead>
<tbody>${view.rows.map((row) => toRow(row, names, link))}</tbody>
<tfoot>${totalRow(view)}</tfoot>
</table></div>`;
}

function toRow(row: PortfolioRow, names: ReadonlyMap<string, string>, link: SymbolLink): Markup {
  return html`<tr data-testid="position"><th scope="row"><a class="symbol" href="${link(row.symbol)}">${markInvisibleCharacters(row.symbol)}</a>${
    row.side === 'short' ? html` <span class="mark">short</span>` : ''
  }${assetName(row.symbol, names)}<br><span class="soft small">${formatShares(row.qty)} × ${formatSharePrice(row.price)}</span></th>
<td class="month">${sparkline(row)}</td>
<td>${formatDollarAmount(row.value)}<br><span class="soft small">${formatWeight(row.weight)}</span>${weightBar(row.weight)}</td>
<td>${formatGain(row.day_change)}<br><span class="small">${formatGainPercent(row.day_change_fraction)}</span></td>
<td>${formatGain(row.unrealized)}<br><span class="small">${formatGainPercent(row.unrealized_fraction)}</span></td></tr>`;
}

const MAX_NAME_LENGTH = 120;

function assetName(symbol: string, names: ReadonlyMap<string, string>): Markup | '' {
  const name = names.get(symbol);
  return name === undefined
    ? ''
    : html`<br><span class="asset-name small" data-testid="asset-name">${safeLine(name, MAX_NAME_LENGTH)}</span>`;
}

const SPARK_WIDTH = 100;
const SPARK_HEIGHT = 30;

/** Draws the last month's closing prices. The title states the change, for people who can't see the line. */
function sparkline({ closes }: PortfolioRow): Markup | '' {
  const prices = closes.map((close) => Number(close));
  const [first, last] = [closes[0], closes.at(-1)];
  if (first === undefined || last === undefined || prices.length < 2 || parseDecimal(first).isZero()) return '';
  const [low, high] = [Math.min(...prices), Math.max(...prices)];
  const x = (index: number) => (index * SPARK_WIDTH) / (prices.length - 1);
  const y = (price: number) => (high === low ? SPARK_HEIGHT / 2 : (1 - (price - low) / (high - low)) * SPARK_HEIGHT);
  const line = prices.map((price, index) => `${x(index).toFixed(1)},${y(price).toFixed(1)}`).join(' ');
  const change = parseDecimal(last).minus(first).div(first).toFixed(6);
  return html`<svg class="spark ${gainTone(change)}" data-testid="sparkline" viewBox="-1 -2 ${SPARK_WIDTH + 2} ${SPARK_HEIGHT + 4}" preserveAspectRatio="none" role="img" aria-label="${formatSignedPercent(change)} in a month" focusable="false"><polyline points="${line}"/></svg>`;
}

function totalRow({ total }: PortfolioView): Markup {
  return html`<tr><th scope="row">Total</th><td class="month"></td><td>${formatDollarAmount(total.value)}<br><span class="soft small">${formatWeight(total.weight)}</span></td>
<td>${formatGain(total.day_change)}<br><span class="small">${formatGainPercent(total.day_change_fraction)}</span></td>
<td>${formatGain(total.unrealized)}<br><span class="small">${formatGainPercent(total.unrealized_fraction)}</span></td></tr>`;
}

/** Returns the address of a symbol's page. */
type SymbolLink = (symbol: string) => string;

/** Number of positions that the collapsed list shows. */
const MAX_HOLDINGS = 10;

/** Renders the positions for a phone, one line each, the largest first. The last line is the cash. */
export async function holdingsPart(reads: AccountReads, now: number, link: SymbolLink): Promise<Markup> {
  const { view, names } = await readNamedPortfolio(reads, now);
  const { rows, cash, buying_power } = view;
  const list = (shown: readonly PortfolioRow[]) =>
    html`<ul class="lines holdings">${shown.map((row) => holdingLine(row, names, link))}</ul>`;
  const rest = rows.slice(MAX_HOLDINGS);
  return html`${rows.length === 0 ? html`<p class="soft none" data-testid="no-positions">No positions yet. Ask your agent for an order; it appears here for your approval.</p>` : list(rows.slice(0, MAX_HOLDINGS))}
${rest.length === 0 ? '' : html`<details class="all" data-keep="holdings"><summary>${rest.length} smaller positions</summary>${list(rest)}</details>`}
<ul class="lines"><li><span>Cash</span><span><strong>${formatDollarAmount(cash)}</strong><br><span class="soft small">${formatDollarAmount(buying_power)} buying power</span></span></li></ul>`;
}

function holdingLine(row: PortfolioRow, names: ReadonlyMap<string, string>, link: SymbolLink): Markup {
  const { symbol, side, qty, price, value, day_change, day_change_fraction } = row;
  return html`<li data-testid="holding"><a href="${link(symbol)}"><span><strong>${markInvisibleCharacters(symbol)}</strong>${
    side === 'short' ? html` <span class="mark">short</span>` : ''
  }${assetName(symbol, names)}<br><span class="soft small">${formatShares(qty)} × ${formatSharePrice(price)}</span></span>
${sparkline(row)}
<span><strong>${formatDollarAmount(value)}</strong><br><span class="small">${formatGain(day_change)} (${formatGainPercent(day_change_fraction)})</span></span></a></li>`;
}

const MAX_ACTIVITIES = 8;
const MAX_ORDERS = 100;
const MAX_SYMBOL_LENGTH = 40;
const ACTIVITY_DAYS = 31;
const TRADE_DAYS = 366;

/**
 * Renders the latest trades, dividends and transfers. If the broker lists no activities, renders its filled orders.
 * @param only the symbol to which the list is limited
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
    : html`<ul class="lines bookings" data-testid="activity">${lines.slice(0, MAX_ACTIVITIES)}</ul>`;
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
  unknown: 'Other activity',
};

function activityLine({ kind, at, symbol, side, qty, price, amount }: Activity): Markup {
  const name = symbol === null ? '' : ` ${safeLine(symbol, MAX_SYMBOL_LENGTH)}`;
  const shares = qty === null ? '' : ` ${formatShares(qty)}`;
  if (kind === 'fill' && side !== null && price !== null)
    return tradeLine({ side, symbol: symbol ?? '', qty, price, at });
  return bookingLine(
    html`<strong>${activityWords[kind]}${name}</strong>`,
    formatBookingDay(at),
    amount === null ? shares : formatGain(amount),
  );
}

function filledOrderLine({ side, symbol, filled_qty, filled_avg_price, filled_at }: Order): Markup {
  return tradeLine({ side, symbol, qty: filled_qty, price: filled_avg_price, at: filled_at ?? '' });
}

interface Trade {
  readonly side: string;
  readonly symbol: string;
  readonly qty: string | null;
  readonly price: string | null;
  readonly at: string;
}

/** Renders a trade, with the dollars paid or received before fees. */
function tradeLine({ side, symbol, qty, price, at }: Trade): Markup {
  const isKnown = side === 'buy' || side === 'sell';
  const word = side === 'buy' ? 'Bought' : side === 'sell' ? 'Sold' : 'Traded';
  const much = qty === null ? '' : `${formatShares(qty)} `;
  const total =
    qty === null || price === null ? undefined : new Dec(qty).abs().mul(contractMultiplier(symbol)).mul(price);
  return bookingLine(
    html`${isKnown ? html`<span class="${side}">${renderIcon(side)}</span>` : ''}<strong>${word} ${much}${safeLine(symbol, MAX_SYMBOL_LENGTH)}</strong>`,
    [formatBookingDay(at), ...(price === null ? [] : [`at ${formatSharePrice(price)}`])].join(' · '),
    total === undefined || !isKnown ? '' : formatSignedDollars((side === 'buy' ? total.negated() : total).toFixed(2)),
  );
}

function formatBookingDay(at: string): string {
  const time = Date.parse(at);
  return Number.isNaN(time) ? '' : formatDay(time);
}

/** Renders a line of the activity. @param beside the change in cash, or, if there is none, the change in shares */
function bookingLine(what: Markup, note: string, beside: Markup | string): Markup {
  return html`<li data-testid="activity-line"><span>${what}<br><span class="soft small">${note}</span></span><span>${beside}</span></li>`;
}

/** Maximum number of points that fit on a chart of the page's width. */
const MAX_POINTS = 800;

/**
 * Renders the account's value as chart data and text. Deposits and withdrawals don't count as gains or losses.
 * @param brief whether to omit the drawdown, the benchmark and the person's trades
 */
export async function valuePart(reads: AccountReads, period: Period, now: number, brief = false): Promise<Markup> {
  const [values, activities] = await Promise.all([
    readValues(reads, period),
    reads.activities({ after: now - PERIOD_DAYS[period] * DAY_MS }),
  ]);
  const points = toValuePoints(
    values.map(({ at, equity }) => ({ at: Date.parse(at), value: new Dec(equity) })),
    toFlows(activities),
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2)
    return html`<p class="soft none" data-testid="no-value">No chart yet. It is drawn once the broker has two values of this period, usually after the account’s second day.</p>`;
  const { series, current, worst } = drawdowns(points);
  const benchmark = brief ? undefined : await readBenchmark(reads, points, { period, now });
  const followed = benchmark === undefined ? undefined : benchmarkValues(points, benchmark.factors);
  const drawn = limitPoints(
    points.map((point, index) => ({ ...point, below: series[index]?.fraction, followed: followed?.[index] })),
  );
  const trades = brief ? [] : tradesOnChart(drawn, activities, isIntraday(period));
  const chart = JSON.stringify({
    at: drawn.map(({ at }) => Math.round(at / 1000)),
    value: drawn.map(({ value }) => toCents(value)),
    ...(brief ? {} : { drawdown: drawn.map(({ below }) => -(below?.toDecimalPlaces(6).toNumber() ?? 0)), trades }),
    ...(benchmark === undefined
      ? {}
      : { benchmark: { name: benchmark.symbol, value: drawn.map((point) => toCents(point.followed ?? ZERO)) } }),
  });
  const moved = points.reduce((sum, { flow }) => sum.plus(flow), new Dec(0));
  const earned = last.value.minus(first.value).minus(moved);
  const [began, ended] = [newYorkDate(first.at), newYorkDate(last.at)];
  const deepest =
    worst === undefined
      ? 'It had no drawdown.'
      : html`Maximum drawdown ${drawdownMark(worst.fraction)}, ${formatDate(newYorkDate(worst.peakAt))} to ${formatDate(newYorkDate(worst.troughAt))}; now ${drawdownMark(current)}.`;
  return html`<div class="chart ${brief ? 'brief' : ''}" data-chart="${chart}" data-period="${period}" data-keep="chart"></div>
${brief ? '' : chartKey(benchmark, trades)}
<p class="words small" data-testid="value-words">${began === ended ? `On ${formatDate(began)}` : `From ${formatDate(began)} to ${formatDate(ended)}`}: ${formatDollarAmount(first.value.toFixed())} to ${formatDollarAmount(last.value.toFixed())}, ${formatGain(earned.toFixed(2))}${
    moved.isZero() ? '' : html` excluding net deposits of ${formatDollarAmount(moved.toFixed(2))}`
  }. ${brief ? '' : deepest}</p>`;
}

const toCents = (value: Dec): number => value.toDecimalPlaces(2).toNumber();

/** Renders the legend of the chart's lines and marks. */
function chartKey(
  benchmark: { readonly symbol: string; readonly period: Dec } | undefined,
  trades: readonly TradeMark[],
): Markup {
  return html`<ul class="key small soft" data-testid="chart-key"><li class="own">Your account</li>${
    benchmark === undefined
      ? ''
      : html`<li class="benchmark" data-testid="benchmark"><span>Same money in ${benchmark.symbol}: ${formatGainPercent(benchmark.period.toFixed(6))}</span></li>`
  }${tradeKey(trades)}</ul>`;
}

/** A trade on a chart: the index of its point, its side, and its description. */
type TradeMark = readonly [index: number, side: 'buy' | 'sell', ...words: string[]];

/** Renders the legend for the marks of the person's trades, with only the sides that the chart shows. */
export function tradeKey(trades: readonly TradeMark[]): Markup {
  const has = (wanted: string) => trades.some(([, side]) => side === wanted);
  return html`${has('buy') ? html`<li><span class="buy">${renderIcon('buy')}</span>You bought</li>` : ''}${has('sell') ? html`<li><span class="sell">${renderIcon('sell')}</span>You sold</li>` : ''}`;
}

/** Maximum number of trades that are listed at one point of the chart. */
const MAX_NAMED_TRADES = 2;

/** Returns the person's trades by the chart's points. Each trade has the point's index, the side, and a description. */
function tradesOnChart(
  points: readonly { readonly at: number }[],
  activities: readonly Activity[],
  intraday: boolean,
): [index: number, side: 'buy' | 'sell', words: string][] {
  // The value at a day's end includes the day's trades, even if the broker dates it at the day's start.
  const keyOf = intraday ? (at: number) => new Date(at).toISOString() : newYorkDate;
  const keys = points.map(({ at }) => keyOf(at));
  const byPlace = new Map<string, string[]>();
  for (const { kind, side, at, symbol, qty } of activities) {
    if (kind !== 'fill' || side === null || symbol === null) continue;
    const key = keyOf(Date.parse(at));
    const index = intraday ? keys.findIndex((one) => one >= key) : keys.findLastIndex((one) => one <= key);
    if (index < 0) continue;
    const words = `${qty === null ? '' : `${formatShares(qty)} `}${safeLine(symbol, MAX_SYMBOL_LENGTH)}`;
    const place = `${index} ${side}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), words]);
  }
  return [...byPlace].map(([place, all]) => {
    const [index = '', side] = place.split(' ');
    const more = all.length > MAX_NAMED_TRADES ? ` and ${all.length - MAX_NAMED_TRADES} more` : '';
    const named = `${side === 'buy' ? 'bought' : 'sold'} ${all.slice(0, MAX_NAMED_TRADES).join(', ')}${more}`;
    return [Number(index), side === 'buy' ? 'buy' : 'sell', named];
  });
}

/** Keeps every nth point, and always the last point. */
export function limitPoints<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, index) => (points.length - 1 - index) % step === 0);
}

/** Renders a gain or loss with its color and sign, as in `+$12.00`. */
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

/** Renders a drawdown, as in `-1.2%`. Omits the sign if the value rounds to zero. */
function drawdownMark(fraction: Dec): Markup {
  const text = formatWeight(fraction.toFixed(12));
  const isZero = text === '0.0%';
  return html`<span class="${isZero ? 'even' : 'loss'}">${isZero ? text : `-${text}`}</span>`;
}

/** Formats a share of the total without a sign, as in `12.3%`. */
export function formatWeight(fraction: string): string {
  return `${parseDecimal(fraction).mul(100).toFixed(1)}%`;
}

/** Draws a share of the total as a bar. @param fraction values above 1 are drawn as 1 */
function weightBar(fraction: string): Markup {
  const width = Math.min(100, Math.max(0, parseDecimal(fraction).abs().mul(100).toNumber()));
  return html`<svg class="weight" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="100" height="4" rx="2"/><rect class="part" width="${width.toFixed(1)}" height="4" rx="2"/></svg>`;
}
