import { html } from 'hono/html';
import type { Markup } from '../page.ts';
import type { CardRequest, CardState } from './card-state.ts';
import { localTime } from './local-time.ts';
import type { RequestView } from './request-view.ts';

/**
 * The bar at the bottom of the screen: how long there is, Deny and Approve, each with what it is about. It stays where
 * it is however long the card is. Approving takes a signature, and with it the page's script: without script there is
 * a sentence in the button's place.
 */
export function decisionBar(request: CardRequest, view: RequestView, { codes, cannot }: CardState): Markup {
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

/** In place of the bar, where the card is only read: where it is decided. */
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
