import { html } from 'hono/html';
import type { ApprovalRequest } from '../../identity-provider/approval-requests.ts';
import type { Markup } from '../page.ts';
import { environmentMark } from './environment-banner.ts';
import { localTime } from './local-time.ts';
import { requestView } from './request-view.ts';
import { sign } from './signs.ts';

/** One of the requests that wait beside the one on the screen: what, total, time left. Its link shows it. */
export function requestItem(request: ApprovalRequest): Markup {
  const view = requestView(request);
  return html`<li data-testid="other" data-id="${request.id}"><a href="/phone?request=${request.id}" data-show="${request.id}">
<span class="what">${view.side === undefined ? '' : html`<span class="${view.side}">${sign(view.side)}</span>`}<span class="words">${view.headline}</span> ${view.live ? environmentMark(view) : ''}</span>
<span class="much">${view.amount ?? ''}</span>
<span class="left" data-expires="${request.expiresAt}" data-short>until ${localTime(request.expiresAt)}</span></a></li>`;
}
