import { type PageState, type PageUpdate, parseElement, type RenderedPiece } from './page-state.ts';
import { updateCountdowns } from './times.ts';

/** Milliseconds for which a button that has moved ignores taps, because they may be meant for another button. */
const SETTLE_MS = 700;

export function applyUpdate(room: PageState, update: PageUpdate): void {
  room.update = update;
  for (const { id, html } of update.cards) room.cards.set(id, html);
  for (const { id, html } of update.results) room.told.set(id, html);
  const waits = new Set(update.waiting.map(({ id }) => id));
  for (const id of room.cards.keys()) if (!waits.has(id)) room.cards.delete(id);
  for (const id of room.done) if (!waits.has(id)) room.done.delete(id);
  if (!room.kept.every((id) => room.told.has(id))) room.keep(room.kept.filter((id) => room.told.has(id)));
  renderStage(room);
}

export function currentCard({ stage }: PageState): HTMLElement | undefined {
  const card = stage.firstElementChild;
  return card instanceof HTMLElement ? card : undefined;
}

/** Displays the latest update. A card stays until the response to its decision arrives. */
export function renderStage(room: PageState): void {
  const { update } = room;
  if (update === undefined) return;
  const waiting = update.waiting.filter(({ id }) => !room.done.has(id));
  const waits = (id: string | undefined) => waiting.some((one) => one.id === id);
  const card = currentCard(room);
  let hadFocus = false;
  if (card?.dataset.busy === undefined) {
    const id = card?.dataset.requestId;
    if (card !== undefined && id !== undefined && !waits(id)) {
      hadFocus = card.contains(document.activeElement);
      if (room.told.has(id)) keepResult(room, id);
    }
    showCard(room, waits(room.current) ? room.current : waiting[0]?.id);
  }
  updateLists(room, update, waiting);
  const { length } = waiting;
  const count = length + update.more;
  document.title = `${count > 0 ? `(${count}) ` : ''}${document.title.replace(/^\(\d+\) /, '')}`;
  if (hadFocus) focusOn(currentCard(room)?.querySelector('h2') ?? room.results.firstElementChild);
  updateCountdowns();
  reserveBarSpace();
}

/**
 * Keeps a result on the page until the person dismisses it. If several requests ended without a tap, keeps only the
 * latest of their results.
 */
function keepResult(room: PageState, id: string): void {
  if (room.kept.includes(id)) return;
  const others = room.done.has(id) ? room.kept : room.kept.filter((one) => one !== room.untapped);
  if (!room.done.has(id)) room.untapped = id;
  room.keep([id, ...others]);
}

function updateLists(room: PageState, update: PageUpdate, waiting: readonly RenderedPiece[]): void {
  const { others, results, recent, kept } = room;
  const rest = waiting.filter(({ id }) => id !== room.current);
  const list = others.firstElementChild;
  if (list !== null) patch(room, list, rest);
  others.hidden = rest.length === 0;
  const panels = kept.map((id) => ({ id, html: room.told.get(id) ?? '' }));
  patch(room, results, panels, (panel) => room.announce(resultAnnouncement(panel)));
  collapse(room);
  patch(room, recent, update.recent);
  for (const item of recent.children) {
    if (item instanceof HTMLElement) item.hidden = kept.includes(item.dataset.id ?? '');
  }
  room.more.textContent = update.more > 0 ? `${update.more} more after these.` : '';
  room.empty.hidden = room.stage.children.length + results.children.length > 0;
}

/** Collapses the results to one line while a request is pending above them, and expands them otherwise. */
function collapse({ earlier, stage, results }: PageState): void {
  const { length } = results.children;
  const below = stage.children.length > 0;
  const summary = earlier.querySelector('summary');
  if (summary !== null) {
    summary.textContent = length === 1 ? '1 earlier result' : `${length} earlier results`;
    summary.hidden = !below;
  }
  if (!below) earlier.open = true;
  else if (earlier.dataset.below === undefined) earlier.open = false;
  earlier.toggleAttribute('data-below', below);
  earlier.hidden = length === 0;
}

export function showCard(room: PageState, id: string | undefined): void {
  const old = currentCard(room);
  const html = id === undefined ? undefined : room.cards.get(id);
  if (id === undefined || html === undefined) {
    old?.remove();
    room.current = '';
    return;
  }
  const same = old !== undefined && old.dataset.requestId === id;
  // The card with which the page was loaded counts as the server's first version.
  if (same && (room.card === undefined || room.card === html)) {
    room.card = html;
    return;
  }
  const fresh = parseElement(html);
  for (const form of fresh.querySelectorAll('form')) form.noValidate = true;
  if (same) copyInput(old, fresh);
  const focused = same && old.contains(document.activeElement) ? document.activeElement : null;
  if (old === undefined) room.stage.append(fresh);
  else old.replaceWith(fresh);
  refocus(focused, fresh);
  room.card = html;
  room.current = id;
  disableButtonsBriefly(fresh);
  if (!same) room.announce(fresh.dataset.says ?? '');
}

function refocus(focused: Element | null, fresh: HTMLElement): void {
  if (!(focused instanceof HTMLElement)) return;
  focusOn(fresh.querySelector(`[data-testid="${focused.dataset.testid}"]`) ?? fresh.querySelector('h2'));
}

/** Disables a new card's buttons for a moment, so that a tap meant for the previous card has no effect. */
export function disableButtonsBriefly(card: HTMLElement): void {
  const buttons = card.querySelectorAll('.bar button');
  const until = String(Date.now() + SETTLE_MS);
  card.dataset.settling = until;
  for (const button of buttons) button.setAttribute('aria-disabled', 'true');
  setTimeout(() => {
    if (card.dataset.settling !== until) return;
    for (const button of buttons) button.removeAttribute('aria-disabled');
  }, SETTLE_MS);
}

export function focusOn(element: Element | null | undefined): void {
  if (element instanceof HTMLElement) element.focus({ preventScroll: true });
}

/** Copies the person's input from the old version of a card to the new version. */
function copyInput(old: HTMLElement, fresh: HTMLElement): void {
  const details = fresh.querySelector('details');
  if (details !== null) details.open = old.querySelector('details')?.open ?? false;
  const twins = [...fresh.querySelectorAll('input')];
  for (const input of old.querySelectorAll<HTMLInputElement>('input:not([type=hidden])')) {
    const choice = input.type === 'radio';
    const twin = twins.find(({ name, value }) => name === input.name && (!choice || value === input.value));
    if (twin === undefined) continue;
    if (choice) twin.checked = input.checked;
    else twin.value = input.value;
  }
  fresh.querySelector('.said')?.replaceWith(old.querySelector('.said') ?? '');
}

/** Updates a list. Changes only the elements that differ. */
function patch(
  room: PageState,
  list: Element,
  wanted: readonly RenderedPiece[],
  changed: (element: HTMLElement) => void = () => {},
): void {
  const children = [...list.children].filter((child) => child instanceof HTMLElement);
  const old = new Map(children.map((child) => [child.dataset.id ?? '', child]));
  const ids = new Set(wanted.map(({ id }) => id));
  for (const [id, child] of old) if (!ids.has(id)) child.remove();
  let at: Element | null = null;
  for (const { id, html } of wanted) {
    const before = old.get(id);
    const known = before === undefined ? undefined : room.shown.get(before);
    let child = before;
    if (child === undefined || (known !== undefined && known !== html)) {
      child = parseElement(html);
      replaceKeepingFocus(before, child);
      changed(child);
    }
    room.shown.set(child, html);
    const next: Element | null = at === null ? list.firstElementChild : at.nextElementSibling;
    if (next !== child) list.insertBefore(child, next);
    at = child;
  }
}

function replaceKeepingFocus(before: HTMLElement | undefined, fresh: HTMLElement): void {
  const focused = document.activeElement;
  const within = before?.contains(focused) ?? false;
  before?.replaceWith(fresh);
  if (before === focused) focusOn(fresh);
  else if (within) focusOn(fresh.querySelector('a, button'));
}

function resultAnnouncement(panel: HTMLElement): string {
  const words = (selector: string) => panel.querySelector(selector)?.textContent ?? '';
  return `${words('.headline')}: ${words('[data-testid=standing]')}, ${words('[data-testid=outcome]')}`;
}

const sizes = new ResizeObserver(reserveBarSpace);
let watched: Element | undefined;

/** Reserves space for the bar at the bottom by setting the style variable `--bar` to its height. */
export function reserveBarSpace(): void {
  const bar = document.querySelector<HTMLElement>('.bar');
  document.documentElement.style.setProperty('--bar', `${bar?.getBoundingClientRect().height ?? 0}px`);
  if (bar === null || bar === watched) return;
  sizes.disconnect();
  sizes.observe(bar);
  watched = bar;
}
