import { Hono } from 'hono';
import { html } from 'hono/html';
import { createStreamLimit, eventStreamResponse, tooManyStreamsResponse } from '../../net/event-stream.ts';
import type { ApprovalRequest } from '../identity-provider/approval-requests.ts';
import { type CachedDashboardData, cacheDashboardData } from './dashboard/cached-reads.ts';
import { createDashboardRoutes, type DashboardRouteOptions, renderHome } from './dashboard/dashboard-routes.ts';
import type { DecisionServices } from './decision/approval-steps.ts';
import { createDecisionRoutes } from './decision/decision-routes.ts';
import { createHistoryPages } from './decision/history-pages.ts';
import { type CardState, renderRequestCard, renderRequestItem } from './decision/request-card.ts';
import { renderRecentDecisionItem, renderResultPanel } from './decision/result-panel.ts';
import { isValidSession } from './page/browser.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import { type Markup, redirectToSignIn, renderPage } from './page/page.ts';
import { type PhoneServices, waitForRequestChange } from './phone-services.ts';
import type { PhonePush } from './push/phone-push.ts';

/**
 * Milliseconds between heartbeats of an event stream. An expired request may remain in the list of pending requests for
 * this long.
 */
const HEARTBEAT_MS = 5000;
const MAX_STREAMS = 20;

export function createPhonePages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  app.route('/', createDecisionRoutes(services));
  app.route('/', createHistoryPages(services));

  const approvals = async (context: BrowserContext) => {
    const viewer = currentViewer(context);
    if (viewer === undefined) return redirectToSignIn(context, context.req.path);
    const state = await phoneState(services, viewer);
    return renderPage(context, {
      title: 'Approve orders',
      script: 'approvals.js',
      // Without script, the page must not reload while the person is reading a request.
      noScriptRefresh: state.waiting.length === 0,
      body: html`${phoneBody(state, context.req.query('request'), 'Approvals')}${pushToggle(services.push)}`,
    });
  };
  app.get(APPROVALS_PATH, approvals);
  // Without a gateway, there is no portfolio, so the first page shows the approvals.
  app.get(HOME_PATH, approvals);

  app.get(SETTINGS_PATH, (context) => {
    if (context.var.user === undefined) return redirectToSignIn(context, SETTINGS_PATH);
    return renderPage(context, {
      title: 'Settings',
      body: html`<h1 tabindex="-1">Settings</h1>
${settingsList(context)}
${pushToggle(services.push)}`,
    });
  });

  const streams = createStreamLimit(MAX_STREAMS);
  app.get('/phone/events', (context) => {
    const { session } = context.var;
    const viewer = currentViewer(context);
    if (viewer === undefined) return context.text('sign in first', 401);
    const leave = streams.enter(viewer.user);
    if (leave === undefined) return tooManyStreamsResponse(context);
    return eventStreamResponse(
      context,
      ({ message }) => services.onError(message),
      async (stream, over) => {
        const sent = new Map<string, string>();
        let last = '';
        while (!over.aborted && !services.closing.aborted) {
          if (session === undefined || !(await isValidSession(session, services))) {
            await stream.writeSSE({ event: 'signed_out', data: '' });
            return;
          }
          // Starts waiting before reading the state, so that a change during the read is noticed immediately.
          const change = waitForRequestChange(services, viewer.user, HEARTBEAT_MS, over);
          const { cards, ...rest } = await phoneUpdate(await phoneState(services, viewer), sent);
          const now = JSON.stringify(rest);
          await stream.writeSSE(
            now === last && cards.length === 0
              ? { event: 'alive', data: '' }
              : { event: 'requests', data: JSON.stringify({ ...rest, cards }) },
          );
          last = now;
          await change;
        }
      },
      leave,
    );
  });

  return app;
}

/**
 * Renders links to the pages where the person manages access and limits, and the only button that signs out this
 * browser. The list is above everything that appears later, so the button never moves.
 */
function settingsList({ var: { canHalt, canLook, formToken } }: BrowserContext): Markup {
  const link = (path: string, name: string, what: string) =>
    html`<li><a href="/phone/${path}"><strong>${name}</strong><span class="small soft">${what}</span></a></li>`;
  return html`<ul class="settings">
${link('authenticators', 'Passkeys', 'The keys that sign you in and sign your approvals')}
${link('sessions', 'Sessions', 'The browsers where you are signed in')}
${link('programs', 'Apps', 'The programs and agents that you allowed')}
${canHalt ? link('mandates', 'Mandates', 'Orders that need no tap, and their usage') : ''}
${canLook ? link('dashboard', 'Dashboard', 'Everything about your account on one page') : ''}
${canHalt ? link('halt', 'Halt trading', 'Stop everything until you resume') : ''}
<li><form method="post" action="/signout"><input type="hidden" name="form_token" value="${formToken}"><button data-testid="sign-out"><strong>Sign out</strong><span class="small soft">End the session in this browser</span></button></form></li>
</ul>`;
}

/** Renders the approvals. @param heading undefined if the surrounding page has its own heading */
function phoneBody(state: PhoneState, chosen: string | undefined, heading?: string): Markup {
  const { waiting, more, recent } = state;
  const current = waiting.find(({ id }) => id === chosen) ?? waiting[0];
  const others = waiting.filter((request) => request !== current);
  return html`<div id="phone" data-current="${current?.id ?? ''}">
<div class="title">${heading === undefined ? '' : html`<h1 tabindex="-1">${heading}</h1>`}<span class="small soft" role="status" id="state">Connecting</span></div>
<nav id="others" aria-label="Other requests" ${others.length === 0 ? 'hidden' : ''}><ul>${others.map(renderRequestItem)}</ul></nav>
<p id="more" class="small soft">${more > 0 ? `${more} more after these.` : ''}</p>
<div id="stage">${current === undefined ? '' : state.card(current)}</div>
<details id="earlier" class="all" hidden><summary></summary><div id="results"></div></details>
<div id="empty" class="card empty" data-testid="empty" ${current === undefined ? '' : 'hidden'}><p><strong>Nothing to approve</strong></p><p class="soft">Orders appear here as soon as they are proposed.</p></div>
<section id="latest"><h2>Recent</h2>
<ul class="recent" id="recent" data-testid="recent-list">${recent.map(state.recentItem)}</ul></section>
<p id="announce" class="unseen" role="status"></p>
</div>`;
}

function currentViewer(context: BrowserContext): Viewer | undefined {
  const { user, session, formToken } = context.var;
  if (user === undefined || session === undefined) return undefined;
  return { user: user.username, session: session.id, canApprove: hasFullAccess(context), formToken };
}

const HOME_PATH = '/phone';
const APPROVALS_PATH = '/phone/approvals';
const SETTINGS_PATH = '/phone/settings';
const DASHBOARD_PATH = '/phone/dashboard';

export function createDashboardPages(
  dashboards: NonNullable<PhoneServices['dashboards']>,
  services: PhoneServices,
): Hono<BrowserEnv> {
  const { clock } = services;
  /** Cached dashboard data by person. All of a person's pages share it. */
  const kept = new Map<string, CachedDashboardData>();
  const readsOf = (sub: string): CachedDashboardData => {
    const known = kept.get(sub) ?? cacheDashboardData(dashboards(sub), () => clock.now());
    kept.set(sub, known);
    return known;
  };
  const place: DashboardRouteOptions = {
    path: DASHBOARD_PATH,
    home: HOME_PATH,
    dataOf: ({ var: { user } }) => (user === undefined ? undefined : readsOf(user.username)),
    signInPage: (context) => redirectToSignIn(context, DASHBOARD_PATH),
    isOpen: async ({ var: { session } }) => session !== undefined && (await isValidSession(session, services)),
    async decide(context) {
      const viewer = currentViewer(context);
      if (viewer === undefined) throw new TypeError('nobody is signed in');
      return phoneBody(await phoneState(services, viewer), context.req.query('request'));
    },
    clock,
    closing: services.closing,
    onError: services.onError,
  };
  const app = createDashboardRoutes(place);
  app.get(HOME_PATH, async (context) => {
    const viewer = currentViewer(context);
    if (viewer === undefined) return redirectToSignIn(context, HOME_PATH);
    const state = await phoneState(services, viewer);
    const decide = phoneBody(state, context.req.query('request'), 'Home');
    return renderPage(context, {
      title: 'Home',
      script: 'dashboard.js',
      noScriptRefresh: state.waiting.length === 0,
      body: html`${await renderHome(place, context, { data: readsOf(viewer.user), decide })}${ownerWarning(services)}${pushToggle(services.push)}`,
    });
  });
  return app;
}

function ownerWarning({ ownerWarning: read }: Pick<PhoneServices, 'ownerWarning'>): Markup {
  const text = read?.();
  return text === undefined
    ? html``
    : html`<section class="note" data-testid="owner-warning" aria-label="Warning"><strong>Your home needs attention.</strong>${text}</section>`;
}

/** Renders the switch for notifications. Hidden until the script (web/push.ts) knows whether notifications are on. */
function pushToggle({ publicKey }: Pick<PhonePush, 'publicKey'>): Markup {
  return html`<section class="card ring" data-push="${publicKey}" data-testid="push" aria-label="Notifications" hidden>
<p class="small" role="status" data-push-words></p>
<button type="button" class="quiet" data-push-button data-testid="push-toggle" hidden></button>
</section>`;
}

/** Maximum number of requests on a page. Further requests appear as these are decided. */
const MAX_CARDS = 50;
/** Maximum number of recent decisions below the card. The history has the earlier ones. */
const MAX_RECENT = 5;

interface Viewer {
  readonly user: string;
  readonly session: string;
  /** Whether the session was opened with a passkey. */
  readonly canApprove: boolean;
  readonly formToken: string;
}

type PhoneState = Awaited<ReturnType<typeof phoneState>>;

/** Reads a snapshot of everything that the page shows about a person's requests. */
async function phoneState(services: DecisionServices, viewer: Viewer) {
  const { requests, steps } = services;
  const { user, session, canApprove, formToken } = viewer;
  const waiting = await requests.pending(user, MAX_CARDS);
  const hasKey = (await services.keys.list(user)).length > 0;
  const cardState = async (request: ApprovalRequest): Promise<CardState> => ({
    formToken,
    codes: await steps.codes(request, session),
    confirm: await steps.wantsConfirmation(request, user),
    hold: steps.wantsHold(request),
    cannot: hasKey ? (canApprove ? undefined : 'signed_in_otherwise') : 'no_key',
  });
  return {
    waiting,
    more: (await requests.countPending(user)) - waiting.length,
    recent: await requests.recent(user, MAX_RECENT),
    card: async (request: ApprovalRequest) => renderRequestCard(request, await cardState(request)),
    result: async (request: ApprovalRequest) =>
      renderResultPanel(request, await steps.whyDenied(request), await services.accountAfter?.(request)),
    recentItem: async (request: ApprovalRequest) => renderRecentDecisionItem(request, await steps.whyDenied(request)),
  };
}

/**
 * Returns the update for the page's script.
 * @param sent the cards already sent on this stream, by request id; this function updates it
 */
async function phoneUpdate(state: PhoneState, sent: Map<string, string>) {
  const byId = (all: readonly ApprovalRequest[], render: (request: ApprovalRequest) => Markup | Promise<Markup>) =>
    Promise.all(all.map(async (request) => ({ id: request.id, html: String(await render(request)) })));
  const cards = await byId(state.waiting, state.card);
  const fresh = cards.filter(({ id, html }) => sent.get(id) !== html);
  sent.clear();
  for (const { id, html } of cards) sent.set(id, html);
  return {
    waiting: await byId(state.waiting, renderRequestItem),
    cards: fresh,
    more: state.more,
    results: await byId(state.recent, state.result),
    recent: await byId(state.recent, state.recentItem),
  };
}
