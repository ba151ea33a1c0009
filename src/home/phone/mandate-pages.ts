import { Hono } from 'hono';
import { html } from 'hono/html';
import { formatDollarAmount } from '../../trading/amounts.ts';
import { describeSlot } from '../../trading/mandate/cadence.ts';
import type { MandateState, MandateView } from '../../trading/mandate/mandate.ts';
import {
  describeCoveredOrders,
  describeMandateAmounts,
  describeMandateTimes,
  formatPriceBands,
  mandateHeadline,
} from '../../trading/mandate/mandate-words.ts';
import { describeLastResult, describeNextTime } from '../../trading/mandate/standing-order-words.ts';
import { renderEnvironmentBanner } from './decision/signs.ts';
import type { BrowserEnv } from './page/browser-env.ts';
import { type Markup, redirectToSignIn, renderPage } from './page/page.ts';
import type { MandateControl } from './phone-services.ts';

const PATH = '/phone/mandates';

const stateWords: Readonly<Record<MandateState, string>> = {
  active: 'Active',
  suspended: 'Suspended',
  revoked: 'Revoked',
  expired: 'Expired',
  exhausted: 'Used up',
  replaced: 'Replaced',
};

/**
 * Creates the page that lists mandates, their limits, their usage, and when each ends. Suspending and revoking require
 * no passkey, because they only reduce what is allowed. Mandates can't be created, widened or resumed here, because
 * such a change requires approval.
 */
export function createMandatePages(mandating: MandateControl): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(PATH, async (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const all = await mandating.list(user.username);
    const open = all.filter(({ state }) => ['active', 'suspended', 'exhausted'].includes(state));
    const over = all.filter((mandate) => !open.includes(mandate));
    return renderPage(context, {
      title: 'Mandates',
      body: html`<h1 tabindex="-1">Mandates</h1>
<p class="soft">Orders that can be placed without asking you again.</p>
${open.length === 0 ? html`<p data-testid="no-mandates">No mandates. Every order needs your approval.</p>` : ''}
${open.map((mandate) => mandateCard(mandate, formToken))}
${
  over.length === 0
    ? ''
    : html`<h2>Ended</h2>
<ul class="recent">${over.map(
        (mandate) =>
          html`<li data-testid="mandate-over" data-id="${mandate.id}"><span>${describeCoveredOrders(mandate.terms)}<br><span class="soft small">${usageText(mandate)}${mandate.standing?.last === undefined ? '' : ` · ${describeLastResult(mandate.standing.last)}`} · <span class="mono">${mandate.id}</span></span></span><span class="outcome">${stateWords[mandate.state]}</span></li>`,
      )}</ul>`
}`,
    });
  });

  app.post(PATH, async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, PATH);
    const { id, end } = await context.req.parseBody();
    if (typeof id === 'string' && (end === 'suspended' || end === 'revoked')) {
      await mandating.end(user.username, id, end);
    }
    return context.redirect(PATH, 303);
  });

  return app;
}

function mandateCard(mandate: MandateView, formToken: string): Markup {
  const { id, state, terms, slot, standing } = mandate;
  const rows: [string, string][] = [
    ['Used', usageText(mandate)],
    ['Amounts', describeMandateAmounts(terms)],
    ['How often', describeMandateTimes(terms)],
    ...(standing === undefined ? [] : [['Next', describeNextTime(standing)] as [string, string]]),
    ...(standing?.last === undefined ? [] : [['Last', describeLastResult(standing.last)] as [string, string]]),
    ...(slot === undefined ? [] : [['Current period', describeSlot(slot)] as [string, string]]),
    ...(terms.price === undefined ? [] : [['Prices', formatPriceBands(terms.price)] as [string, string]]),
    ['Order types', terms.order_types.join(', ')],
    ['Account', terms.account],
  ];
  return html`<article class="card" data-testid="mandate" data-id="${id}" data-state="${state}">
${renderEnvironmentBanner(terms.environment)}
<h2 data-testid="mandate-worst">${mandateHeadline(terms)}</h2>
<p data-testid="mandate-for">${describeCoveredOrders(terms)} · <strong>${stateWords[state]}</strong></p>
<dl class="shows">${rows.map(([label, text]) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>
<p class="small soft mono">${id}</p>
<form method="post" action="${PATH}">
<input type="hidden" name="form_token" value="${formToken}"><input type="hidden" name="id" value="${id}">
<div class="pair">
<button class="quiet" name="end" value="suspended" data-testid="suspend" ${state === 'suspended' ? 'disabled' : ''}>Suspend</button>
<button class="stop" name="end" value="revoked" data-testid="revoke">Revoke</button>
</div>
</form>
<p class="small soft">Suspending and revoking can’t be undone here. To continue, propose a new mandate and approve it.</p>
</article>`;
}

/** Formats usage as `$540.00 of $2,000.00, 3 of 12 orders`. */
function usageText({ terms, used }: MandateView): string {
  return `${formatDollarAmount(used.total_notional)} of ${formatDollarAmount(terms.max_total_notional)}, ${used.orders} of ${terms.max_orders} orders`;
}
