import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { isTradeAgentError } from '../../../errors/errors.ts';
import type { Clock } from '../../../machine/clock.ts';
import { createStreamLimit, eventStreamResponse, tooManyStreamsResponse } from '../../../net/event-stream.ts';
import { HttpProblem } from '../../../trading/http-problem.ts';
import { accountNumberSchema } from '../../../trading/order.ts';
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
  renderDashboardPart,
} from './parts.ts';

/** Milliseconds between checks of data without change events, such as prices. Also the heartbeat interval. */
const CHECK_INTERVAL_MS = 5_000;
/** Milliseconds to wait after a change, so that one read covers simultaneous changes. */
const SETTLE_MS = 50;
/** Milliseconds to wait before reconnecting to an interrupted source. */
const RECONNECT_DELAY_MS = 2_000;
/** Maximum number of dashboards that one person can have open. */
const MAX_STREAMS = 20;

interface DashboardRouteOptions {
  /** Address of the page, such as `/phone/dashboard`. Its forms and event stream are below this address. */
  readonly path: string;
  /** Returns the person's own data, or undefined if they have to sign in first. */
  dataOf(context: BrowserContext): CachedDashboardData | undefined;
  signInPage(context: BrowserContext): Response | Promise<Response>;
  /**
   * Account shown if the page's address doesn't name one: an account number, or `all`. Defaults to the default account.
   */
  readonly account?: string | undefined;
  isOpen(context: BrowserContext): Promise<boolean>;
  /** Renders the cards on which the person decides, if the page allows decisions. */
  decide?(context: BrowserContext): Promise<Markup>;
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly onError: (message: string) => void;
}

export function createDashboardRoutes(place: DashboardRouteOptions): Hono<BrowserEnv> {
  const { path, clock } = place;
  const app = new Hono<BrowserEnv>();
  const viewOf = (context: BrowserContext, data: CachedDashboardData): DashboardView => ({
    data,
    account: accountOf(context) ?? place.account,
    period: periodOf(context),
    form: { path, formToken: context.var.formToken, hidesCodes: place.decide !== undefined },
    now: clock.now(),
  });

  app.get(path, async (context) => {
    const data = place.dataOf(context);
    if (data === undefined) return place.signInPage(context);
    const decide = await place.decide?.(context);
    return renderPage(context, {
      title: 'Dashboard',
      script: 'dashboard.js',
      body: await dashboardBody(viewOf(context, data), { decide, clock }),
    });
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
        const names = dashboardPartNames.filter((name) => name !== 'waiting' || place.decide === undefined);
        while (!signal.aborted) {
          if (!(await place.isOpen(context))) {
            await stream.writeSSE({ event: 'signed_out', data: '' });
            return;
          }
          // Starts waiting before reading the data, so that a change during the read is noticed before the next check.
          const change = told();
          const parts = await Promise.all(names.map((name) => renderDashboardPart(name, viewOf(context, data))));
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

function periodOf(context: BrowserContext): Period {
  const asked = context.req.query('period') ?? '';
  return Object.hasOwn(periodNames, asked) ? (asked as Period) : '1M';
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
 * Follows changes to the data, with retries. Returns a function that resolves at the next change or check, and never
 * rejects.
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
        // Ignored, because the regular checks continue and report what can't be read.
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

/** How long the page waits for the data of its parts, in milliseconds. Slower parts arrive on the event stream. */
const FIRST_RENDER_MS = 250;

const titles: Readonly<Partial<Record<DashboardPartName, string>>> = {
  value: 'Value over time',
  waiting: 'Needs your approval',
  positions: 'Positions',
  orders: 'Orders',
  proposals: 'Proposals',
  mandates: 'Mandates',
  schedules: 'Schedules',
  findings: 'Findings',
  threads: 'Conversations',
  record: 'Record',
};

/** Accessible names of the parts without a title. */
const untitledNames: Readonly<Partial<Record<DashboardPartName, string>>> = {
  accounts: 'Accounts',
  summary: 'Portfolio',
};

/** Parts in the wider column. The others are in the narrower column, or below if there is only one column. */
const wideParts: readonly DashboardPartName[] = ['standing', 'waiting', 'value', 'positions', 'orders', 'proposals'];

/**
 * Renders the parts whose data arrives quickly, and placeholders for the others.
 * @param decide cards with buttons, which replace the read-only cards
 */
async function dashboardBody(
  view: DashboardView,
  { decide, clock }: { readonly decide: Markup | undefined; readonly clock: Pick<Clock, 'sleep'> },
): Promise<Markup> {
  const late = new AbortController();
  const soon = clock.sleep(FIRST_RENDER_MS, late.signal).then(
    () => undefined,
    () => undefined,
  );
  const first = new Map<DashboardPartName, DashboardPart | undefined>(
    await Promise.all(
      dashboardPartNames.map(
        async (name): Promise<[DashboardPartName, DashboardPart | undefined]> => [
          name,
          await Promise.race([renderDashboardPart(name, view), soon]),
        ],
      ),
    ),
  );
  late.abort();
  const { path } = view.form;
  const chosen = defined({ account: view.account });
  const query = (period: Period) => new URLSearchParams({ period, ...chosen }).toString();
  const section = (name: DashboardPartName) =>
    name === 'waiting' && decide !== undefined
      ? html`<section class="panel part-waiting deciding" aria-labelledby="title-waiting"><h2 id="title-waiting">Needs your approval</h2>${decide}</section>`
      : partSection(
          name,
          first.get(name),
          name === 'value' ? periodLinks((period) => `${path}?${query(period)}`, view.period) : '',
        );
  const rest = dashboardPartNames.filter((name) => !['accounts', 'summary', ...wideParts].includes(name));
  return html`<div id="dashboard" data-events="${path}/events?${query(view.period)}" data-testid="dashboard">
<div class="title"><h1 tabindex="-1">Dashboard</h1><span class="small soft" role="status" id="live" data-testid="live">Connecting</span></div>
${section('accounts')}
${section('summary')}
<div class="columns">
<div class="first-column">${wideParts.map(section)}</div>
<div class="second-column">${rest.map(section)}</div>
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

function periodLinks(linkTo: (period: Period) => string, chosen: Period): Markup {
  return html`<nav class="periods small" aria-label="Period">${Object.entries(periodNames).map(
    ([period, word]) =>
      html`<a href="${linkTo(period as Period)}" ${period === chosen ? html`aria-current="page"` : ''}>${word}</a>`,
  )}</nav>`;
}
