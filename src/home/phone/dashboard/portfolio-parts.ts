import { html } from 'hono/html';
import { markedText, safeLine } from '../../../text/shown-text.ts';
import { type AccountEntry, ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { type Activity, flowsOf } from '../../../trading/activity.ts';
import {
  dollars,
  sharePrice,
  shares,
  signedDollars,
  signedPercent,
  todayWords,
} from '../../../trading/amounts.ts';
import { Dec, decimal } from '../../../trading/decimal.ts';
import { environmentWord } from '../../../trading/environment.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { drawdowns } from '../../../trading/portfolio/drawdown.ts';
import {
  type PortfolioHistory,
  type PortfolioRow,
  type PortfolioView,
  portfolioView,
} from '../../../trading/portfolio/portfolio-view.ts';
import { totalsAcross } from '../../../trading/portfolio/totals-across.ts';
import { type ValuePoint, valuePoints } from '../../../trading/portfolio/value-point.ts';
import type { Account, Position } from '../../../trading/views.ts';
import { environmentBanner } from '../decision/signs.ts';
import type { Markup } from '../page/page.ts';
import type { DatedValue, Period } from './dashboard-data.ts';

export function summaryPart(account: Account, positions: readonly Position[]): Markup {
  const view = portfolioView(account, positions);
  return html`${environmentBanner(view.environment)}
<p class="label">Portfolio value${view.simulated ? html` <span class="simulated" data-testid="simulated">simulated</span>` : ''}</p>
<p class="equity" data-testid="equity">${dollars(view.equity)}</p>
<p class="today" data-testid="today">${today(view)}</p>
${view.trading_blocked ? html`<p class="problem">The broker has blocked trading in this account.</p>` : ''}
<dl class="figures">
<div><dt>Cash</dt><dd>${dollars(view.cash)} <span class="soft">${weight(view.cash_weight)}</span></dd></div>
<div><dt>Buying power</dt><dd>${dollars(view.buying_power)}</dd></div>
<div><dt>Open gain</dt><dd>${gain(view.total.unrealized)} (${gainPercent(view.total.unrealized_fraction)})</dd></div>
<div><dt>Account</dt><dd>${markedText(view.account)}</dd></div>
</dl>`;
}

function today({ day_change, day_change_fraction }: PortfolioView): Markup {
  if (day_change === null || day_change_fraction === null) {
    return html`<span class="soft">${todayWords(null, null)}</span>`;
  }
  return html`${gain(day_change)} (${gainPercent(day_change_fraction)}) <span class="soft">today</span>`;
}

export function positionsPart(
  account: Account,
  positions: readonly Position[],
  traded?: PortfolioHistory['traded'],
): Markup {
  const view = portfolioView(account, positions, { traded });
  if (view.rows.length === 0)
    return html`<p class="soft none" data-testid="no-positions">Nothing is held: ${dollars(view.cash)} in cash.</p>`;
  // Amounts of millions are wider than a phone: then it scrolls, by keys too.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of positions"><table class="wide-table" data-testid="positions">
<thead><tr><th scope="col">Symbol</th><th scope="col">Value</th><th scope="col">Today</th><th scope="col">Gain</th></tr></thead>
<tbody>${view.rows.map(rowOf)}</tbody>
<tfoot>${totalOf(view)}</tfoot>
</table></div>`;
}

function rowOf(row: PortfolioRow): Markup {
  return html`<tr data-testid="position"><th scope="row"><span class="symbol">${markedText(row.symbol)}</span>${
    row.side === 'short' ? html` <span class="mark">short</span>` : ''
  }<br><span class="soft small">${shares(row.qty)} × ${sharePrice(row.price)}</span></th>
<td>${dollars(row.value)}<br><span class="soft small">${weight(row.weight)}</span>${weightBar(row.weight)}</td>
<td>${gain(row.day_change)}<br><span class="small">${gainPercent(row.day_change_fraction)}</span></td>
<td>${gain(row.unrealized)}<br><span class="small">${gainPercent(row.unrealized_fraction)}</span></td></tr>`;
}

function totalOf({ total }: PortfolioView): Markup {
  return html`<tr><th scope="row">Total</th><td>${dollars(total.value)}<br><span class="soft small">${weight(total.weight)}</span></td>
<td>${gain(total.day_change)}<br><span class="small">${gainPercent(total.day_change_fraction)}</span></td>
<td>${gain(total.unrealized)}<br><span class="small">${gainPercent(total.unrealized_fraction)}</span></td></tr>`;
}

/** Points that a picture of a page's width can show. */
const MOST_POINTS = 800;

/** The account's value and drawdown, as data for the chart and in words. Deposits and withdrawals count as neither. */
export function valuePart(
  values: readonly DatedValue[],
  activities: readonly Activity[],
  period: Period,
): Markup {
  const points = valuePoints(
    values.map(({ at, equity }) => ({ at: Date.parse(at), value: new Dec(equity) })),
    flowsOf(activities),
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2)
    return html`<p class="soft none" data-testid="no-value">There is nothing to draw yet: the broker has no value from before today.</p>`;
  const { series, current, worst } = drawdowns(points);
  const drawn = thinned(points.map((point, index) => ({ ...point, below: series[index]?.fraction })));
  const chart = JSON.stringify({
    at: drawn.map(({ at }) => Math.round(at / 1000)),
    value: drawn.map(({ value }) => value.toDecimalPlaces(2).toNumber()),
    drawdown: drawn.map(({ below }) => (below === undefined ? 0 : -below.toDecimalPlaces(6).toNumber())),
  });
  const moved = points.reduce((sum, { flow }) => sum.plus(flow), new Dec(0));
  const earned = last.value.minus(first.value).minus(moved);
  return html`<div class="chart" data-chart="${chart}" data-period="${period}" aria-hidden="true"></div>
<p class="words small" data-testid="value-words">From ${day(first)} to ${day(last)}: ${dollars(first.value.toFixed())} to ${dollars(last.value.toFixed())}, ${gain(earned.toFixed(2))}${
    moved.isZero() ? '' : html` beside ${dollars(moved.toFixed(2))} that came in or went out`
  }. ${
    worst === undefined
      ? 'It was never below its highest.'
      : html`Deepest drawdown <span class="loss">−${weight(worst.fraction.toFixed(12))}</span>, ${newYorkDate(worst.peakAt)} to ${newYorkDate(worst.troughAt)}; now <span class="${current.isZero() ? 'even' : 'loss'}">−${weight(current.toFixed(12))}</span>.`
  }</p>`;
}

function day({ at }: ValuePoint): string {
  return newYorkDate(at);
}

/** Every so many, and always the last. */
function thinned<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => (points.length - 1 - index) % step === 0);
}

/** `PA3ALICE01 at Alpaca` */
export function accountAt({ account, label }: Pick<AccountEntry, 'account' | 'label'>): string {
  return safeLine(account === null ? label : `${account} at ${label}`, 80);
}

/** Links to each of several accounts, and to all. @param chosen a number or `all`; undefined for the default one */
export function accountsPart(
  entries: readonly AccountEntry[],
  chosen: string | undefined,
  linkTo: (account: string) => string,
): Markup | '' {
  if (entries.length < 2) return '';
  const link = (account: string, text: string, isChosen: boolean) =>
    html`<a href="${linkTo(account)}" ${isChosen ? html`aria-current="page"` : ''}>${text}</a>`;
  return html`<nav class="periods small accounts" aria-label="Account" data-testid="accounts">${entries.map(
    (entry) => {
      const { account, environment } = entry;
      const text = `${accountAt(entry)} ${environmentWord(environment)}`;
      if (account === null) return html`<span class="soft">${text}: can’t be asked now</span>`;
      return link(account, text, chosen === undefined ? entry.default : chosen === account);
    },
  )}${link(ALL_ACCOUNTS, 'All', chosen === ALL_ACCOUNTS)}</nav>`;
}

export function eachPart(entries: readonly AccountEntry[], parts: readonly Markup[]): Markup {
  return html`${entries.map(
    (entry, at) =>
      html`<div class="of-account" data-testid="of-account" data-account="${entry.account ?? ''}"><h3>${accountAt(entry)}</h3>${parts[at] ?? ''}</div>`,
  )}`;
}

/** What accounts come to, by currency. @param without those that could not be read */
export function totalsPart(accounts: readonly Account[], without: readonly string[]): Markup {
  const lacking = without.length === 0 ? '' : html` <strong>without ${without.join(', ')}</strong>`;
  return html`<dl class="figures" data-testid="totals">${totalsAcross(accounts).map(
    ({ currency, equity, cash, day_change }) =>
      html`<div><dt>All accounts, ${safeLine(currency, 10)}${lacking}</dt><dd>${dollars(equity)} <span class="soft">${todayWords(day_change, null)}, ${dollars(cash)} in cash</span></dd></div>`,
  )}</dl>`;
}

/** Gains and losses by colour and by sign: `+$12.00`. */
function gain(amount: string): Markup {
  return html`<span class="${toneOf(amount)}">${signedDollars(amount)}</span>`;
}

function gainPercent(fraction: string): Markup {
  return html`<span class="${toneOf(fraction)}">${signedPercent(fraction)}</span>`;
}

function toneOf(amount: string): 'gain' | 'loss' | 'even' {
  const exact = decimal(amount);
  return exact.gt(0) ? 'gain' : exact.lt(0) ? 'loss' : 'even';
}

/** A share of the whole without a sign of its own: `12.3%`. */
function weight(fraction: string): string {
  return `${decimal(fraction).mul(100).toFixed(1)}%`;
}

/** How much of the whole it is, drawn; the number stands beside it. @param fraction more than all is drawn as all */
function weightBar(fraction: string): Markup {
  const width = Math.min(100, Math.max(0, decimal(fraction).abs().mul(100).toNumber()));
  return html`<svg class="weight" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect width="100" height="4" rx="2"/><rect class="part" width="${width.toFixed(1)}" height="4" rx="2"/></svg>`;
}
