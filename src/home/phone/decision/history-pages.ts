import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { BrowserEnv } from '../page/browser-env.ts';
import { type Markup, redirectToSignIn, renderPage } from '../page/page.ts';
import type { DecisionServices } from './approval-steps.ts';
import { renderLocalTime, withLocalTimes } from './local-time.ts';
import { type RequestView, requestView, summarizeOutcome } from './request-view.ts';
import { parseFillText, statusWords } from './result-panel.ts';
import { renderEnvironmentMark, renderIcon } from './signs.ts';

const PAGE_SIZE = 20;

/** Creates the pages of a person's past requests and their outcomes, latest first. */
export function createHistoryPages(services: DecisionServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get('/phone/history', async (context) => {
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, '/phone/history');
    const before = context.req.query('before');
    // One extra entry shows whether there is a next page.
    const found = await services.requests.recent(user.username, PAGE_SIZE + 1, before);
    const shown = found.slice(0, PAGE_SIZE);
    const last = found.length > PAGE_SIZE ? shown.at(-1) : undefined;
    return renderPage(context, {
      title: 'Activity',
      script: 'approvals.js',
      body: html`<h1>Activity</h1>
${shown.length === 0 ? html`<p class="soft" data-testid="no-history">Nothing yet.</p>` : ''}
<ol class="history" data-testid="history">${shown.map(async (request) => historyItem(request, await services.steps.whyDenied(request)))}</ol>
<p class="pages">${before === undefined ? '' : html`<a href="/phone/history">Latest</a>`}${
        last === undefined ? '' : html`<a href="/phone/history?before=${last.id}" data-testid="older">Older</a>`
      }</p>`,
    });
  });

  return app;
}

function historyItem(request: ApprovalRequest, why: string | undefined): Markup {
  const view = requestView(request);
  const { sign: drawn, word } = statusWords[request.status];
  const came = why ?? summarizeOutcome(request);
  const { price, total, traded } = entryAmounts(request, view);
  return html`<li data-testid="entry" data-id="${request.id}" data-status="${request.status}" data-state="${request.outcome?.state ?? ''}">
<p class="first">${view.side === undefined ? '' : html`<span class="${view.side}">${renderIcon(view.side)}</span>`}<strong class="words">${view.headline}</strong><span class="much ${traded ? '' : 'not'}" data-testid="entry-total">${total}</span></p>
<p class="second"><span class="outcome">${renderIcon(drawn)}${word}</span><span class="words" data-testid="entry-outcome">${withLocalTimes(came)}</span>${renderEnvironmentMark(view)}</p>
<p class="third soft">${price === '' ? '' : html`<span data-testid="entry-price">${price}</span> · `}<span class="when">${renderLocalTime(request.decidedAt ?? request.expiresAt)} · <span class="mono">${request.code}</span></span></p>
</li>`;
}

/** Returns text such as `at most $900.00` or `at most $900.00, plus fees`. */
function withBound(bound: string, amount: string): string {
  const [words = '', note] = bound.split(',');
  return `${words} ${amount}${note === undefined ? '' : `,${note}`}`;
}

/** Returns the amount paid or received if the order filled, or else the order's worst case. */
function entryAmounts(
  { outcome }: ApprovalRequest,
  view: RequestView,
): { price: string; total: string; traded: boolean } {
  const fill = outcome === undefined ? undefined : parseFillText(outcome.text, view.symbol ?? '');
  if (fill !== undefined) return { price: fill.price, total: fill.total, traded: true };
  return {
    price: view.side === undefined ? '' : view.terms,
    total: view.amount === undefined ? '' : withBound(view.bound, view.amount),
    traded: false,
  };
}
