import { html } from 'hono/html';
import { type ProposalDetails, proposalDetailsSchema } from '../../approval/details.ts';
import { utcSeconds } from '../../machine/clock.ts';
import { type DetailField, detailFields, orderHeadline, orderTerms } from '../../trading/detail-fields.ts';
import { environmentWord } from '../../trading/environment.ts';
import type { Banner, PhoneView } from '../../trading/kinds/kind-words.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { isFlatMessage, messageView } from '../../trading/kinds/message.ts';
import type { ApprovalRequest } from '../identity-provider/approval-requests.ts';
import type { Markup } from './page.ts';
import { outcomeText, type ProposalView, proposalView } from './proposal-view.ts';

/** A proposal, a client's own order, or its message, waiting for a decision: all of it, and nothing but approve or deny. */
export function requestCard(request: ApprovalRequest, formToken: string): Markup {
  const proposal = proposalOf(request);
  return proposal === undefined
    ? plainCard(request, formToken)
    : proposalCard(request, proposalView(proposal), formToken);
}

/** What the person must know first, then the buttons, then every field. */
function proposalCard(request: ApprovalRequest, view: ProposalView, formToken: string): Markup {
  const headingId = `request-${request.id}`;
  const part = (technical: boolean) =>
    view.fields
      .filter((field) => field.technical === technical)
      .map(({ label, text, name }) => row(label, text, name));
  const fields = html`<dl>${part(false)}</dl>`;
  const { fieldsFirst = false } = kinds[view.kind].phone;
  return html`<article class="card proposal" data-testid="request" data-request-id="${request.id}" data-kind="${view.kind}" aria-labelledby="${headingId}">
${proposalBanner(view)}
<h3 class="headline" id="${headingId}" data-testid="headline">${view.headline}</h3>
${view.total === undefined ? '' : html`<p class="total" data-testid="total">${view.total}</p>`}
<p class="soft" data-testid="terms">${view.terms}</p>
${cautions(view)}
${lines('shows', view.shows)}
<div class="codebox"><span class="soft small">Your terminal must show<br>this same code</span><span class="value" data-testid="code">${request.code}</span></div>
<p class="small">Asked by <strong data-testid="requested-by">${view.askedBy}</strong> through <span data-testid="client-name">${request.clientName}</span>${
    view.sentence === undefined
      ? ''
      : html`<br><span class="soft">Your words:</span> “<span data-testid="sentence"><bdi>${view.sentence}</bdi></span>”`
  }</p>
${lines('origins', view.origins)}
<p class="small soft" data-testid="warning">Deny it unless you asked for it yourself.</p>
${fieldsFirst ? fields : ''}
${actions(request, formToken, view.headline)}
${fieldsFirst ? '' : fields}
<p class="small soft">Message: <span class="mono" data-testid="binding-message">${request.bindingMessage ?? ''}</span></p>
<dl class="technical">${part(true)}</dl>
</article>`;
}

/** What should make the person stop and think, in one place. */
function cautions({ again, warnings, tainted }: ProposalView): Markup | '' {
  if (again === undefined && warnings.length === 0 && tainted === undefined) return '';
  return html`<div class="note">${again === undefined ? '' : html`<strong data-testid="again">${again}</strong>`}${
    warnings.length === 0
      ? ''
      : html`<ul data-testid="warnings">${warnings.map((text) => html`<li>${text}</li>`)}</ul>`
  }${
    tainted === undefined
      ? ''
      : html`<p data-testid="tainted">Text from outside was in the conversation: ${tainted}</p>`
  }</div>`;
}

/** One order or message of a client that asks by itself: every field of its details. */
function plainCard(request: ApprovalRequest, formToken: string): Markup {
  const { details } = request;
  const { headline, terms, fields } = plainView(details);
  const headingId = `request-${request.id}`;
  const value = ({ name }: DetailField) => {
    const raw = details[name];
    return typeof raw === 'string' ? raw : JSON.stringify(raw);
  };
  return html`<article class="card" data-testid="request" data-request-id="${request.id}" aria-labelledby="${headingId}">
${isFlatMessage(details) ? wordBanner(kinds.message.phone.banner) : environmentBanner(details.environment)}
<h3 class="headline" id="${headingId}" data-testid="headline">${headline}</h3>
<p class="soft" data-testid="terms">${terms}</p>
<div class="codebox"><span class="soft small">Your terminal must show<br>this same code</span><span class="value" data-testid="code">${request.code}</span></div>
<p class="small">Asked by <strong data-testid="client-name">${request.clientName}</strong>${
    request.bindingMessage === undefined
      ? ''
      : html`<br><span class="soft">Message:</span> <span class="mono" data-testid="binding-message">${request.bindingMessage}</span>`
  }<br><span class="soft" data-testid="warning">Deny it unless you asked for it yourself, just now.</span></p>
<dl>${fields.filter((field) => !field.technical).map((field) => row(field.label, field.text, field.name, value(field)))}</dl>
${actions(request, formToken, headline)}
<dl class="technical">${fields.filter((field) => field.technical).map((field) => row(field.label, field.text, field.name, value(field)))}</dl>
</article>`;
}

/** The buttons, with what they are about: the bar stays in reach of the thumb while the card is read. */
function actions(request: ApprovalRequest, formToken: string, headline: string): Markup {
  return html`<form class="actions" method="post" action="/phone/requests/${request.id}">
<input type="hidden" name="form_token" value="${formToken}">
<p class="expiry small"><span class="about"><span class="mono">${request.code}</span> ${headline}</span><strong data-testid="countdown" data-expires="${request.expiresAt}">${clockTime(request.expiresAt)}</strong></p>
<div class="pair">
<button class="stop" name="decision" value="deny" data-testid="deny">Deny</button>
<button class="go" name="decision" value="approve" data-testid="approve">Approve</button>
</div>
</form>`;
}

/** What takes the buttons' place once the person has decided: as high as they were, so that nothing below moves. */
export function resultPanel(request: ApprovalRequest): Markup {
  return html`<div class="actions result" data-testid="result" data-status="${request.status}" data-state="${request.outcome?.state ?? ''}" role="status" tabindex="-1">
<p><strong>${statusWords[request.status]}</strong><br><span data-testid="outcome">${becameOf(request)}</span></p>
<button type="button" class="quiet" data-put-away>Put away</button>
</div>`;
}

/** One of the decisions made lately, and what came of it. */
export function recentItem(request: ApprovalRequest): Markup {
  const proposal = proposalOf(request);
  const view = proposal === undefined ? undefined : proposalView(proposal);
  const environment = view === undefined ? request.details.environment : view.environment;
  const came = becameOf(request);
  return html`<li data-testid="recent" data-id="${request.id}" data-status="${request.status}" data-state="${request.outcome?.state ?? ''}">
<span>${view?.headline ?? plainView(request.details).headline} <span class="soft">${environment === undefined ? '' : environmentWord(environment)}</span>${
    came === '' ? '' : html`<br><span data-testid="recent-outcome">${came}</span>`
  }<br><span class="soft small"><span class="mono">${request.code}</span> · ${clockTime(request.decidedAt ?? request.expiresAt)}</span></span>
<span class="outcome">${statusWords[request.status]}</span></li>`;
}

const statusWords: Record<ApprovalRequest['status'], string> = {
  approved: '✓ Approved',
  denied: '✕ Denied',
  expired: '◷ Expired',
  withdrawn: '↶ Withdrawn',
  pending: 'Pending',
};

/** Nothing more is told of what a client asked for by itself: that client carries it out. */
function becameOf({ outcome, status, details }: ApprovalRequest): string {
  if (outcome !== undefined) return outcomeText(outcome);
  return status === 'approved' && details.proposal !== undefined
    ? outcomeText({ state: 'executing', text: '' })
    : '';
}

function proposalOf({ details }: ApprovalRequest): ProposalDetails | undefined {
  return details.proposal === undefined ? undefined : proposalDetailsSchema.safeParse(details).data;
}

function proposalBanner({ kind, environment }: ProposalView): Markup {
  if (environment !== undefined) return environmentBanner(environment);
  return wordBanner(kinds[kind].phone.banner);
}

/** Told apart by word, sign and border, not by colour alone. Whatever is not paper is shown as live. */
function environmentBanner(environment: unknown): Markup {
  return environment === 'paper'
    ? html`<div class="environment paper" data-testid="environment"><span aria-hidden="true">◇</span><strong>${environmentWord(environment)}</strong><span class="small">simulated money</span></div>`
    : html`<div class="environment live" data-testid="environment"><span aria-hidden="true">▲</span><strong>${environmentWord(environment)}</strong><span class="small">real money</span></div>`;
}

/** Of what moves no money; shown as live where a kind has no word for it. */
function wordBanner(banner: Banner | undefined): Markup {
  if (banner === undefined) return environmentBanner(undefined);
  const { sign, word, what } = banner;
  return html`<div class="environment paper" data-testid="environment"><span aria-hidden="true">${sign}</span><strong>${word}</strong><span class="small">${what}</span></div>`;
}

/** What a client asks for by itself is an order or a message. */
function plainView(details: Readonly<Record<string, unknown>>): PhoneView {
  if (isFlatMessage(details)) return messageView(details);
  return { headline: orderHeadline(details), terms: orderTerms(details), fields: detailFields(details) };
}

function lines(name: string, all: ProposalView['shows']): Markup | '' {
  return all.length === 0
    ? ''
    : html`<dl class="${name}" data-testid="${name}">${all.map(({ label, text }) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}</dl>`;
}

/** @param raw the details' own value, where it differs from what is shown */
function row(label: string, text: string, name: string, raw = text): Markup {
  return html`<div><dt>${label}</dt><dd data-field="${name}" data-value="${raw}">${text}</dd></div>`;
}

function clockTime(epochMs: number): string {
  return `${utcSeconds(epochMs).slice(11, 19)} UTC`;
}
