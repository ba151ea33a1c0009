import { html } from 'hono/html';
import { markedText } from '../../../text/shown-text.ts';
import { dollars, sharePrice, shares, todayWords } from '../../../trading/amounts.ts';
import {
  type PortfolioHistory,
  type PortfolioRow,
  type PortfolioView,
  portfolioView,
} from '../../../trading/portfolio/portfolio-view.ts';
import type { Account, Position } from '../../../trading/views.ts';
import { environmentBanner } from '../decision/environment-banner.ts';
import type { Markup } from '../page.ts';
import { gain, gainPercent, weight, weightBar } from './figures.ts';

/** What the account is worth, and what it did today. */
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

/** What is held, the largest first, and what all of it comes to. */
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
