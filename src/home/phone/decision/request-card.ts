import { html } from 'hono/html';
import { markedText } from '../../../text/shown-text.ts';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { Markup } from '../page/page.ts';
import { localTime, timed } from './local-time.ts';
import { lastFour, type RequestView, requestView, type ShownField } from './request-view.ts';
import { environmentBanner, environmentMark, sign, wordBanner } from './signs.ts';

/** A request that waits for a decision: what decides it first, all of it below, Approve and Deny under the thumb. */
export function requestCard(request: CardRequest, state: CardState): Markup {
  const view = requestView(request);
  const heading = `request-${request.id}`;
  const plain = list(
    '',
    view.fields.filter(({ technical }) => !technical),
  );
  const technical = list(
    'technical',
    view.fields.filter(({ technical }) => technical),
  );
  return html`<article class="card request ${view.side ?? ''}" data-testid="request" data-request-id="${request.id}" data-kind="${view.kind}" data-says="${saysOf(view)}" aria-labelledby="${heading}">
<form method="post" action="/phone/requests/${request.id}">
<input type="hidden" name="form_token" value="${state.formToken}">
${view.banner === undefined ? environmentBanner(view.environment) : wordBanner(view.banner)}
${amountOf(view)}
<h2 class="headline" id="${heading}" tabindex="-1"><span class="words" data-testid="headline">${view.headline}</span>${view.side === undefined ? '' : sign(view.side)}</h2>
<p class="soft terms" data-testid="terms">${timed(view.terms)}</p>
${lines('shows', view.shows)}
${cautions(view)}
${lines('origins', view.origins)}
${askedBy(request, view)}
${codeOf(request, state)}
${state.confirm ? confirmation(view) : ''}
${view.fieldsFirst ? plain : ''}
<details class="all" data-testid="all-fields"><summary>All fields</summary>
${view.fieldsFirst ? '' : plain}
<p class="small soft">${view.askedBy === undefined ? '' : html`Asked through <span data-testid="client-name">${request.clientName}</span>. `}Message: <span class="mono" data-testid="binding-message">${shownMessage(request, state)}</span></p>
${technical}
</details>
${decisionBar(request, view, state)}
</form>
</article>`;
}

/** The largest thing on the card: what it costs at most, or brings at least. */
function amountOf({ amount, side, total }: RequestView): Markup | '' {
  if (total === undefined) return '';
  if (amount === undefined) return html`<p class="amount unbounded" data-testid="total">${total}</p>`;
  const bound = side === 'sell' ? 'at least' : 'at most';
  return html`<p class="amount"><strong data-testid="amount">${amount}</strong> <span aria-hidden="true">${bound}</span></p>
<p class="worst" data-testid="total">${total}</p>`;
}

/** What should make the person stop and think, in one place. */
function cautions({ chosenByAi, again, warnings, tainted }: RequestView): Markup | '' {
  if (chosenByAi === undefined && again === undefined && warnings.length === 0 && tainted === undefined)
    return '';
  return html`<div class="note">${
    chosenByAi === undefined ? '' : html`<strong data-testid="chosen-by-ai">${chosenByAi}</strong>`
  }${again === undefined ? '' : html`<strong data-testid="again">${again}</strong>`}${
    warnings.length === 0
      ? ''
      : html`<ul data-testid="warnings">${warnings.map((text) => html`<li>${timed(text)}</li>`)}</ul>`
  }${
    tainted === undefined
      ? ''
      : html`<p data-testid="tainted">Text from outside was in the conversation: ${tainted}</p>`
  }</div>`;
}

function askedBy({ clientName, clientNote }: CardRequest, view: RequestView): Markup {
  const { askedBy: asker, sentence } = view;
  return html`<p class="asked">Asked by ${
    asker === undefined
      ? html`<strong data-testid="client-name">${clientName}</strong>`
      : html`<strong data-testid="requested-by">${asker}</strong>`
  }${clientNote === undefined ? '' : html`<br><strong class="unknown" data-testid="client-note">${markedText(clientNote.text)}</strong>`}${
    sentence === undefined
      ? ''
      : html`<br><span class="soft">Your words:</span> “<span data-testid="sentence"><bdi>${sentence}</bdi></span>”`
  }</p>`;
}

/** The code to compare; where it is picked, that is done in the bar. */
function codeOf({ code }: CardRequest, { codes }: CardState): Markup | '' {
  return codes === undefined
    ? html`<p class="codebox"><span>Code on your terminal</span><span class="value" data-testid="code">${code}</span></p>`
    : '';
}

function confirmation({ account }: RequestView): Markup {
  const last = lastFour(account);
  return html`<p class="confirm"><label><span>Your first approval of real money: type <b>LIVE</b>${
    last === undefined ? '' : html`, or the last four of the account, <b>${last}</b>`
  }.</span>
<input type="text" name="confirm" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="16" data-testid="confirm"></label></p>`;
}

/** The binding message ends in the code: it would tell which of the three it is. */
function shownMessage({ bindingMessage = '', code }: CardRequest, { codes }: CardState): string {
  return codes === undefined ? bindingMessage : bindingMessage.replaceAll(code, '····');
}

/** What a screen reader is told when the card appears, in one sentence. */
function saysOf({ headline, total, live, banner }: RequestView): string {
  const money = banner !== undefined ? '' : live ? ', live' : ', paper';
  return `To approve${money}: ${headline}.${total === undefined ? '' : ` ${total}`}`;
}

function lines(name: string, all: RequestView['shows']): Markup | '' {
  return all.length === 0
    ? ''
    : html`<dl class="${name}" data-testid="${name}">${all.map(({ label, text }) => html`<div><dt>${label}</dt><dd>${timed(text)}</dd></div>`)}</dl>`;
}

function list(name: string, fields: readonly ShownField[]): Markup {
  return html`<dl class="${name}">${fields.map(({ label, text, name: field, raw }) => html`<div><dt>${label}</dt><dd data-field="${field}" data-value="${raw}">${field === 'text' ? text : timed(text)}</dd></div>`)}</dl>`;
}

type CardRequest = Pick<
  ApprovalRequest,
  'id' | 'code' | 'clientName' | 'clientNote' | 'bindingMessage' | 'details' | 'expiresAt'
>;

/** What a card shows beside the request: what this person, in this browser, still has to do before they approve. */
export interface CardState {
  readonly formToken: string;
  /** The codes to pick the terminal's from; undefined where it is shown instead. */
  readonly codes: readonly string[] | undefined;
  /** Whether the person must type once that this is real money. */
  readonly confirm: boolean;
  /** Why nothing can be approved here; where it is only read, nothing can be denied either, and it links elsewhere. */
  readonly cannot: 'no_key' | 'signed_in_otherwise' | { readonly decideAt: string | undefined } | undefined;
}

/**
 * The bar at the bottom of the screen: how long there is, Deny and Approve, each with what it is about. It stays where
 * it is however long the card is. Approving takes a signature, and with it the page's script: without script there is
 * a sentence in the button's place.
 */
function decisionBar(request: CardRequest, view: RequestView, { codes, cannot }: CardState): Markup {
  const about =
    codes === undefined ? html`<span class="mono">${request.code}</span> ${view.headline}` : CODE_ASKED;
  const question = `ask-${request.id}`;
  if (typeof cannot === 'object') return elsewhere(request, cannot.decideAt);
  return html`<div class="bar" data-testid="bar">
<p class="said" data-testid="said" role="alert"></p>
<p class="expiry"><span class="about" id="${question}">${about}</span><strong data-testid="countdown" data-expires="${request.expiresAt}">until ${localTime(request.expiresAt)}</strong></p>
${codes === undefined ? '' : html`<div class="codes" role="radiogroup" aria-labelledby="${question}" data-testid="codes">${codes.map(codeChoice)}</div>`}
<div class="pair">
<button class="stop" name="decision" value="deny" formnovalidate data-testid="deny"><b>Deny</b><span class="act">${view.act}</span></button>
${approve(view, cannot)}
</div>
</div>`;
}

function elsewhere({ expiresAt }: CardRequest, decideAt: string | undefined): Markup {
  return html`<div class="elsewhere" data-testid="elsewhere">
<p class="expiry small"><span class="soft">Only read here.</span> <strong data-testid="countdown" data-expires="${expiresAt}">until ${localTime(expiresAt)}</strong></p>
<p>${
    decideAt === undefined
      ? 'Decide on your phone.'
      : html`<a class="go" href="${decideAt}" target="_blank" rel="noopener noreferrer" data-testid="decide">Decide on your phone’s page</a>`
  }</p>
</div>`;
}

const CODE_ASKED = html`<b>Which code does your terminal show?</b>`;

function codeChoice(code: string): Markup {
  return html`<label><input type="radio" name="match" value="${code}"><span class="value">${code}</span></label>`;
}

const instead = {
  no_key: html`To approve, pair this phone: the home’s own machine shows a code for it.`,
  signed_in_otherwise: html`<span>To approve, <a href="/signin?next=/phone">sign in with your passkey</a>.</span>`,
} as const;

function approve({ act }: RequestView, cannot: keyof typeof instead | undefined): Markup {
  if (cannot !== undefined)
    return html`<p class="instead" data-testid="cannot-approve">${instead[cannot]}</p>`;
  return html`<button class="go needs-script" name="decision" value="approve" data-testid="approve"><b>Approve</b><span class="act">${act}</span></button>
<p class="instead no-script" data-testid="no-script">Approving takes this page’s script: your key signs the order. You can deny without.</p>`;
}

/** One of the requests that wait beside the one on the screen: what, total, time left. Its link shows it. */
export function requestItem(request: ApprovalRequest): Markup {
  const view = requestView(request);
  return html`<li data-testid="other" data-id="${request.id}"><a href="/phone?request=${request.id}" data-show="${request.id}">
<span class="what">${view.side === undefined ? '' : html`<span class="${view.side}">${sign(view.side)}</span>`}<span class="words">${view.headline}</span> ${view.live ? environmentMark(view) : ''}</span>
<span class="much">${view.amount ?? ''}</span>
<span class="left" data-expires="${request.expiresAt}" data-short>until ${localTime(request.expiresAt)}</span></a></li>`;
}
