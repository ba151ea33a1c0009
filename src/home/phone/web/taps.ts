import type { Room } from './room.ts';
import type {} from './shell.ts';
import { cardOf, focusOn, place, put, settle } from './stage.ts';

class Problem extends Error {
  readonly title: string;
  readonly link: { readonly href: string; readonly text: string } | undefined;
  constructor(title: string, text: string, link?: Problem['link']) {
    super(text);
    this.title = title;
    this.link = link;
  }
}

/**
 * A tap approves or denies, shows another request, or puts a result away. It listens before whatever else does: a
 * decision is sent from here alone.
 * @param roomNow the page as it is now
 */
export function handleTaps(roomNow: () => Room | undefined): void {
  document.addEventListener(
    'submit',
    (event) => {
      const room = roomNow();
      const card = closest(event.target, '[data-request-id]');
      if (room === undefined || card === undefined) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = event.submitter;
      if (!(button instanceof HTMLButtonElement) || card.dataset.busy !== undefined) return;
      if (button.hasAttribute('aria-disabled') || (button.value === 'approve' && isIncomplete(card))) return;
      void decide(room, card, button.value);
    },
    true,
  );
  document.addEventListener(
    'click',
    (event) => {
      const room = roomNow();
      const link = closest(event.target, 'a[data-show]');
      const away = closest(event.target, '[data-put-away]');
      if (room === undefined) return;
      if (link !== undefined && room.cards.has(link.dataset.show ?? '')) {
        event.preventDefault();
        event.stopImmediatePropagation();
        showOther(room, link);
      } else if (away !== undefined) putAway(room, away.closest<HTMLElement>('[data-id]')?.dataset.id);
    },
    true,
  );
  document.addEventListener(
    'keydown',
    (event) => {
      // In a field, Enter is no tap on the first button of the form, which denies.
      if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
      const card = closest(event.target, '[data-request-id]');
      if (card === undefined) return;
      event.preventDefault();
      focusOn(card.querySelector('.bar .go'));
    },
    true,
  );
}

/** Sends a decision; an approval is signed first. The card says how it goes, and its buttons live again if it fails. */
async function decide(room: Room, card: HTMLElement, decision: string): Promise<void> {
  const form = card.querySelector('form');
  const id = card.dataset.requestId;
  if (form === null || id === undefined) return;
  const path = form.getAttribute('action') ?? '';
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') data.append(name, value);
  data.set('decision', decision);
  const buttons = [...form.querySelectorAll('.bar button')];
  card.dataset.busy = decision;
  for (const button of buttons) button.setAttribute('aria-busy', 'true');
  try {
    if (decision === 'approve') {
      doing(card, 'Waiting for your key');
      const options = await post(`${path}/options`, data);
      data.set('evidence', await signed(options));
    }
    doing(card, 'Sending');
    const { result } = (await post(path, data)) as { readonly result: string };
    // What the events have told meanwhile is newer than this answer.
    if (!room.told.has(id)) room.told.set(id, result);
    room.done.add(id);
  } catch (problem) {
    complain(card, problem);
  }
  delete card.dataset.busy;
  for (const button of buttons) button.removeAttribute('aria-busy');
  place(room);
}

async function post(path: string, body: URLSearchParams): Promise<object> {
  let answer: Response;
  try {
    answer = await window.tradeAgent.fetch(path, {
      method: 'POST',
      body,
      headers: { accept: 'application/json' },
    });
  } catch {
    // Perhaps it arrived: the same tap again changes nothing, and the other one is refused.
    throw new Problem('Not sent', 'The connection failed. Tap again: the same tap twice changes nothing.');
  }
  const told: unknown = await answer.json().catch(() => undefined);
  if (answer.ok && typeof told === 'object' && told !== null) return told;
  const { title, text, link } = (told ?? {}) as Partial<{
    title: string;
    text: string;
    link: Problem['link'];
  }>;
  throw title === undefined || text === undefined
    ? new Problem('Nothing was decided', 'This page is out of date: load it again.')
    : new Problem(title, text, link);
}

const elsewhere = 'Open this page on the phone that you paired.';
const unsigned = `Nothing was signed: you cancelled, it took too long, or none of your keys is on this device. Try again, or ${elsewhere.toLowerCase()}`;
/** By the name of what the browser's own dialogue ended with (WebAuthn Level 3 §5.1). */
const notSigned: Readonly<Record<string, string>> = {
  NotAllowedError: unsigned,
  AbortError: unsigned,
  SecurityError: 'Your keys are not for this address. Open the page at the address that you paired.',
  NotSupportedError: `This device has no key of a kind that can sign here. ${elsewhere}`,
  InvalidStateError: `This device has none of your keys. ${elsewhere}`,
};

/** The person's key over the order. @throws {Problem} */
async function signed(options: object): Promise<string> {
  if (!('PublicKeyCredential' in window)) {
    throw new Problem('Not approved', `This browser can’t use a key. ${elsewhere}`);
  }
  try {
    return await window.tradeAgent.sign(options as Parameters<typeof window.tradeAgent.sign>[0]);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'no reason given';
    throw new Problem('Not approved', notSigned[name] ?? `Your key could not sign it (${name}). Try again.`);
  }
}

/** Whether there is something left to pick or type; the server asks for it too. */
function isIncomplete(card: HTMLElement): boolean {
  const codes = card.querySelector('.codes');
  const word = card.querySelector<HTMLInputElement>('[name=confirm]');
  if (codes !== null && codes.querySelector(':checked') === null) {
    complain(card, new Problem('Pick the code', 'that your terminal shows, then approve.'));
    focusOn(codes.querySelector('input'));
    return true;
  }
  if (word === null || word.value.trim() !== '') return false;
  complain(card, new Problem('Not confirmed', 'Type LIVE, then approve.'));
  word.focus();
  return true;
}

function doing(card: HTMLElement, title: string): void {
  said(card, 'doing', title);
}

/** Says in the bar, where the thumb is, why nothing was decided; never markup. */
function complain(card: HTMLElement, problem: unknown): void {
  if (!(problem instanceof Problem)) throw problem;
  const { title, message, link } = problem;
  const parts: (Node | string)[] = [' ', message];
  // Within this home only.
  if (link?.href.startsWith('/')) {
    const anchor = document.createElement('a');
    anchor.href = link.href;
    anchor.textContent = link.text;
    parts.push(' ', anchor);
  }
  said(card, 'problem', title, ...parts);
}

function said(card: HTMLElement, kind: 'doing' | 'problem', title: string, ...more: (Node | string)[]): void {
  const place = card.querySelector('.said');
  if (place === null) return;
  const strong = document.createElement('strong');
  strong.textContent = title;
  place.className = `said ${kind}`;
  place.replaceChildren(strong, ...more);
}

function showOther(room: Room, link: HTMLElement): void {
  if (cardOf(room)?.dataset.busy !== undefined) return;
  put(room, link.dataset.show);
  history.replaceState(history.state, '', link.getAttribute('href'));
  place(room);
  window.scrollTo(0, 0);
  focusOn(cardOf(room)?.querySelector('h2'));
}

function putAway(room: Room, id: string | undefined): void {
  room.keep(room.kept.filter((one) => one !== id));
  place(room);
  const card = cardOf(room);
  if (card !== undefined) settle(card);
  focusOn(card === undefined ? room.root.querySelector('h1') : card.querySelector('h2'));
}

function closest(target: EventTarget | null, selector: string): HTMLElement | undefined {
  return (target instanceof Element ? target.closest<HTMLElement>(selector) : null) ?? undefined;
}
