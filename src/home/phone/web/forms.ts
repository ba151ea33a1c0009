import { ask } from './ask.ts';
import { passkeys } from './passkeys-loader.ts';
import { show } from './show.ts';

/**
 * Sends a form as the page's own request, and shows the answer. In its markup a form may say:
 *
 * - `data-passkey="create /path get /path"`: what is asked of the passkey first, in this order, and where its options
 *   come from. Each answer goes along with all that follows, as the field `registration` (create) or `assertion` (get).
 * - `data-auto`: it is sent as soon as it is there.
 *
 * An input with `data-from-hash` takes what stands after "#" in the address, which no browser sends anywhere.
 */
export function handleForms(): void {
  // At the window, so that a page's own script, which listens at the document, comes first.
  window.addEventListener('submit', (event) => {
    if (event.defaultPrevented || !(event.target instanceof HTMLFormElement)) return;
    event.preventDefault();
    const submitter = event.submitter instanceof HTMLElement ? event.submitter : null;
    void send(event.target, submitter);
  });
}

/** Fills and sends what needs no tap. */
export function sendAutomatic(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[data-from-hash]')) {
    input.value = location.hash.slice(1);
  }
  const form = document.querySelector<HTMLFormElement>('form[data-auto]');
  if (form !== null) void send(form, null);
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.dataset.sent !== undefined) return;
  form.dataset.sent = 'yes';
  const buttons = [...form.querySelectorAll('button')];
  for (const button of buttons) button.setAttribute('aria-busy', 'true');
  try {
    const body = bodyOf(form, submitter);
    await passkeySteps(form, body);
    await show(await ask(form.getAttribute('action') ?? location.pathname, { method: 'POST', body }));
    sendAutomatic();
  } catch (error) {
    complain(form, wordsFor(error));
  } finally {
    delete form.dataset.sent;
    for (const button of buttons) button.removeAttribute('aria-busy');
  }
}

function bodyOf(form: HTMLFormElement, submitter: HTMLElement | null): URLSearchParams {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') body.append(name, value);
  }
  if (submitter instanceof HTMLButtonElement && submitter.name !== '')
    body.append(submitter.name, submitter.value);
  return body;
}

async function passkeySteps(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
  const words = (form.dataset.passkey ?? '').split(' ').filter(Boolean);
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [what, path = ''] = words.slice(at, at + 2);
    const answer = await ask(path, { method: 'POST', body, headers: { accept: 'application/json' } });
    const said = await answer.json();
    if (!answer.ok) throw new Refused(typeof said.text === 'string' ? said.text : 'That was refused.');
    const { create, get } = await passkeys();
    if (what === 'create') body.set('registration', JSON.stringify(await create(said)));
    else body.set('assertion', JSON.stringify(await get(said)));
  }
}

/** The server said why not; its words are for the person. */
class Refused extends Error {}

/** @param error what the browser's own dialogue ended with, by name (WebAuthn Level 3 §5.1), or a request that failed */
function wordsFor(error: unknown): string {
  if (error instanceof Refused) return error.message;
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
      return 'That was not finished: it was cancelled, took too long, or there is no passkey for this home here.';
    case 'InvalidStateError':
      return 'This device already has a passkey for you here. Sign in with it.';
    case 'SecurityError':
      return 'Passkeys work only on the name that this home was set up with, over https or at localhost.';
    case 'NotSupportedError':
      return 'This browser can’t keep a passkey that asks who you are. Use another one, or a security key.';
    default:
      return 'Not sent. Is your home within reach? Try again.';
  }
}

function complain(form: HTMLFormElement, text: string): void {
  let problem = form.querySelector<HTMLElement>('.problem');
  if (problem === null) {
    problem = document.createElement('p');
    problem.className = 'problem';
    problem.setAttribute('role', 'alert');
    problem.dataset.testid = 'problem';
    form.prepend(problem);
  }
  problem.textContent = text;
}
