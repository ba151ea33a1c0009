import { html } from 'hono/html';
import { markedText } from '../../../text/shown-text.ts';
import type { Markup } from '../page.ts';
import type { CardRequest, CardState } from './card-state.ts';
import { decisionBar } from './decision-bar.ts';
import { environmentBanner, wordBanner } from './environment-banner.ts';
import { timed } from './local-time.ts';
import { lastFour, type RequestView, requestView, type ShownField } from './request-view.ts';
import { sign } from './signs.ts';

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

/** Typed once: whoever approves real money for the first time knows that it is. */
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
