import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { isTradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import { createStreamLimit, eventStreamResponse, tooManyStreamsResponse } from '../../../net/event-stream.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { accountNumberSchema, symbolSchema } from '../../../trading/order.ts';
import { defined } from '../../../values/defined.ts';
import type { BrowserContext, BrowserEnv } from '../page/browser-env.ts';
import { type Markup, renderMessagePage, renderPage } from '../page/page.ts';
import type { CachedDashboardData } from './cached-reads.ts';
import { type Period, periodNames } from './dashboard-data.ts';
import {
  type DashboardPart,
  type DashboardPartName,
  type DashboardView,
  dashboardPartNames,
  homePartNames,
  renderDashboardPart,
  symbolPartNames,
} from './parts.ts';

/** Interval in milliseconds for checking data without change events, such as prices. Also the heartbeat interval. */
const CHECK_INTERVAL_MS = 5_000;
/** Delay in milliseconds after a change, so that one read covers simultaneous changes. */
const SETTLE_MS = 50;
/** Delay in milliseconds before reconnecting to an interrupted source. */
const RECONNECT_DELAY_MS = 2_000;
/** Maximum number of dashboards that one person can have open. */
const MAX_STREAMS = 20;

export interface DashboardRouteOptions {
  /** Path of the page, such as `/phone/dashboard`. The paths of its forms and its event stream start with it. */
  readonly path: string;
  /** Path of the phone's first page, which shows some of the parts ({@link renderHome}). */
  readonly home?: string;
  /** Returns the person's own data. Returns undefined if they must sign in first. */
  dataOf(context: BrowserContext): CachedDashboardData | undefined;
  signInPage(context: BrowserContext): Response | Promise<Response>;
  /** Account to show by default: an account number, or `all`. Undefined for the default account. */
  readonly account?: string | undefined;
  isOpen(context: BrowserContext): Promise<boolean>;
  /** Renders the cards with Approve and Deny, if the page allows decisions. */
  decide?(context: BrowserContext): Promise<Markup>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly onError: (message: string) => void;
}

function viewOf(
  place: DashboardRouteOptions,
  context: BrowserContext,
  { data, page, period }: { data: CachedDashboardData; page: string; period: Period },
): DashboardView {
  const asked = context.req.query('period') ?? '';
  return {
    data,
    account: accountOf(context) ?? place.account,
    period: Object.hasOwn(periodNames, asked) ? (asked as Period) : period,
    form: { path: place.path, formToken: context.var.formToken, hidesCodes: place.decide !== undefined },
    page,
    now: place.clock.now(),
    symbol: symbolSchema.safeParse(context.req.query('symbol')).data,
  };
}

/** Returns the path of the page that receives the events, and the names of its parts. */
function displayedParts(
  place: DashboardRouteOptions,
  context: BrowserContext,
): { readonly page: string; readonly names: readonly DashboardPartName[] } {
  if (place.home !== undefined && context.req.query('page') === 'home')
    return { page: place.home, names: homePartNames };
  if (context.req.query('page') === 'symbol') return { page: `${place.path}/symbol`, names: symbolPartNames };
  const names = dashboardPartNames.filter((name) => name !== 'waiting' || place.decide === undefined);
  return { page: place.path, names };
}

export function createDashboardRoutes(place: DashboardRouteOptions): Hono<BrowserEnv> {
  const { path, clock } = place;
  const app = new Hono<BrowserEnv>();

  app.get(path, async (context) => {
    const data = place.dataOf(context);
    if (data === undefined) return place.signInPage(context);
    const decide = await place.decide?.(context);
    return renderPage(context, {
      title: 'Dashboard',
      script: 'dashboard.js',
      body: await dashboardBody(viewOf(place, context, { data, page: path, period: '1M' }), { decide, clock }),
    });
  });

  app.get(`${path}/symbol`, async (context) => {
    const data = place.dataOf(context);
    if (data === undefined) return place.signInPage(context);
    const view = viewOf(place, context, { data, page: `${path}/symbol`, period: '3M' });
    if (view.symbol === undefined) {
      const link = { href: path, text: 'Back to the dashboard' };
      return renderMessagePage(context, 404, { title: 'No such symbol', text: 'Open it from your positions.', link });
    }
    const body = await renderSymbol(place, view, view.symbol);
    return renderPage(context, { title: view.symbol, script: 'dashboard.js', body });
  });

  const streams = createStreamLimit(MAX_STREAMS);
  app.get(`${path}/events`, (context) => {
    const data = place.dataOf(context);
    if (data === undefined) return context.text('sign in first', 401);
    const leave = streams.enter(context.var.user?.username ?? '');
    if (leave === undefined) return tooManyStreamsResponse(context);
    return eventStreamResponse(
      context,
      ({ message }) => place.onError(message),
      async (stream, over) => {
        const signal = AbortSignal.any([over, place.closing]);
        const told = followChanges(data, place.clock, signal);
        const sent = new Map<string, string>();
        const { page, names } = displayedParts(place, context);
        while (!signal.aborted) {
          if (!(await place.isOpen(context))) {
            await stream.writeSSE({ event: 'signed_out', data: '' });
            return;
          }
          // Starts waiting before reading the data, so that a change during the read is noticed immediately.
          const change = told();
          const view = viewOf(place, context, { data, page, period: '1M' });
          const parts = await Promise.all(names.map((name) => renderDashboardPart(name, view)));
          const news = parts.filter(({ name, digest }) => sent.get(name) !== digest);
          for (const { name, digest } of news) sent.set(name, digest);
          await stream.writeSSE(
            news.length === 0 ? { event: 'alive', data: '' } : { event: 'parts', data: JSON.stringify(news) },
          );
          await change;
        }
      },
      leave,
    );
  });

  const deed = (name: string, act: (data: CachedDashboardData, form: Record<string, unknown>) => Promise<unknown>) =>
    app.post(`${path}/${name}`, async (context) => {
      const data = place.dataOf(context);
      if (data === undefined) return place.signInPage(context);
      try {
        await act(data, await context.req.parseBody());
      } catch (error) {
        return problemPage(context, path, error);
      }
      return context.redirect(path, 303);
    });
  deed('withdraw', async (data, { id }) => {
    if (typeof id === 'string') await data.withdraw(id);
  });
  deed('halt', (data) => data.halt());
  return app;
}

function accountOf(context: BrowserContext): string | undefined {
  return accountNumberSchema.safeParse(context.req.query('account')).data;
}

/** Renders a page that says why nothing was changed. @throws `error` itself if it is not a known kind of error */
function problemPage(context: BrowserContext, path: string, error: unknown): Response | Promise<Response> {
  if (!(error instanceof HttpProblem) && !isTradeAgentError(error)) throw error;
  const hint = error instanceof HttpProblem ? error.options.hint : error.hint;
  return renderMessagePage(context, 409, {
    title: 'Nothing was changed',
    text: [error.message, ...(hint === undefined ? [] : [hint])].join('. '),
    link: { href: path, text: 'Back to the dashboard' },
  });
}

/**
 * Follows changes to the data and reconnects after failures. Returns a function whose promise resolves when the data
 * has changed or must be checked again, and never rejects.
 */
function followChanges(data: CachedDashboardData, clock: Clock, signal: AbortSignal): () => Promise<void> {
  let tell = () => {};
  const rest = (ms: number) => clock.sleep(ms, signal).catch(() => undefined);
  void (async () => {
    while (!signal.aborted) {
      try {
        await data.follow(signal, () => {
          data.stale();
          tell();
        });
      } catch {
        // Ignored, because the regular checks continue and report data that can't be read.
      }
      await rest(RECONNECT_DELAY_MS);
    }
  })();
  return async () => {
    const over = new AbortController();
    const changed = new Promise<void>((resolve) => {
      tell = resolve;
    });
    await Promise.race([
      changed.then(() => rest(SETTLE_MS)),
      clock.sleep(CHECK_INTERVAL_MS, AbortSignal.any([signal, over.signal])).catch(() => undefined),
    ]);
    over.abort();
  };
}

/** Time in milliseconds that the page waits for the data of its parts. Slower parts arrive in the event stream. */
const FIRST_RENDER_MS = 250;

const titles: Readonly<Partial<Record<DashboardPartName, string>>> = {
  value: 'Value over time',
  waiting: 'Needs your approval',
  positions: 'Positions',
  holdings: 'Positions',
  activity: 'Recent activity',
  held: 'Position',
  pending: 'Open orders',
  trades: 'Your trades',
  news: 'News',
  orders: 'Orders',
  proposals: 'Proposals',
  mandates: 'Mandates',
  schedules: 'Schedules',
  findings: 'Findings',
  threads: 'Conversations',
  record: 'Record',
};

/** Accessible names of parts that have no title. */
const untitledNames: Readonly<Partial<Record<DashboardPartName, string>>> = {
  accounts: 'Accounts',
  summary: 'Portfolio',
  worth: 'Portfolio value',
  curve: 'Value over time',
  quote: 'Price',
  price: 'Price over time',
};

/** Parts in the wider column. */
const wideParts = ['positions', 'orders', 'proposals'] as const satisfies DashboardPartName[];
/** Parts in the narrower column. On narrow pages, this column is below the wider column instead of next to it. */
const narrowParts = ['mandates', 'schedules', 'findings', 'threads', 'record'] as const satisfies DashboardPartName[];

/** Renders the parts whose data arrives quickly. All others are undefined. */
async function renderFirstParts<Name extends DashboardPartName>(
  names: readonly Name[],
  view: DashboardView,
  clock: Pick<Clock, 'sleep'>,
): Promise<ReadonlyMap<DashboardPartName, DashboardPart | undefined>> {
  const late = new AbortController();
  const soon = clock.sleep(FIRST_RENDER_MS, late.signal).then(
    () => undefined,
    () => undefined,
  );
  const render = async (name: Name) => [name, await Promise.race([renderDashboardPart(name, view), soon])] as const;
  const first = new Map<DashboardPartName, DashboardPart | undefined>(await Promise.all(names.map(render)));
  late.abort();
  return first;
}

/**
 * Renders the phone's first page: the requests, then value, positions and activity.
 * @param decide the cards with Approve and Deny
 */
export async function renderHome(
  place: DashboardRouteOptions,
  context: BrowserContext,
  { data, decide }: { readonly data: CachedDashboardData; readonly decide: Markup },
): Promise<Markup> {
  const view = viewOf(place, context, { data, page: place.home ?? place.path, period: '1D' });
  const first = await renderFirstParts(homePartNames, view, place.clock);
  const part = (name: (typeof homePartNames)[number]) => partSection(name, first.get(name), '');
  return html`<div id="dashboard" class="home" data-events="${eventsUrl(view, { page: 'home' })}" data-testid="home">
<p class="unseen" role="status" id="live" data-testid="live">Connecting</p>
${decide}
${part('accounts')}
<div class="panel front">${part('worth')}${part('curve')}${periodLinks(view)}</div>
${part('holdings')}
${part('activity')}
<p class="onward"><a href="${place.path}">Open the full dashboard</a>${context.var.canHalt ? html`<a class="halt" href="/phone/halt">Halt trading</a>` : ''}</p>
</div>`;
}

/** Renders a symbol's page: price, the person's trades, position, orders and news. */
async function renderSymbol(place: DashboardRouteOptions, view: DashboardView, symbol: string): Promise<Markup> {
  const first = await renderFirstParts(symbolPartNames, view, place.clock);
  const part = (name: (typeof symbolPartNames)[number]) => partSection(name, first.get(name), '');
  return html`<div id="dashboard" class="home" data-events="${eventsUrl(view, { page: 'symbol' })}" data-testid="symbol">
<div class="title"><h1 tabindex="-1">${symbol}</h1><span class="small soft" role="status" id="live" data-testid="live">Connecting</span></div>
<div class="panel front">${part('quote')}${part('price')}${periodLinks(view)}</div>
${(['held', 'pending', 'trades', 'news'] as const).map(part)}
</div>`;
}

function eventsUrl(view: DashboardView, more: Readonly<Record<string, string>> = {}): string {
  return `${view.form.path}/events?${viewQuery(view, more)}`;
}

function viewQuery(
  { period, account, symbol }: DashboardView,
  more: Readonly<Record<string, string>>,
): URLSearchParams {
  return new URLSearchParams({ period, ...defined({ account, symbol }), ...more });
}

/**
 * Renders the parts whose data arrives quickly, and placeholders for the others.
 * @param decide cards with buttons, which replace the read-only cards
 */
async function dashboardBody(
  view: DashboardView,
  { decide, clock }: { readonly decide: Markup | undefined; readonly clock: Pick<Clock, 'sleep'> },
): Promise<Markup> {
  const first = await renderFirstParts(dashboardPartNames, view, clock);
  const part = (name: DashboardPartName) => partSection(name, first.get(name), '');
  const waiting =
    decide === undefined
      ? part('waiting')
      : html`<section class="panel part-waiting deciding" aria-labelledby="title-waiting"><h2 id="title-waiting">Needs your approval</h2>${decide}</section>`;
  return html`<div id="dashboard" data-events="${eventsUrl(view)}" data-testid="dashboard">
<div class="title"><h1 tabindex="-1">Dashboard</h1><span class="small soft" role="status" id="live" data-testid="live">Connecting</span></div>
${part('accounts')}
<div class="top">
${waiting}
<div class="panel front">${part('summary')}${partSection('value', first.get('value'), periodLinks(view))}</div>
${part('standing')}
</div>
<div class="columns">
<div class="first-column">${wideParts.map(part)}</div>
<div class="second-column">${narrowParts.map(part)}</div>
</div>
</div>`;
}

function partSection(name: DashboardPartName, part: DashboardPart | undefined, beside: Markup | ''): Markup {
  const title = titles[name];
  const content = html`<div data-part="${name}" data-digest="${part?.digest ?? ''}" data-testid="part-${name}">${
    part === undefined ? html`<p class="soft coming">Loading…</p>` : raw(part.html)
  }</div>`;
  return title === undefined
    ? html`<section class="panel part-${name}" aria-label="${untitledNames[name] ?? 'Trading'}">${content}</section>`
    : html`<section class="panel part-${name}" aria-labelledby="title-${name}"><div class="head"><h2 id="title-${name}">${title}</h2>${beside}</div>${content}</section>`;
}

/** Renders the links to the periods. The page's script shows another period without loading the page again. */
function periodLinks(view: DashboardView): Markup {
  const { page, period } = view;
  return html`<nav class="periods spans small" aria-label="Period">${Object.entries(periodNames).map(
    ([name, [word, words]]) =>
      html`<a href="${page}?${viewQuery(view, { period: name })}" data-period="${name}" ${name === period ? html`aria-current="page"` : ''}><span aria-hidden="true">${word}</span><span class="unseen">${words}</span></a>`,
  )}</nav>`;
}
