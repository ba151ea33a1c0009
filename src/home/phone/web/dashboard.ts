// Decisions on this page use the same script as the approvals page.
import './approvals.ts';
import { convertToLocalTimes, updateCountdowns } from './times.ts';
import { drawChart, resizeCharts } from './value-chart.ts';

/* Keeps the dashboard in sync with the server. Replaces only changed parts. Keeps the focus and opened details. */

/** A part of the dashboard as the server sends it. See `DashboardPart` in ../dashboard/parts.ts. */
interface Part {
  readonly name: string;
  readonly html: string;
  readonly digest: string;
}

let here: HTMLElement | undefined;
let leave = () => {};

function start(): void {
  const root = document.getElementById('dashboard');
  if (root === (here ?? null)) return;
  leave();
  here = root ?? undefined;
  if (root === null) return;
  convertToLocalTimes(root);
  for (const chart of root.querySelectorAll<HTMLElement>('[data-chart]')) drawChart(chart);
  follow(root);
}

/** Follows the parts for the selected period. */
function follow(root: HTMLElement): void {
  leave();
  const live = root.querySelector<HTMLElement>('#live');
  const tell = (text: string, offline: boolean) => {
    if (live !== null && live.textContent !== text) live.textContent = text;
    root.toggleAttribute('data-offline', offline);
  };
  leave = window.tradeAgent.listen(root.dataset.events ?? '', {
    parts(data) {
      tell('Live', false);
      for (const part of JSON.parse(data) as Part[]) put(root, part);
      updateCountdowns();
    },
    alive: () => tell('Live', false),
    signed_out: () => tell('Signed out. Reload the page.', true),
    error: () => tell('Not connected, trying again', true),
  });
}

/** Shows another period without loading the page again. Updates the address, so that a reload shows the same period. */
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a[data-period]') : null;
  if (here === undefined || link === null || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  for (const other of here.querySelectorAll('a[data-period]')) other.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'page');
  const events = new URL(here.dataset.events ?? '', location.origin);
  events.searchParams.set('period', link.dataset.period ?? '');
  here.dataset.events = events.pathname + events.search;
  history.replaceState(history.state, '', link.href);
  follow(here);
});

/** Replaces a part if it has changed. The markup comes from our own server, so it is trusted. */
function put(root: HTMLElement, { name, html, digest }: Part): void {
  const place = root.querySelector<HTMLElement>(`[data-part="${name}"]`);
  if (place === null || place.dataset.digest === digest) return;
  const open = new Set(
    [...place.querySelectorAll<HTMLElement>('details[open][data-keep]')].map(({ dataset }) => dataset.keep),
  );
  const focused = document.activeElement;
  const kept =
    focused instanceof HTMLElement && place.contains(focused)
      ? (focused.dataset.keep ?? focused.closest<HTMLElement>('[data-keep]')?.dataset.keep)
      : undefined;
  const before = place.querySelector<HTMLElement>('[data-chart]');
  const fresh = document.createElement('template');
  fresh.innerHTML = html;
  const after = fresh.content.querySelector<HTMLElement>('[data-chart]');
  // An unchanged chart is reused, so that it is not drawn again.
  if (before !== null && after !== null && before.dataset.chart === after.dataset.chart) after.replaceWith(before);
  place.replaceChildren(fresh.content);
  place.dataset.digest = digest;
  for (const details of place.querySelectorAll<HTMLDetailsElement>('details[data-keep]'))
    if (open.has(details.dataset.keep)) details.open = true;
  convertToLocalTimes(place);
  for (const chart of place.querySelectorAll<HTMLElement>('[data-chart]')) drawChart(chart);
  if (kept === undefined) return;
  const again = [...place.querySelectorAll<HTMLElement>('[data-keep]')].find(({ dataset }) => dataset.keep === kept);
  (again instanceof HTMLDetailsElement ? again.querySelector('summary') : again)?.focus({
    preventScroll: true,
  });
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => resizeCharts(true));
new ResizeObserver(() => resizeCharts(false)).observe(document.body);
new MutationObserver(start).observe(document.body, { childList: true });
start();
