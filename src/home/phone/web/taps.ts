import { confirmationButton, consumeHold, handleHolds } from './hold.ts';
import type { PageState } from './page-state.ts';
import type {} from './shell.ts';
import { currentCard, disableButtonsBriefly, focusOn, renderStage, showCard } from './stage.ts';

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
 * Handles taps that approve or deny, show another request, or dismiss a result. Listens in the capture phase, so that
 * no other listener sends decisions.
 * @param roomNow returns the current page
 */
export function handleTaps(roomNow: () => PageState | undefined): void {
  handleHolds();
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
      if (button.hasAttribute('aria-disabled')) return;
      if (button.value === 'approve' && !isReady(card, button)) return;
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
        showRequest(room, link);
      } else if (away !== undefined) dismissResult(room, away.closest<HTMLElement>('[data-id]')?.dataset.id);
    },
    true,
  );
  document.addEventListener(
    'keydown',
    (event) => {
      // In a text field, Enter must not submit the form's first button, which is Deny.
      if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return;
      const card = closest(event.target, '[data-request-id]');
      if (card === undefined) return;
      event.preventDefault();
      focusOn(card.querySelector('.bar .go'));
    },
    true,
  );
}

/** Sends a decision, after signing an approval. The card shows the progress. A failure enables its buttons again. */
async function decide(room: PageState, card: HTMLElement, decision: string): Promise<void> {
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
      showProgress(card, 'Waiting for your passkey');
      const options = await post(`${path}/options`, data);
      data.set('evidence', await signApproval(options));
    }
    showProgress(card, 'Sending');
    const { result } = (await post(path, data)) as { readonly result: string };
    // If an event has already delivered a result, that result is newer than this response.
    if (!room.told.has(id)) room.told.set(id, result);
    room.done.add(id);
  } catch (problem) {
    showProblem(card, problem);
  }
  delete card.dataset.busy;
  for (const button of buttons) button.removeAttribute('aria-busy');
  renderStage(room);
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
    // The server may have received the request. Repeating the same decision is harmless, and the opposite is rejected.
    throw new Problem('Not sent', 'The connection failed. Tap again. It’s safe to repeat the same tap.');
  }
  const told: unknown = await answer.json().catch(() => undefined);
  if (answer.ok && typeof told === 'object' && told !== null) return told;
  const { title, text, link } = (told ?? {}) as Partial<{
    title: string;
    text: string;
    link: Problem['link'];
  }>;
  throw title === undefined || text === undefined
    ? new Problem('Nothing was decided', 'This page is out of date. Reload it.')
    : new Problem(title, text, link);
}

const otherDeviceHint = 'Open this page on the phone that you paired.';
const notSignedText = `Nothing was signed. You canceled, it took too long, or none of your passkeys is on this device. Try again, or ${otherDeviceHint.toLowerCase()}`;
/** Messages by the name of the WebAuthn error (Level 3 §5.1). */
const signingErrors: Readonly<Record<string, string>> = {
  NotAllowedError: notSignedText,
  AbortError: notSignedText,
  SecurityError: 'Your passkeys are for a different address. Open the page at the address that you paired.',
  NotSupportedError: `This device has no passkey that can sign here. ${otherDeviceHint}`,
  InvalidStateError: `This device has none of your passkeys. ${otherDeviceHint}`,
};

/** Signs the order with the person's passkey. @throws {Problem} */
async function signApproval(options: object): Promise<string> {
  if (!('PublicKeyCredential' in window)) {
    throw new Problem('Not approved', `This browser can’t use passkeys. ${otherDeviceHint}`);
  }
  try {
    return await window.tradeAgent.sign(options as Parameters<typeof window.tradeAgent.sign>[0]);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'no reason given';
    throw new Problem(
      'Not approved',
      signingErrors[name] ?? `Your passkey could not sign the request (${name}). Try again.`,
    );
  }
}

/** Returns whether the person has completed all steps for an approval. If not, shows what is missing. */
function isReady(card: HTMLElement, button: HTMLButtonElement): boolean {
  const isHeld = consumeHold(button);
  if (isIncomplete(card)) return false;
  if (isHeld) return true;
  const confirm = confirmationButton(button, () => showInBar(card, 'doing', 'Confirmed', ' Now press Approve.'));
  showInBar(card, 'problem', 'Hold to approve', ' This is real money: hold the button until it is full. ', confirm);
  return false;
}

/** Returns whether the person must still choose or type something. The server also checks this. */
function isIncomplete(card: HTMLElement): boolean {
  const codes = card.querySelector('.codes');
  const word = card.querySelector<HTMLInputElement>('[name=confirm]');
  if (codes !== null && codes.querySelector(':checked') === null) {
    showProblem(card, new Problem('Pick the code', 'that your terminal shows, then approve.'));
    focusOn(codes.querySelector('input'));
    return true;
  }
  const typed = card.querySelector<HTMLInputElement>('input[type=text][name=match]');
  if (typed?.value.trim() === '') {
    showProblem(card, new Problem('Type the code', 'that the agent shows you, then approve.'));
    typed.focus();
    return true;
  }
  if (word === null || word.value.trim() !== '') return false;
  showProblem(card, new Problem('Not confirmed', 'Type LIVE, then approve.'));
  word.focus();
  return true;
}

function showProgress(card: HTMLElement, title: string): void {
  showInBar(card, 'doing', title);
}

/** Shows, next to the buttons, why no decision was made. Inserts text, never markup. */
function showProblem(card: HTMLElement, problem: unknown): void {
  if (!(problem instanceof Problem)) throw problem;
  const { title, message, link } = problem;
  const parts: (Node | string)[] = [' ', message];
  // Only links within this home are allowed.
  if (link?.href.startsWith('/')) {
    const anchor = document.createElement('a');
    anchor.href = link.href;
    anchor.textContent = link.text;
    parts.push(' ', anchor);
  }
  showInBar(card, 'problem', title, ...parts);
}

function showInBar(card: HTMLElement, kind: 'doing' | 'problem', title: string, ...more: (Node | string)[]): void {
  const place = card.querySelector('.said');
  if (place === null) return;
  const strong = document.createElement('strong');
  strong.textContent = title;
  place.className = `said ${kind}`;
  place.replaceChildren(strong, ...more);
}

function showRequest(room: PageState, link: HTMLElement): void {
  if (currentCard(room)?.dataset.busy !== undefined) return;
  showCard(room, link.dataset.show);
  history.replaceState(history.state, '', link.getAttribute('href'));
  renderStage(room);
  window.scrollTo(0, 0);
  focusOn(currentCard(room)?.querySelector('h2'));
}

function dismissResult(room: PageState, id: string | undefined): void {
  room.keep(room.kept.filter((one) => one !== id));
  renderStage(room);
  const card = currentCard(room);
  if (card !== undefined) disableButtonsBriefly(card);
  focusOn(card === undefined ? room.root.querySelector('h1') : card.querySelector('h2'));
}

function closest(target: EventTarget | null, selector: string): HTMLElement | undefined {
  return (target instanceof Element ? target.closest<HTMLElement>(selector) : null) ?? undefined;
}
