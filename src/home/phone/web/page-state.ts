import { convertToLocalTimes } from './times.ts';

export interface RenderedPiece {
  readonly id: string;
  readonly html: string;
}

/** An update from the server. See `phoneUpdate` in ../phone-pages.ts. */
export interface PageUpdate {
  readonly waiting: readonly RenderedPiece[];
  /** The new and changed cards. */
  readonly cards: readonly RenderedPiece[];
  readonly more: number;
  readonly results: readonly RenderedPiece[];
  readonly recent: readonly RenderedPiece[];
}

export type PageState = ReturnType<typeof createPageState>;

const RESULTS_KEY = 'trade-agent.results';

/** Creates the state of the displayed approvals page. The state is used until another page replaces that page. */
export function createPageState(root: HTMLElement) {
  const part = (id: string): HTMLElement => {
    const found = root.querySelector<HTMLElement>(`#${id}`);
    if (found === null) throw new TypeError(`the page has no part ${id}`);
    return found;
  };
  const earlier = part('earlier');
  if (!(earlier instanceof HTMLDetailsElement)) throw new TypeError('the results are not inside a details element');
  const state = part('state');
  const announcement = part('announce');
  let stop = () => {};
  const room = {
    root,
    stage: part('stage'),
    others: part('others'),
    results: part('results'),
    /** Container of the results. It is collapsed below a request, and expanded otherwise. */
    earlier,
    recent: part('recent'),
    empty: part('empty'),
    more: part('more'),
    current: root.dataset.current ?? '',
    /** The markup of the displayed card. Undefined for the card with which the page was loaded. */
    card: undefined as string | undefined,
    update: undefined as PageUpdate | undefined,
    cards: new Map<string, string>(),
    told: new Map<string, string>(),
    /** IDs of requests that were decided on this page but whose decision the server has not confirmed yet. */
    done: new Set<string>(),
    /** IDs of results that were not dismissed, latest first. */
    kept: storedResults(),
    /** ID of the kept result whose request ended without a tap on this page while its card was displayed. */
    untapped: undefined as string | undefined,
    shown: new WeakMap<Element, string>(),
    tell(text: string) {
      if (state.textContent !== text) state.textContent = text;
    },
    /** Announces one sentence to screen readers. */
    announce(text: string) {
      announcement.textContent = text;
    },
    keep(ids: readonly string[]) {
      room.kept = ids;
      try {
        sessionStorage.setItem(RESULTS_KEY, JSON.stringify(ids));
      } catch {
        // Without storage, the results are lost when the person leaves the page.
      }
    },
    onLeave(given: () => void) {
      stop = given;
    },
    leave: () => stop(),
  };
  for (const form of room.stage.querySelectorAll('form')) form.noValidate = true;
  return room;
}

export function parseElement(html: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  const fresh = template.content.firstElementChild;
  if (!(fresh instanceof HTMLElement)) throw new TypeError('the server’s markup contains no element');
  convertToLocalTimes(fresh);
  return fresh;
}

function storedResults(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(RESULTS_KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
