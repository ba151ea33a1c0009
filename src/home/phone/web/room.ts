import { localTimes } from './times.ts';

export interface Piece {
  readonly id: string;
  readonly html: string;
}

/** What the server tells: see `phoneUpdate` in ../decision/phone-state.ts. */
export interface Update {
  readonly waiting: readonly Piece[];
  /** The cards that are new or have changed. */
  readonly cards: readonly Piece[];
  readonly more: number;
  readonly results: readonly Piece[];
  readonly recent: readonly Piece[];
}

/** The page of requests as it is on the screen, until it is swapped for another. */
export interface Room {
  readonly root: HTMLElement;
  readonly stage: HTMLElement;
  readonly others: HTMLElement;
  readonly results: HTMLElement;
  /** What the results are in: closed below a request, open where there is none. */
  readonly earlier: HTMLDetailsElement;
  readonly recent: HTMLElement;
  readonly empty: HTMLElement;
  readonly more: HTMLElement;
  current: string;
  /** The markup that the card on the stage was made of; undefined for the one that came with the page. */
  card: string | undefined;
  update: Update | undefined;
  readonly cards: Map<string, string>;
  readonly told: Map<string, string>;
  /** Decided here, while the server has not told so yet. */
  readonly done: Set<string>;
  /** Results that were not put away, latest first. */
  kept: readonly string[];
  /** Of these, what ended while it was read, and not by a tap here. */
  untapped: string | undefined;
  /** What each element of a list was made of. */
  readonly shown: WeakMap<Element, string>;
  tell(text: string): void;
  /** One sentence for a screen reader, in its own time. */
  announce(text: string): void;
  keep(ids: readonly string[]): void;
  onLeave(stop: () => void): void;
  leave(): void;
}

const KEPT = 'trade-agent.results';

export function createRoom(root: HTMLElement): Room {
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
  const room: Room = {
    root,
    stage: part('stage'),
    others: part('others'),
    results: part('results'),
    earlier,
    recent: part('recent'),
    empty: part('empty'),
    more: part('more'),
    current: root.dataset.current ?? '',
    card: undefined,
    update: undefined,
    cards: new Map(),
    told: new Map(),
    done: new Set(),
    kept: keptBefore(),
    untapped: undefined,
    shown: new WeakMap(),
    tell(text) {
      if (state.textContent !== text) state.textContent = text;
    },
    announce(text) {
      announcement.textContent = text;
    },
    keep(ids) {
      room.kept = ids;
      try {
        sessionStorage.setItem(KEPT, JSON.stringify(ids));
      } catch {
        // Then they are kept as long as the page.
      }
    },
    onLeave(given) {
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
