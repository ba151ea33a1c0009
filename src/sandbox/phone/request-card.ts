import { html } from 'hono/html';
import { utcSeconds } from '../../trading/clock.ts';
import type { ApprovalRequest } from '../identity-provider/approval-requests.ts';
import { isMessage, type OrderField, orderFields, orderHeadline, orderTerms } from './order-fields.ts';
import type { Markup } from './page.ts';

/** One order waiting for a decision: every field of its details, and nothing to do but approve or deny. */
export function requestCard(request: ApprovalRequest, formToken: string): Markup {
  const { details } = request;
  const fields = orderFields(details);
  const headingId = `request-${request.id}`;
  return html`<article class="card" data-testid="request" data-request-id="${request.id}" aria-labelledby="${headingId}">
${isMessage(details) ? messageBanner() : environmentBanner(details.environment)}
<h3 class="headline" id="${headingId}" data-testid="headline">${orderHeadline(details)}</h3>
<p class="soft" data-testid="terms">${orderTerms(details)}</p>
<div class="codebox"><span class="soft small">Your terminal must show<br>this same code</span><span class="value" data-testid="code">${request.code}</span></div>
<p class="small">Asked by <strong data-testid="client-name">${request.clientName}</strong>${
    request.bindingMessage === undefined
      ? ''
      : html`<br><span class="soft">Message:</span> <span class="mono" data-testid="binding-message">${request.bindingMessage}</span>`
  }<br><span class="soft" data-testid="warning">Deny it unless you asked for it yourself, just now.</span></p>
<dl>${fields.filter((field) => !field.technical).map((field) => row(field, details))}</dl>
<form class="actions" method="post" action="/phone/requests/${request.id}">
<input type="hidden" name="form_token" value="${formToken}">
<p class="expiry small"><span class="soft">Expires</span><strong data-testid="countdown" data-expires="${request.expiresAt}">${clockTime(request.expiresAt)}</strong></p>
<div class="pair">
<button class="stop" name="decision" value="deny" data-testid="deny">Deny</button>
<button class="go" name="decision" value="approve" data-testid="approve">Approve</button>
</div>
</form>
<dl class="technical">${fields.filter((field) => field.technical).map((field) => row(field, details))}</dl>
</article>`;
}

/** The decisions made lately. */
export function recentList(requests: readonly ApprovalRequest[]): Markup {
  if (requests.length === 0) return html`<p class="soft">Nothing yet.</p>`;
  const outcomes = { approved: '✓ Approved', denied: '✕ Denied', expired: '◷ Expired', pending: 'Pending' };
  return html`<ul class="recent">${requests.map(
    (request) => html`<li data-testid="recent" data-status="${request.status}">
<span>${orderHeadline(request.details)} <span class="soft">${isMessage(request.details) ? '' : environmentWord(request.details.environment)}</span><br><span class="soft small"><span class="mono">${request.code}</span> · ${clockTime(request.decidedAt ?? request.expiresAt)}</span></span>
<span class="outcome">${outcomes[request.status]}</span></li>`,
  )}</ul>`;
}

/** Told apart by word, sign and border, not by colour alone. Whatever is not paper is shown as live. */
function environmentBanner(environment: unknown): Markup {
  return environment === 'paper'
    ? html`<div class="environment paper" data-testid="environment"><span aria-hidden="true">◇</span><strong>PAPER</strong><span class="small">simulated money</span></div>`
    : html`<div class="environment live" data-testid="environment"><span aria-hidden="true">▲</span><strong>${environmentWord(environment)}</strong><span class="small">real money</span></div>`;
}

/** A message moves no money, but what it says leaves the house. */
function messageBanner(): Markup {
  return html`<div class="environment paper" data-testid="environment"><span aria-hidden="true">✉</span><strong>MESSAGE</strong><span class="small">sent in your name</span></div>`;
}

function environmentWord(environment: unknown): string {
  return environment === 'paper'
    ? 'PAPER'
    : environment === 'live'
      ? 'LIVE'
      : `LIVE (${String(environment)})`;
}

function row(field: OrderField, details: Readonly<Record<string, unknown>>): Markup {
  const value = details[field.name];
  return html`<div><dt>${field.label}</dt><dd data-field="${field.name}" data-value="${typeof value === 'string' ? value : JSON.stringify(value)}">${field.text}</dd></div>`;
}

function clockTime(epochMs: number): string {
  return `${utcSeconds(epochMs).slice(11, 19)} UTC`;
}
