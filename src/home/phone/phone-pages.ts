import { Hono } from 'hono';
import { html } from 'hono/html';
import { streamSSE } from 'hono/streaming';
import type { ApprovalRequest, DecisionOutcome } from '../identity-provider/approval-requests.ts';
import { type BrowserEnv, isFull } from './browser-env.ts';
import { type Markup, messagePage, page, passkeyNeeded, toSignIn } from './page.ts';
import { nextChange, type PhoneServices } from './phone-services.ts';
import { recentItem, requestCard, resultPanel } from './request-card.ts';

const RECENT = 10;
/** Cards on a page at most; the next ones come as these are decided. */
const MOST_CARDS = 50;
/** Milliseconds between signs of life on an event stream; also how soon an expiry moves to the list below. */
const HEARTBEAT = 5000;

const refusals: Record<
  Exclude<DecisionOutcome['outcome'], 'decided' | 'repeated'>,
  { status: 403 | 404 | 409 | 410; title: string; text: string }
> = {
  not_found: { status: 404, title: 'No such request', text: 'It is not among your requests.' },
  conflict: {
    status: 409,
    title: 'Already decided',
    text: 'You decided this the other way before, and a decision is final.',
  },
  not_signed: {
    status: 403,
    title: 'Not signed',
    text: 'It takes your own passkey to approve. Nothing was decided.',
  },
  expired: {
    status: 410,
    title: 'Too late',
    text: 'This request has expired. Nothing was placed; ask for the order again.',
  },
  withdrawn: {
    status: 410,
    title: 'Withdrawn',
    text: 'It was taken back before you decided. Nothing was placed.',
  },
};

/** Where a person approves orders. */
export function createPhonePages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get('/phone', (context) => {
    const { user, formToken } = context.var;
    if (user === undefined) return toSignIn(context, '/phone');
    const { requests } = services;
    const waiting = requests.pending(user.username, MOST_CARDS);
    const more = requests.countPending(user.username) - waiting.length;
    return page(context, {
      title: 'Approve orders',
      script: 'approvals.js',
      noScriptRefresh: true,
      body: html`<div class="title"><h1>Approve orders</h1><span class="small soft" role="status" id="state">Connecting</span></div>
<div id="pending" aria-live="polite">${waiting.map((request) => requestCard(request, formToken))}</div>
<p id="more" class="soft">${more > 0 ? `And ${more} more, when these are decided.` : ''}</p>
<div id="empty" class="card empty" data-testid="empty" ${waiting.length > 0 ? 'hidden' : ''}><p><strong>Nothing to approve</strong></p><p class="soft">An order appears here as soon as your terminal asks for it.</p></div>
<h2>Recent decisions</h2>
<ul class="recent" id="recent" data-testid="recent-list">${requests.recent(user.username, RECENT).map(recentItem)}</ul>`,
    });
  });

  app.post('/phone/requests/:id', async (context) => {
    const { user } = context.var;
    if (user === undefined) return toSignIn(context, '/phone');
    const { decision } = await context.req.parseBody();
    if (decision !== 'approve' && decision !== 'deny') {
      return messagePage(context, 400, { title: 'Nothing was decided', text: 'The form named no decision.' });
    }
    if (decision === 'approve' && !isFull(context)) return passkeyNeeded(context);
    // The page's script stays where it is; a form without script goes back to the page.
    const inPlace = context.req.header('accept') === 'application/json';
    const result = await services.decide(context.req.param('id'), decision, user.username);
    if (result.outcome === 'decided' || result.outcome === 'repeated') {
      const now = services.requests.find(result.request.id) ?? result.request;
      return inPlace
        ? context.json({ result: String(await resultPanel(now)) })
        : context.redirect('/phone', 303);
    }
    const { status, ...message } = refusals[result.outcome];
    if (inPlace) return context.json(message, status);
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
        if (session === undefined || !services.sessions.isOpen(session.id)) {
          await stream.writeSSE({ event: 'signed_out', data: '' });
          return;
        }
        // From before the state is read: a change in between must not wait for the next sign of life.
        const change = nextChange(services, user.username, HEARTBEAT, gone.signal);
        const data = JSON.stringify(await updateFor(services.requests, user.username, formToken));
        await stream.writeSSE(data === last ? { event: 'alive', data: '' } : { event: 'requests', data });
        last = data;
        await change;
      }
    });
  });

  return app;
}

/** All that the page shows, by request: the script touches what differs from what it has. */
async function updateFor(requests: PhoneServices['requests'], user: string, formToken: string) {
  const waiting = requests.pending(user, MOST_CARDS);
  const lately = requests.recent(user, RECENT);
  const byId = (all: readonly ApprovalRequest[], render: (request: ApprovalRequest) => Markup) =>
    Promise.all(all.map(async (request) => ({ id: request.id, html: String(await render(request)) })));
  return {
    pending: await byId(waiting, (request) => requestCard(request, formToken)),
    more: requests.countPending(user) - waiting.length,
    results: await byId(
      lately.filter(({ status }) => status === 'approved' || status === 'denied'),
      resultPanel,
    ),
    recent: await byId(lately, recentItem),
  };
}
