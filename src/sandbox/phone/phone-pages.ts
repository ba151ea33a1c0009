import { Hono } from 'hono';
import { html } from 'hono/html';
import { streamSSE } from 'hono/streaming';
import type { DecisionOutcome } from '../identity-provider/approval-requests.ts';
import type { BrowserEnv } from './browser.ts';
import { messagePage, page, toSignIn } from './page.ts';
import { phoneScript } from './phone-script.ts';
import { nextChange, type PhoneServices } from './phone-services.ts';
import { recentList, requestCard } from './request-card.ts';

const RECENT = 10;
/** Milliseconds between signs of life on an event stream; also how soon an expiry moves to the list below. */
const HEARTBEAT = 5000;

const refusals: Record<
  Exclude<DecisionOutcome['outcome'], 'decided' | 'repeated'>,
  { status: 404 | 409 | 410; title: string; text: string }
> = {
  not_found: { status: 404, title: 'No such request', text: 'It is not among your requests.' },
  conflict: {
    status: 409,
    title: 'Already decided',
    text: 'You decided this the other way before, and a decision is final.',
  },
  expired: {
    status: 410,
    title: 'Too late',
    text: 'This request has expired. Nothing was placed; ask for the order again.',
  },
};

/** Where a person approves orders. */
export function createPhonePages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get('/phone', (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return toSignIn(context, '/phone');
    const waiting = services.requests.pending(user.username);
    return page(context, {
      title: 'Approve orders',
      script: phoneScript,
      noScriptRefresh: true,
      body: html`<div class="title"><h1>Approve orders</h1><span class="small soft" role="status" id="state">Connecting</span></div>
<div id="pending" aria-live="polite">${waiting.map((request) => requestCard(request, formToken))}</div>
<div id="empty" class="card empty" data-testid="empty" ${waiting.length > 0 ? 'hidden' : ''}><p><strong>Nothing to approve</strong></p><p class="soft">An order appears here as soon as your terminal asks for it.</p></div>
<h2>Recent decisions</h2>
<div id="recent" data-testid="recent-list">${recentList(services.requests.recent(user.username, RECENT))}</div>`,
    });
  });

  app.post('/phone/requests/:id', async (context) => {
    const { user } = context.var;
    if (user === undefined) return toSignIn(context, '/phone');
    const { decision } = await context.req.parseBody();
    if (decision !== 'approve' && decision !== 'deny') {
      return messagePage(context, 400, { title: 'Nothing was decided', text: 'The form named no decision.' });
    }
    const result = await services.decide(context.req.param('id'), decision, user.username);
    if (result.outcome === 'decided' || result.outcome === 'repeated') return context.redirect('/phone', 303);
    const { status, ...message } = refusals[result.outcome];
    return messagePage(context, status, {
      ...message,
      link: { href: '/phone', text: 'Back to your requests' },
    });
  });

  app.get('/phone/events', (context) => {
    const { user, session, formToken } = context.var;
    if (user === undefined) return context.text('sign in first', 401);
    return streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      let last = '';
      while (!gone.signal.aborted && !services.closing.aborted) {
        if (services.sessions.user(session) === undefined) {
          await stream.writeSSE({ event: 'signed_out', data: '' });
          return;
        }
        const data = JSON.stringify({
          pending: await Promise.all(
            services.requests.pending(user.username).map(async (request) => ({
              id: request.id,
              html: String(await requestCard(request, formToken)),
            })),
          ),
          recent: String(await recentList(services.requests.recent(user.username, RECENT))),
        });
        await stream.writeSSE(data === last ? { event: 'alive', data: '' } : { event: 'requests', data });
        last = data;
        await nextChange(services, user.username, HEARTBEAT, gone.signal);
      }
    });
  });

  return app;
}
