import { html } from 'hono/html';
import { markInvisibleCharacters } from '../../../text/sanitize.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { Markup } from '../page/page.ts';
import { renderLocalTime, withLocalTimes } from './local-time.ts';
import { type DisplayedField, lastFourCharacters, type RequestView, requestView } from './request-view.ts';
import { renderEnvironmentBanner, renderEnvironmentMark, renderIcon, renderNoMoneyBanner } from './signs.ts';

/**
 * Renders a pending request: the most important facts first, then all fields. Approve and Deny are within the thumb's
 * reach.
 */
export function renderRequestCard(request: CardRequest, state: CardState): Markup {
  const view = requestView(request);
  const heading = `request-${request.id}`;
  const plain = fieldList(
    '',
    view.fields.filter(({ technical }) => !technical),
  );
  const technical = fieldList(
    'technical',
    view.fields.filter(({ technical }) => technical),
  );
  return html`<article class="card request ${view.side ?? ''}" data-testid="request" data-request-id="${request.id}" data-kind="${view.kind}" data-says="${cardAnnouncement(view)}" aria-labelledby="${heading}">
<form method="post" action="/phone/requests/${request.id}">
<input type="hidden" name="form_token" value="${state.formToken}">
${view.banner === undefined ? renderEnvironmentBanner(view.environment) : renderNoMoneyBanner(view.banner)}
${amountLine(view)}
<h2 class="headline" id="${heading}" tabindex="-1"><span class="words" data-testid="headline">${view.headline}</span>${view.side === undefined ? '' : renderIcon(view.side)}</h2>
<p class="soft terms" data-testid="terms">${withLocalTimes(view.terms)}</p>
${labeledLines('shows', view.shows)}
${cautions(view)}
${labeledLines('origins', view.origins)}
${requesterLine(request, view)}
${codeBox(request, state)}
${state.confirm ? confirmationField(view) : ''}
${view.fieldsFirst ? plain : ''}
<details class="all" data-testid="all-fields"><summary>All fields</summary>
${view.fieldsFirst ? '' : plain}
<p class="small soft">${view.askedBy === undefined ? '' : html`Sent by <span data-testid="client-name">${request.clientName}</span>. `}Message: <span class="mono" data-testid="binding-message">${displayedMessage(request, state)}</span></p>
${technical}
</details>
${decisionBar(request, view, state)}
</form>
</article>`;
}

/** Renders the largest text on the card: the maximum cost or the minimum proceeds. */
function amountLine({ amount, bound, total }: RequestView): Markup | '' {
  if (total === undefined) return '';
  if (amount === undefined) return html`<p class="amount unbounded" data-testid="total">${total}</p>`;
  return html`<p class="amount"><strong data-testid="amount">${amount}</strong> <span aria-hidden="true">${bound}</span></p>
<p class="worst" data-testid="total">${total}</p>`;
}

function cautions({ chosenByAi, again, warnings, tainted }: RequestView): Markup | '' {
  if (chosenByAi === undefined && again === undefined && warnings.length === 0 && tainted === undefined) return '';
  return html`<div class="note">${
    chosenByAi === undefined ? '' : html`<strong data-testid="chosen-by-ai">${chosenByAi}</strong>`
  }${again === undefined ? '' : html`<strong data-testid="again">${again}</strong>`}${
    warnings.length === 0
      ? ''
      : html`<ul data-testid="warnings">${warnings.map((text) => html`<li>${withLocalTimes(text)}</li>`)}</ul>`
  }${
    tainted === undefined
      ? ''
      : html`<p data-testid="tainted">The conversation included text from outside: ${tainted}</p>`
  }</div>`;
}

function requesterLine({ clientName, clientNote }: CardRequest, view: RequestView): Markup {
  const { askedBy: asker, sentence } = view;
  return html`<p class="asked">Requested by ${
    asker === undefined
      ? html`<strong data-testid="client-name">${clientName}</strong>`
      : html`<strong data-testid="requested-by">${asker}</strong>`
  }${clientNote === undefined ? '' : html`<br><strong class="unknown" data-testid="client-note">${markInvisibleCharacters(clientNote.text)}</strong>`}${
    sentence === undefined
      ? ''
      : html`<br><span class="soft">Your words:</span> “<span data-testid="sentence"><bdi>${sentence}</bdi></span>”`
  }</p>`;
}

/**
 * Renders the code to compare, or a field for typing it. If the person must choose the code, the bar with the buttons
 * shows the choices instead.
 */
function codeBox({ code }: CardRequest, { codes }: CardState): Markup | '' {
  if (codes === 'typed') {
    return html`<p class="confirm"><label><span><b>Type the code</b> that the agent shows you. If it shows none, deny.</span>
<input type="text" name="match" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="16" data-testid="typed-code"></label></p>`;
  }
  return codes === undefined
    ? html`<p class="codebox"><span>Code on your terminal</span><span class="value" data-testid="code">${code}</span></p>`
    : '';
}

function confirmationField({ account }: RequestView): Markup {
  const last = lastFourCharacters(account);
  return html`<p class="confirm"><label><span>Your first approval with real money: type <b>LIVE</b>${
    last === undefined ? '' : html`, or the last four characters of the account number, <b>${last}</b>`
  }.</span>
<input type="text" name="confirm" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="16" data-testid="confirm"></label></p>`;
}

/** Hides the code in the binding message if the person must choose or type the code. */
function displayedMessage({ bindingMessage = '', code }: CardRequest, { codes }: CardState): string {
  return codes === undefined ? bindingMessage : bindingMessage.replaceAll(code, '····');
}

/** Returns the sentence that screen readers announce when the card appears. */
function cardAnnouncement({ headline, total, live, banner }: RequestView): string {
  const money = banner !== undefined ? '' : live ? ', live' : ', paper';
  return `Approval needed${money}: ${headline}.${total === undefined ? '' : ` ${total}`}`;
}

function labeledLines(name: string, all: RequestView['shows']): Markup | '' {
  return all.length === 0
    ? ''
    : html`<dl class="${name}" data-testid="${name}">${all.map(({ label, text }) => html`<div><dt>${label}</dt><dd>${withLocalTimes(text)}</dd></div>`)}</dl>`;
}

function fieldList(name: string, fields: readonly DisplayedField[]): Markup {
  return html`<dl class="${name}">${fields.map(({ label, text, name: field, raw }) => html`<div><dt>${label}</dt><dd data-field="${field}" data-value="${raw}">${field === 'text' ? text : withLocalTimes(text)}</dd></div>`)}</dl>`;
}

type CardRequest = Pick<
  ApprovalRequest,
  'id' | 'code' | 'clientName' | 'clientNote' | 'bindingMessage' | 'details' | 'expiresAt'
>;

/** State of a card in this browser, such as steps that the person must take before approving. */
export interface CardState {
  readonly formToken: string;
  /** The codes to choose from, or `typed` if the code must be typed. Undefined if the card shows the code. */
  readonly codes: readonly string[] | 'typed' | undefined;
  /** Whether the person must type a word to confirm that this is real money. Required once per account. */
  readonly confirm: boolean;
  /** Whether the person must press and hold the Approve button, because the amount of real money is large. */
  readonly hold?: boolean;
  /**
   * Why the person can't approve here. If `decideAt` is set, they can't deny here either, and the card links to the
   * page where they can do both.
   */
  readonly cannot: 'no_key' | 'signed_in_otherwise' | { readonly decideAt: string | undefined } | undefined;
}

/**
 * Renders the bar at the bottom of the screen: the remaining time, and the buttons Deny and Approve, which name the
 * order. The bar stays in place even if the card is long. Approving requires a signature and therefore JavaScript.
 * Without it, a sentence replaces the Approve button.
 */
function decisionBar(request: CardRequest, view: RequestView, { codes, cannot, hold = false }: CardState): Markup {
  const choices = codes === 'typed' ? undefined : codes;
  const about =
    choices !== undefined
      ? CODE_QUESTION
      : html`${codes === undefined ? html`<span class="mono">${request.code}</span> ` : ''}${view.headline}`;
  const question = `ask-${request.id}`;
  if (typeof cannot === 'object') return readOnlyBar(request, cannot.decideAt);
  return html`<div class="bar" data-testid="bar">
<p class="said" data-testid="said" role="alert"></p>
<p class="expiry"><span class="about" id="${question}">${about}</span><strong data-testid="countdown" data-expires="${request.expiresAt}">until ${renderLocalTime(request.expiresAt)}</strong></p>
${choices === undefined ? '' : html`<div class="codes" role="radiogroup" aria-labelledby="${question}" data-testid="codes">${choices.map(codeChoice)}</div>`}
<div class="pair">
<button class="stop" name="decision" value="deny" formnovalidate data-testid="deny"><b>Deny</b><span class="act">${view.act}</span></button>
${approveButton(view, cannot, hold)}
</div>
</div>`;
}

function readOnlyBar({ expiresAt }: CardRequest, decideAt: string | undefined): Markup {
  return html`<div class="elsewhere" data-testid="elsewhere">
<p class="expiry small"><span class="soft">Read-only here.</span> <strong data-testid="countdown" data-expires="${expiresAt}">until ${renderLocalTime(expiresAt)}</strong></p>
<p>${
    decideAt === undefined
      ? 'Decide on your phone.'
      : html`<a class="go" href="${decideAt}" target="_blank" rel="noopener noreferrer" data-testid="decide">Open on your phone page</a>`
  }</p>
</div>`;
}

const CODE_QUESTION = html`<b>Which code does your terminal show?</b>`;

function codeChoice(code: string): Markup {
  return html`<label><input type="radio" name="match" value="${code}"><span class="value">${code}</span></label>`;
}

const approveObstacles = {
  no_key: html`To approve, pair this phone with the code that your home’s machine shows.`,
  signed_in_otherwise: html`<span>To approve, <a href="/signin?next=/phone">sign in with your passkey</a>.</span>`,
} as const;

function approveButton({ act }: RequestView, cannot: keyof typeof approveObstacles | undefined, hold: boolean): Markup {
  if (cannot !== undefined)
    return html`<p class="instead" data-testid="cannot-approve">${approveObstacles[cannot]}</p>`;
  return html`<button class="go needs-script" name="decision" value="approve" ${hold ? html`data-hold ` : ''}data-testid="approve"><b>${hold ? 'Hold to approve' : 'Approve'}</b><span class="act">${act}</span></button>
<p class="instead no-script" data-testid="no-script">Approving requires JavaScript, because your passkey signs the order. You can deny without it.</p>`;
}

/** Renders a list entry for another pending request: headline, amount and remaining time. It links to the request. */
export function renderRequestItem(request: ApprovalRequest): Markup {
  const view = requestView(request);
  return html`<li data-testid="other" data-id="${request.id}"><a href="/phone?request=${request.id}" data-show="${request.id}">
<span class="what">${view.side === undefined ? '' : html`<span class="${view.side}">${renderIcon(view.side)}</span>`}<span class="words">${view.headline}</span> ${view.live ? renderEnvironmentMark(view) : ''}</span>
<span class="much">${view.amount ?? ''}</span>
<span class="left" data-expires="${request.expiresAt}" data-short>until ${renderLocalTime(request.expiresAt)}</span></a></li>`;
}
