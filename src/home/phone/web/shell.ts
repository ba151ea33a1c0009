import type { ApprovalOptions } from './passkeys.ts';
import { loadPasskeys } from './passkeys-loader.ts';
import { startPush } from './push.ts';
import { FRAGMENT_MEDIA_TYPE, sendRequest } from './request.ts';
import { convertToLocalTimes } from './times.ts';

interface TradeAgent {
  /** Sends a request with the origin key. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Follows a stream of server-sent events. */
  listen(path: string, listeners: Listeners): () => void;
  /** Signs with the person's passkey and returns the evidence as JSON. */
  sign(options: ApprovalOptions): Promise<string>;
}

declare global {
  interface Window {
    tradeAgent: TradeAgent;
  }
}

window.tradeAgent = {
  fetch: sendRequest,
  listen,
  sign: async (options) => (await loadPasskeys()).signApproval(options),
};

handleForms();
startPush();
// A prerendered page sends no requests until it is displayed, because a request could use up a link.
if ('prerendering' in document && document.prerendering)
  document.addEventListener('prerenderingchange', () => void loadPage(), { once: true });
else void loadPage();

/** Initializes the page. If the server sent an empty document, loads the actual page first. */
async function loadPage(): Promise<void> {
  const main = document.querySelector('main');
  if (main?.dataset.shell === undefined) {
    initializePage(main);
    return submitAutomatic();
  }
  try {
    await replacePage(await sendRequest(location.pathname + location.search));
    submitAutomatic();
  } catch {
    showProblem('Your home can’t be reached, or this browser blocks storage for this page. Reload the page.');
  }
}

/** Milliseconds without events after which a stream counts as disconnected. Heartbeats are five seconds apart. */
const SILENCE_MS = 20_000;
const RETRY_MS = 2000;

/** Listeners by event name. After an interruption, `error` is called without data, and the stream reconnects. */
type Listeners = Readonly<Record<string, (data: string) => void>>;

/**
 * Follows a stream of server-sent events. Replaces the browser's EventSource, which can't send this origin's key. When
 * it reconnects, it sends the ID of the last received event to the server.
 * @returns a function that ends the stream
 */
function listen(path: string, listeners: Listeners): () => void {
  const over = new AbortController();
  void follow(path, listeners, over.signal);
  return () => over.abort();
}

async function follow(path: string, listeners: Listeners, over: AbortSignal): Promise<void> {
  const place = { last: '' };
  while (!over.aborted) {
    try {
      if ((await readOnce(path, { listeners, place, over })) === 'refused') {
        listeners.signed_out?.('');
        return;
      }
    } catch {
      // The stream is opened again after any failure.
    }
    if (over.aborted) return;
    listeners.error?.('');
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Follows the stream until it ends. @param place the ID of the last received event, which is updated */
async function readOnce(
  path: string,
  { listeners, place, over }: { listeners: Listeners; place: { last: string }; over: AbortSignal },
): Promise<'ended' | 'refused'> {
  // AbortSignal.any is not available in all supported browsers.
  const stop = new AbortController();
  over.addEventListener('abort', () => stop.abort(), { signal: stop.signal });
  let timer = setTimeout(() => stop.abort(), SILENCE_MS);
  try {
    const answer = await sendRequest(path, {
      headers: { accept: 'text/event-stream', ...(place.last === '' ? {} : { 'last-event-id': place.last }) },
      signal: stop.signal,
    });
    if (answer.status === 401) return 'refused';
    if (!answer.ok || answer.body === null) return 'ended';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const { done, value = '' } = await reader.read();
      if (done) return 'ended';
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), SILENCE_MS);
      const blocks = (text + value).split(/\r?\n\r?\n/);
      text = blocks.pop() ?? '';
      for (const block of blocks) place.last = dispatch(block, listeners) ?? place.last;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Passes an event to its listener. @returns the event's ID */
function dispatch(block: string, listeners: Listeners): string | undefined {
  const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const valuesOf = (name: string) => fields.filter((field) => field?.[1] === name).map((field) => field?.[2]);
  listeners[valuesOf('event')[0] ?? 'message']?.(valuesOf('data').join('\n'));
  return valuesOf('id')[0];
}

/**
 * Submits forms with `fetch` and displays the response. A form's markup may contain:
 *
 * - `data-passkey="create /path get /path"`, on the form or on one of its buttons: passkey operations to perform first,
 *   in this order, and the paths of their options. Each result is sent with all later requests, in the field
 *   `registration` (create), `assertion` (get) or `evidence` (sign).
 * - `data-auto`: submits the form as soon as it is displayed.
 *
 * An input with `data-from-hash` is filled with the part after "#" in the address, which browsers never send.
 */
function handleForms(): void {
  // Registered on the window, so that a page's own script, which listens on the document, runs first.
  window.addEventListener('submit', (event) => {
    if (event.defaultPrevented || !(event.target instanceof HTMLFormElement)) return;
    event.preventDefault();
    const submitter = event.submitter instanceof HTMLElement ? event.submitter : null;
    void submitForm(event.target, submitter);
  });
}

/** Fills in the inputs with `data-from-hash`, and submits the form with `data-auto`. */
function submitAutomatic(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[data-from-hash]')) {
    input.value = location.hash.slice(1);
  }
  const form = document.querySelector<HTMLFormElement>('form[data-auto]');
  if (form !== null) void submitForm(form, null);
}

async function submitForm(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.dataset.sent !== undefined) return;
  form.dataset.sent = 'yes';
  const buttons = [...form.querySelectorAll('button')];
  for (const button of buttons) button.setAttribute('aria-busy', 'true');
  try {
    const body = bodyOf(form, submitter);
    await passkeySteps(submitter?.dataset.passkey ?? form.dataset.passkey ?? '', body);
    await replacePage(await sendRequest(form.getAttribute('action') ?? location.pathname, { method: 'POST', body }));
    submitAutomatic();
  } catch (error) {
    showFormProblem(form, errorText(error));
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
  if (submitter instanceof HTMLButtonElement && submitter.name !== '') body.append(submitter.name, submitter.value);
  return body;
}

async function passkeySteps(steps: string, body: URLSearchParams): Promise<void> {
  const words = steps.split(' ').filter(Boolean);
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [what, path = ''] = words.slice(at, at + 2);
    const answer = await sendRequest(path, { method: 'POST', body, headers: { accept: 'application/json' } });
    const said = await answer.json();
    if (!answer.ok) throw new RejectedError(typeof said.text === 'string' ? said.text : 'That was rejected.');
    const { createPasskey, getAssertion, signApproval } = await loadPasskeys();
    if (what === 'sign') body.set('evidence', await signApproval(said));
    else if (what === 'create') body.set('registration', JSON.stringify(await createPasskey(said)));
    else body.set('assertion', JSON.stringify(await getAssertion(said)));
  }
}

/** An error with the server's message for the person. */
class RejectedError extends Error {}

/** Returns the message for an error. @param error a named WebAuthn error (Level 3 §5.1), or a failed request */
function errorText(error: unknown): string {
  if (error instanceof RejectedError) return error.message;
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
      return 'Not completed. You canceled, it took too long, or this device has no passkey for this home.';
    case 'InvalidStateError':
      return 'This device already has a passkey for you here. Sign in with it.';
    case 'SecurityError':
      return 'Passkeys work only at the address that this home was set up with, over https or on localhost.';
    case 'NotSupportedError':
      return 'This browser can’t create a passkey with user verification. Use another browser or a security key.';
    default:
      return 'Not sent. Check that your home can be reached, then try again.';
  }
}

function showFormProblem(form: HTMLFormElement, text: string): void {
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

/** Replaces the page with the page in the response. The markup comes from our own server, so it is trusted. */
async function replacePage(answer: Response): Promise<void> {
  if (!answer.headers.get('content-type')?.startsWith(FRAGMENT_MEDIA_TYPE)) {
    return showProblem(`The server's response can't be displayed (${answer.status}). Reload the page.`);
  }
  const template = document.createElement('template');
  template.innerHTML = await answer.text();
  for (const part of ['header', 'main', 'footer']) {
    const [old, fresh] = [document.querySelector(part), template.content.querySelector(part)];
    if (old !== null && fresh !== null) old.replaceWith(fresh);
  }
  const main = document.querySelector('main');
  document.title = main?.dataset.title ?? document.title;
  window.scrollTo(0, 0);
  // Moves the focus to the changed content, where screen readers then continue, and scrolls to a field to correct.
  const field = main?.querySelector<HTMLElement>('[autofocus]');
  if (field == null) main?.querySelector<HTMLElement>('h1[tabindex]')?.focus({ preventScroll: true });
  else field.focus();
  initializePage(main);
}

/** Converts times to the phone's time zone, and loads the page's `data-script`, which must be one of our own assets. */
function initializePage(main: HTMLElement | null): void {
  convertToLocalTimes(document);
  const source = main?.dataset.script;
  if (!source?.startsWith('/phone/assets/')) return;
  const script = document.createElement('script');
  script.type = 'module';
  script.src = source;
  document.head.append(script);
}

function showProblem(text: string): void {
  const paragraph = document.createElement('p');
  paragraph.className = 'problem';
  paragraph.setAttribute('role', 'alert');
  paragraph.dataset.testid = 'problem';
  paragraph.textContent = text;
  document.querySelector('main')?.replaceChildren(paragraph);
}
