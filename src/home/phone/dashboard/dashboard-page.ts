import { html, raw } from 'hono/html';
import type { Clock } from '../../../machine/clock.ts';
import { defined } from '../../../values/defined.ts';
import type { Markup } from '../page.ts';
import { type Period, periods } from './dashboard-data.ts';
import { type DashboardView, makePart, type Part, type PartName, partNames } from './parts.ts';

/** How long the page waits for its parts, milliseconds: those that take longer come by the stream. */
const FIRST_MS = 250;

const titles: Readonly<Partial<Record<PartName, string>>> = {
  value: 'Value over time',
  waiting: 'To decide',
  positions: 'Positions',
  orders: 'Orders',
  proposals: 'Proposals',
  mandates: 'Mandates',
  schedules: 'Schedules',
  findings: 'Findings',
  threads: 'Conversations',
  record: 'Record',
};

/** Of those without a title, what they are called to who can't see them. */
const untitled: Readonly<Partial<Record<PartName, string>>> = { accounts: 'Accounts', summary: 'Portfolio' };

/** What takes the wider column, where there are two; the rest is in the other, or below. */
const wide: readonly PartName[] = ['standing', 'waiting', 'value', 'positions', 'orders', 'proposals'];

/**
 * The page: what of it can be read at once, and places of the right size for the rest.
 * @param decide instead of the cards that are only read: where the person can decide on this very page
 */
export async function dashboardBody(
  view: DashboardView,
  { decide, clock }: { readonly decide: Markup | undefined; readonly clock: Pick<Clock, 'sleep'> },
): Promise<Markup> {
  const late = new AbortController();
  const soon = clock.sleep(FIRST_MS, late.signal).then(
    () => undefined,
    () => undefined,
  );
  const first = new Map<PartName, Part | undefined>(
    await Promise.all(
      partNames.map(
        async (name): Promise<[PartName, Part | undefined]> => [
          name,
          await Promise.race([makePart(name, view), soon]),
        ],
      ),
    ),
  );
  late.abort();
  const { path } = view.form;
  const chosen = defined({ account: view.account });
  const query = (period: Period) => new URLSearchParams({ period, ...chosen }).toString();
  const section = (name: PartName) =>
    name === 'waiting' && decide !== undefined
      ? html`<section class="panel part-waiting deciding" aria-labelledby="title-waiting"><h2 id="title-waiting">To decide</h2>${decide}</section>`
      : partSection(
          name,
          first.get(name),
          name === 'value' ? periodLinks((period) => `${path}?${query(period)}`, view.period) : '',
        );
  const rest = partNames.filter((name) => !['accounts', 'summary', ...wide].includes(name));
  return html`<div id="dashboard" data-events="${path}/events?${query(view.period)}" data-testid="dashboard">
<div class="title"><h1 tabindex="-1">Dashboard</h1><span class="small soft" role="status" id="live" data-testid="live">Connecting</span></div>
${section('accounts')}
${section('summary')}
<div class="columns">
<div class="first-column">${wide.map(section)}</div>
<div class="second-column">${rest.map(section)}</div>
</div>
</div>`;
}

function partSection(name: PartName, part: Part | undefined, beside: Markup | ''): Markup {
  const title = titles[name];
  const content = html`<div data-part="${name}" data-digest="${part?.digest ?? ''}" data-testid="part-${name}">${
    part === undefined ? html`<p class="soft coming">Loading …</p>` : raw(part.html)
  }</div>`;
  return title === undefined
    ? html`<section class="panel part-${name}" aria-label="${untitled[name] ?? 'Trading'}">${content}</section>`
    : html`<section class="panel part-${name}" aria-labelledby="title-${name}"><div class="head"><h2 id="title-${name}">${title}</h2>${beside}</div>${content}</section>`;
}

function periodLinks(linkTo: (period: Period) => string, chosen: Period): Markup {
  return html`<nav class="periods small" aria-label="How far back">${Object.entries(periods).map(
    ([period, word]) =>
      html`<a href="${linkTo(period as Period)}" ${period === chosen ? html`aria-current="page"` : ''}>${word}</a>`,
  )}</nav>`;
}
