import { html } from 'hono/html';
import { isSecureUrl } from '../../../net/secure-url.ts';
import { markedText } from '../../../net/shown-text.ts';
import type { Proposal } from '../../../trading/proposal.ts';
import { requestCard } from '../decision/request-card.ts';
import type { Markup } from '../page.ts';
import { detailsOf } from './told-request.ts';

const MOST_CARDS = 5;

/** What waits for the person's phone, as the phone shows it: here it is read, there it is decided. */
export function waitingPart(proposals: readonly Proposal[]): Markup {
  const waiting = proposals.filter(({ state }) => state === 'requested');
  if (waiting.length === 0)
    return html`<p class="soft none" data-testid="nothing-waits">Nothing waits for your decision.</p>`;
  return html`${waiting.slice(0, MOST_CARDS).map(readOnlyCard)}${
    waiting.length > MOST_CARDS
      ? html`<p class="small soft">And ${waiting.length - MOST_CARDS} more.</p>`
      : ''
  }`;
}

function readOnlyCard(proposal: Proposal): Markup {
  const { id, code, client } = proposal;
  const { phone_url: url } = proposal.approval;
  return requestCard(
    {
      id,
      code,
      clientName: markedText(client),
      clientNote: undefined,
      bindingMessage: undefined,
      details: detailsOf(proposal),
      expiresAt: Date.parse(proposal.expires_at),
    },
    {
      formToken: '',
      codes: undefined,
      confirm: false,
      // Nothing but a web page may be opened.
      cannot: { decideAt: url !== undefined && isSecureUrl(url) ? url : undefined },
    },
  );
}
