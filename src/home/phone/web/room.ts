import { localTimes } from './times.ts';

export interface Piece {
  readonly id: string;
  readonly html: string;
}

/** What the server tells: see `phoneUpdate` in ../phone-pages.ts. */
export interface Update {
  readonly waiting: readonly Piece[];
  /** The cards that are new or have changed. */
  readonly cards: readonly Piece[];
  readonly more: number;
  readonly results: readonly Piece[];
  readonly recent: readonly Piece[];
}

export type Room = ReturnType<typeof createRoom>;

const KEPT = 'trade-agent.results';

/** The page of requests as it is on the screen, until it is swapped for another. */
export function createRoom(root: HTMLElement) {
  const part = (id: string): HTMLElement => {
    const found = root.querySelector<HTMLElement>(`#${id}`);
    if (found === null) throw new TypeError(`the page has no part ${id}`);
    return found;
  };
  const earlier = part('earlier');
  if (!(earlier instanceof HTMLDetailsElement)) throw new TypeError('the results are in no details');
  const state = part('state');
  const announcement = part('announce');
  let stop = () => {};
  const room = {
    root,
    stage: part('stage'),
    others: part('others'),
    results: part('results'),
    /** What the results are in: closed below a request, open where there is none. */
    earlier,
    recent: part('recent'),
    empty: part('empty'),
    more: part('more'),
    current: root.dataset.current ?? '',
    /** The markup that the card on the stage was made of; undefined for the one that came with the page. */
    card: undefined as string | undefined,
    update: undefined as Update | undefined,
    cards: new Map<string, string>(),
    told: new Map<string, string>(),
    /** Decided here, while the server has not told so yet. */
    done: new Set<string>(),
    /** Results that were not put away, latest first. */
    kept: keptBefore(),
    /** Of these, what ended while it was read, and not by a tap here. */
    untapped: undefined as string | undefined,
    shown: new WeakMap<Element, string>(),
    tell(text: string) {
      if (state.textContent !== text) state.textContent = text;
    },
    /** One sentence for a screen reader, in its own time. */
    announce(text: string) {
      announcement.textContent = text;
    },
    keep(ids: readonly string[]) {
      room.kept = ids;
      try {
        sessionStorage.setItem(KEPT, JSON.stringify(ids));
      } catch {
        // Then they are kept as long as the page.
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

export function made(html: string): HTMLElement {
  const template = document.createElement('template');
  template.innerHTML = html.trim();
  const fresh = template.content.firstElementChild;
  if (!(fresh instanceof HTMLElement)) throw new TypeError('no element in what the server told');
  localTimes(fresh);
  return fresh;
}

function keptBefore(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}
