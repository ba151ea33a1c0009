import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { type CachedDashboardData, cacheDashboardData } from '../home/phone/dashboard/cached-reads.ts';
import type { AgentData, FindingLine, ScheduleLine } from '../home/phone/dashboard/dashboard-data.ts';
import { createDashboardRoutes } from '../home/phone/dashboard/dashboard-routes.ts';
import { LOCATION_HEADER, ORIGIN_KEY_HEADER, setSecurityHeaders } from '../home/phone/page/browser.ts';
import type { BrowserContext, BrowserEnv, HomeDescription } from '../home/phone/page/browser-env.ts';
import { renderMessagePage, renderPage, renderShellPage } from '../home/phone/page/page.ts';
import { createPhoneAssets } from '../home/phone/page/phone-assets.ts';
import type { Clock } from '../machine/clock.ts';
import { ensurePrivateFolder } from '../machine/directories.ts';
import { writePrivateFile } from '../machine/private-file.ts';
import { createHostCheck } from '../net/host-check.ts';
import { createRequestListener, listenOnLoopback } from '../net/http-server.ts';
import { isSameSecret } from '../secrets/constant-time.ts';
import { getOrCreateDatabaseKey } from '../secrets/database-key.ts';
import { followEvents } from '../tools/gateway/follow-events.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import { ALL_ACCOUNTS } from '../trading/account-entry.ts';
import type { AgentOptions, App } from './app.ts';
import { CHAT_PATH, createChatRoutes } from './chat-page/chat-routes.ts';
import { type Conversations, createConversations } from './chat-page/conversations.ts';
import { withModelOptions } from './chosen-model.ts';
import { openGatewayWithImportedActivities } from './portfolio/account-history.ts';
import { serve } from './serve.ts';

/** Maximum time in milliseconds for the chat's runs to store their state when the server stops. */
const STOP_GRACE_MS = 3_000;

export interface WebReadyInfo {
  /** The page's URL. Its fragment contains a secret that can be used only once. */
  readonly url: string;
  readonly port: number;
}

/**
 * Serves the dashboard and the chat to a browser on this machine until the signal aborts. No token reaches the page.
 * @param options.port 0 for any free port
 * @throws {TradeAgentError} `login_required`, `port_in_use`
 */
export async function serveDashboard(
  app: App,
  options: AgentOptions & { readonly port: number; readonly ready: (web: WebReadyInfo) => Promise<void> },
): Promise<void> {
  const { clock, signal, isAllAccounts } = app;
  const { port, ready, ...agentOptions } = options;
  // Called before the dashboard opens the session, because the session's scopes are then fixed.
  if (agentOptions.readOnly) app.limitToReading();
  // With `all`, data that does not belong to an account is read through the default account.
  const one = isAllAccounts ? app.inAccount(undefined) : app;
  const [gateway, profile] = await Promise.all([
    openGatewayWithImportedActivities(one),
    app.profile(),
    app.requireSession(),
  ]);
  const secret = randomSecret();
  // Rejects unusable options before a page is served. A server's agent checks its own options.
  if (profile.server === undefined) withModelOptions(profile, agentOptions);
  await serve({
    signal,
    ready,
    async open(onClose) {
      if (one !== app) onClose(() => one.close());
      const server = await listenOnLoopback(port, () => clock.now());
      const closing = new AbortController();
      onClose(() => server.close());
      const over = AbortSignal.any([closing.signal, signal]);
      const conversations = createConversations(one, agentOptions, { gateway, clock, closing: over });
      onClose(async () => {
        closing.abort();
        const limit = new AbortController();
        await Promise.race([conversations.ended(), clock.sleep(STOP_GRACE_MS, limit.signal).catch(() => undefined)]);
        limit.abort();
      });
      const pages = createWebPages({
        origin: server.url,
        secret,
        about: {
          name: 'trade-agent',
          environment: profile.environment ?? 'live',
          simulated: profile.sandbox,
        },
        data: cacheDashboardData(
          {
            ...pageReads(gateway),
            inAccount: (account) => pageReads(gateway.inAccount(account)),
            halt: () => gateway.halt(),
            follow: (until, changed) => followEvents(gateway, { clock, signal: until, changed }),
            agent: agentData(one, agentOptions, isAllAccounts),
          },
          () => clock.now(),
        ),
        ...(isAllAccounts ? { account: ALL_ACCOUNTS } : {}),
        clock,
        conversations,
        closing: over,
      });
      const isForUs = createHostCheck([server.url]);
      const answer = createRequestListener({ fetch: (request) => pages.fetch(request) });
      server.serve((request, response) => {
        if (isForUs(request, response)) answer(request, response);
      });
      return { url: `${server.url}/#${secret}`, port: server.port };
    },
  });
}

/** Returns the functions that read from the gateway for the pages. `quotes` leaves out symbols that have no quote. */
function pageReads(gateway: GatewayClient) {
  return {
    ...gateway,
    quotes: async (symbols: readonly string[]) => (await gateway.availableQuotes(symbols)).quotes,
  };
}

/** Provides the agent's data on this machine. @param isAllAccounts whether to include the findings of all accounts */
function agentData(app: App, options: AgentOptions, isAllAccounts: boolean): AgentData {
  return {
    chat: CHAT_PATH,
    schedules: async () => {
      const { listSchedules } = await import('./schedule/schedules.ts');
      return (await listSchedules(app)).map(({ schedule, next, overdue }): ScheduleLine => {
        const { id, name, timing } = schedule;
        return {
          id,
          name,
          when: 'cron' in timing ? `cron ${timing.cron}` : `at ${timing.at}`,
          next: isoTime(next[0]),
          overdue: isoTime(overdue),
        };
      });
    },
    runs: async (limit) => {
      const { listScheduleRuns } = await import('./schedule/schedules.ts');
      return await listScheduleRuns(app, undefined, limit);
    },
    findings: () => openFindings(app, isAllAccounts),
    threads: async (limit) => (await (await app.agent(options)).threads()).slice(0, limit),
  };
}

/** Returns the findings that this profile's checks saved for this person, or none if no check has run yet. */
async function openFindings(app: App, isAllAccounts: boolean): Promise<FindingLine[]> {
  const [profile, home, session] = await Promise.all([app.profile(), app.home(), app.requireSession()]);
  const file = join(home.data, `checks.${profile.name}.db`);
  if (!existsSync(file)) return [];
  const entries = isAllAccounts ? await app.accounts() : [await (await app.gateway()).account()];
  const { openCheckStore } = await import('../store/sqlite/check-store.ts');
  const store = openCheckStore(file, (await getOrCreateDatabaseKey(await app.store())).toString('hex'));
  try {
    const found = entries.map(async (entry) => {
      if (entry.account === null) return [];
      const owner = { profile: `${profile.name}:${session.user.sub}`, account: entry.account };
      const at = 'label' in entry ? { account: `${entry.account} at ${entry.label}` } : {};
      return (await store.account(owner).remembered()).fired().map((one) => ({ ...one, ...at }));
    });
    return (await Promise.all(found))
      .flat()
      .toSorted((a, b) => b.since - a.since)
      .map(({ rule, subject, since, ...at }) => ({
        ...('account' in at ? { account: at.account } : {}),
        rule,
        subject,
        since: new Date(since).toISOString(),
      }));
  } finally {
    store.close();
  }
}

const isoTime = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());

/**
 * Writes a page that opens the URL, and returns the page's path. The browser is started with this path instead of the
 * URL, because all users of the machine can read command lines, but only the owner can read the file.
 */
export async function writeRedirectPage(app: Pick<App, 'home'>, url: string) {
  const folder = ensurePrivateFolder((await app.home()).data);
  const file = join(folder, `web-${randomBytes(6).toString('hex')}.html`);
  writePrivateFile(
    file,
    `<!doctype html><meta charset="utf-8"><title>trade-agent</title><meta http-equiv="refresh" content="0;url=${url}"><p><a href="${url}">Open the dashboard</a></p>\n`,
  );
  return { file, remove: () => rmSync(file, { force: true }) };
}

const DASHBOARD = '/dashboard';
const OPEN = '/open';
const places = [
  { href: DASHBOARD, text: 'Dashboard' },
  { href: CHAT_PATH, text: 'Chat' },
];

interface WebPagesOptions {
  /** The dashboard's address, such as `http://127.0.0.1:52431`. `net/host-check.ts` rejects requests to other hosts. */
  readonly origin: string;
  /** The secret in the link's fragment. It can be used only once. */
  readonly secret: string;
  readonly about: HomeDescription;
  readonly data: CachedDashboardData;
  /** The account that is shown first: the selected account. Undefined if `all` is selected. */
  readonly account?: string;
  readonly conversations: Conversations;
  readonly clock: Clock;
  readonly closing: AbortSignal;
}

/**
 * Creates the pages and controls access to them. Other programs and users of this machine, and any website that the
 * person visits, can send requests to this port. None of them gets any data:
 * 1. Requests for another host, or from another origin, are rejected earlier, which prevents DNS rebinding and
 *    cross-site forms.
 * 2. Documents are empty. Their script fetches the content with a key. The key is in the origin's storage and is sent
 *    in a header that other sites can't send here (CORS).
 * 3. A key becomes valid only together with the link's secret, which works once. If someone else uses the link first,
 *    the person's own attempt is rejected, which reveals the misuse.
 * 4. The key is bound to a cookie set with it, which is `SameSite=Strict` and HttpOnly. Otherwise, a program that
 *    served this port earlier and read the key from the browser's storage could use the key.
 */
function createWebPages(options: WebPagesOptions): Hono<BrowserEnv> {
  const { origin, about, data, account, conversations, clock, closing } = options;
  const cookieName = `trade_agent_web_${new URL(origin).port}`;
  let letIn: { readonly key: string; readonly cookie: string; readonly formToken: string } | undefined;
  const isLetIn = (context: BrowserContext) =>
    letIn !== undefined &&
    isSameSecret(context.var.key ?? '', letIn.key) &&
    isSameSecret(getCookie(context, cookieName) ?? '', letIn.cookie);

  const app = new Hono<BrowserEnv>();
  app.use(bodyLimit({ maxSize: 16 * 1024 }));
  app.route('/', createPhoneAssets());
  app.use(async (context, next) => {
    setSecurityHeaders(context, false);
    const given = context.req.header(ORIGIN_KEY_HEADER);
    const key = given !== undefined && /^[A-Za-z0-9_-]{43}$/.test(given) ? given : undefined;
    context.set('about', about);
    context.set('canHalt', false);
    context.set('canLook', false);
    context.set('installable', false);
    context.set('user', undefined);
    context.set('session', undefined);
    context.set('key', key);
    context.set('places', isLetIn(context) ? places : []);
    context.set('formToken', letIn?.formToken ?? '');
    const refused = refuseForeign(context, origin);
    if (refused !== undefined) return refused;
    await next();
    const location = context.res.headers.get('location');
    if (location === null) return;
    // The page's script follows redirects itself, because a redirect that `fetch` follows would load the page twice.
    const headers = new Headers(context.res.headers);
    headers.delete('location');
    headers.set(LOCATION_HEADER, location);
    context.res = undefined;
    context.res = new Response(null, { status: 204, headers });
  });

  app.post(OPEN, async (context) => {
    const { secret } = await context.req.parseBody();
    if (typeof secret !== 'string' || !isSameSecret(secret, options.secret)) return accessDenied(context, 'wrong');
    if (letIn !== undefined) return accessDenied(context, 'used');
    letIn = { key: context.var.key ?? '', cookie: randomSecret(), formToken: randomSecret() };
    setCookie(context, cookieName, letIn.cookie, { httpOnly: true, sameSite: 'Strict', path: '/' });
    // Redirects away from the link's address, which keeps the fragment out of the history.
    return context.redirect(DASHBOARD, 303);
  });
  app.use(async (context, next) => {
    if (!isLetIn(context)) return requestSecret(context);
    if (context.req.method === 'POST') {
      const { form_token: token } = await context.req.parseBody();
      if (typeof token !== 'string' || !isSameSecret(token, letIn?.formToken ?? '')) return requestSecret(context);
    }
    await next();
  });
  app.get('/', (context) => context.redirect(DASHBOARD, 303));
  const onError = (message: string) => process.stderr.write(`web: ${message}\n`);
  app.route('/', createChatRoutes(conversations, { clock, closing, onError }));
  app.route(
    '/',
    createDashboardRoutes({
      path: DASHBOARD,
      dataOf: () => data,
      account,
      signInPage: requestSecret,
      isOpen: async () => true,
      clock,
      closing,
      onError,
    }),
  );
  return app;
}

/** Returns a response for requests that don't come from our pages' script; undefined for the script's requests. */
function refuseForeign(context: BrowserContext, origin: string): Response | Promise<Response> | undefined {
  const { method } = context.req;
  if (!['GET', 'HEAD', 'POST'].includes(method)) return context.text('Method not allowed', 405);
  if (isCrossSite(context, origin)) return context.text('Cross-site requests are not allowed', 403);
  if (context.var.key !== undefined) return undefined;
  return method === 'POST'
    ? context.text('No key', 403)
    : renderShellPage(context, context.req.path === CHAT_PATH ? 'chat.js' : 'dashboard.js');
}

/** Responds with a page that sends the link's secret. Only a page can read the secret, which is in the fragment. */
function requestSecret(context: BrowserContext): Response | Promise<Response> {
  if (context.req.path.endsWith('/events')) return context.text('access denied', 401);
  if (context.req.method === 'POST') return accessDenied(context, 'wrong');
  return renderPage(context, {
    title: 'Dashboard',
    status: 401,
    body: html`<form class="card" method="post" action="${OPEN}" data-auto><h1 tabindex="-1">Opening…</h1><input type="hidden" name="secret" data-from-hash></form>`,
  });
}

function accessDenied(context: BrowserContext, why: 'wrong' | 'used'): Response | Promise<Response> {
  return renderMessagePage(context, 403, {
    title: why === 'used' ? 'This link was already used' : 'You are not signed in here',
    text:
      why === 'used'
        ? 'A link works only once. If you didn\'t open it, stop "trade-agent web". To open another page, run the command again.'
        : 'Open the link that "trade-agent web" shows. To get a new link, run the command again.',
  });
}

/** Returns whether the browser reports that the request comes from another site (Fetch Metadata). */
function isCrossSite(context: BrowserContext, origin: string): boolean {
  const site = context.req.header('sec-fetch-site');
  const mode = context.req.header('sec-fetch-mode');
  const from = context.req.header('origin');
  // Another site may navigate here, because the documents contain no data.
  const isVisit = context.req.method === 'GET' && mode === 'navigate';
  if (from !== undefined && from !== origin) return true;
  return !isVisit && site !== undefined && site !== 'same-origin' && site !== 'none';
}

const randomSecret = () => randomBytes(32).toString('base64url');
