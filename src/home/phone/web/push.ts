import { sendRequest } from './request.ts';

/*
 * Push notifications on the pages: registers the service worker, turns this browser's subscription on and off, reports
 * displayed requests to the server, and removes outdated notifications. The script finds its section by `data-push`,
 * cards by `data-request-id`, and links to cards by `data-show`.
 */

const SUBSCRIPTIONS = '/phone/push/subscriptions';
const json = { accept: 'application/json' };

type State = 'on' | 'off' | 'denied' | 'home-screen' | 'unsupported' | 'not-kept' | 'sign-in';

const stateTexts: Record<State, readonly [text: string, button?: string]> = {
  on: ['This phone notifies you when a request needs your approval.', 'Turn off notifications'],
  off: ['Notifications are off on this phone.', 'Turn on notifications'],
  denied: ['Notifications are blocked for this page. Allow them in the browser’s settings, then reload the page.'],
  'home-screen': [
    'To get notifications on this phone, add this page to the home screen (Share, then “Add to Home Screen”) and open it there.',
  ],
  unsupported: ['This browser does not support notifications.'],
  'not-kept': ['That didn’t work, so notifications are still off. Try again.', 'Turn on notifications'],
  'sign-in': ['Sign in with your passkey to turn on notifications.'],
};

const displayedIds = new Set<string>();
/** The push endpoint that this page has registered with the server. */
let registeredEndpoint: string | undefined;
let busy = false;

export function startPush(): void {
  // Service workers require https, except on localhost. A page without a manifest is not installable and has no notifications.
  if (!('serviceWorker' in navigator) || document.querySelector('link[rel=manifest]') === null) return;
  navigator.serviceWorker.register('/phone/sw.js', { scope: '/phone', updateViaCache: 'none' }).catch(() => undefined);
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.kind === 'open') showCard(String(data.id));
  });
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-push-button]') : null;
    if (button !== null) void toggle();
  });
  document.addEventListener('visibilitychange', () => {
    // The person may have changed permissions in the browser's settings.
    lastSection = null;
    scheduleUpdate();
  });
  // The page's content changes without a reload when requests arrive or scripts replace the page.
  new MutationObserver(() => scheduleUpdate()).observe(document.body, { childList: true, subtree: true });
  scheduleUpdate();
}

let isUpdateScheduled = false;
/** The section that was last updated. While it is on the page, other changes, such as a countdown, cause no update. */
let lastSection: HTMLElement | null = null;

function scheduleUpdate(): void {
  if (isUpdateScheduled) return;
  isUpdateScheduled = true;
  requestAnimationFrame(() => {
    isUpdateScheduled = false;
    reportDisplayed();
    if (busy || section() === lastSection) return;
    lastSection = section();
    void updateState().catch(() => displayState('not-kept'));
  });
}

function reportDisplayed(): void {
  const cards = [...document.querySelectorAll<HTMLElement>('[data-request-id], [data-show]')];
  const idOf = ({ dataset: { requestId, show = '' } }: HTMLElement) => requestId ?? show;
  const waiting = new Set(cards.map(idOf));
  if (document.visibilityState === 'visible') {
    for (const card of cards) {
      const id = idOf(card);
      if (displayedIds.has(id) || !isVisible(card)) continue;
      displayedIds.add(id);
      void post(`/phone/requests/${encodeURIComponent(id)}/seen`);
      void closeNotification(id);
    }
  }
  for (const id of displayedIds) {
    if (waiting.has(id)) continue;
    displayedIds.delete(id);
    void closeNotification(id);
  }
}

function isVisible(element: HTMLElement): boolean {
  return element.getClientRects().length > 0;
}

/** Closes the notification of a request that the person has seen or decided. */
async function closeNotification(id: string): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration('/phone');
  for (const notification of (await registration?.getNotifications()) ?? []) {
    if (notification.data?.id === id) notification.close();
  }
}

function showCard(id: string): void {
  const place = (name: string) => document.querySelector<HTMLElement>(`[${name}="${CSS.escape(id)}"]`);
  // The request's entry in the list of pending requests, which opens the card.
  const listed = place('data-show');
  if (listed !== null) listed.click();
  else place('data-request-id')?.scrollIntoView({ block: 'start' });
}

function section(): HTMLElement | null {
  return document.querySelector<HTMLElement>('[data-push]');
}

/** Shows whether notifications are on. Registers the subscription again, in case the server has lost it. */
async function updateState(): Promise<void> {
  if (section() === null) return;
  const state = unavailableState();
  if (state !== undefined) return displayState(state);
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.getSubscription();
  if (subscription === null || Notification.permission !== 'granted') return displayState('off');
  if (!isOurs(subscription)) {
    // The home's key has changed since the browser subscribed, so the subscription no longer works.
    await subscription.unsubscribe();
    return displayState('off');
  }
  if (registeredEndpoint === subscription.endpoint) return displayState('on');
  await withBusyState(() => registerSubscription(subscription));
}

function unavailableState(): State | undefined {
  if (!('PushManager' in window) || !('Notification' in window)) {
    return /iPhone|iPad/.test(navigator.userAgent) && !isInstalled() ? 'home-screen' : 'unsupported';
  }
  return Notification.permission === 'denied' ? 'denied' : undefined;
}

function isInstalled(): boolean {
  return matchMedia('(display-mode: standalone)').matches;
}

/**
 * Turns notifications on or off. Called only on a tap, because browsers permanently reject permission requests without
 * a tap.
 */
async function toggle(): Promise<void> {
  if (busy) return;
  const isOn = section()?.dataset.state === 'on';
  await withBusyState(async () => {
    const registration = await navigator.serviceWorker.ready;
    const there = await registration.pushManager.getSubscription();
    if (isOn && there !== null) {
      await post(`${SUBSCRIPTIONS}/remove`, { endpoint: there.endpoint });
      await there.unsubscribe();
      registeredEndpoint = undefined;
      return 'off';
    }
    if ((await Notification.requestPermission()) !== 'granted') return unavailableState() ?? 'off';
    const key = section()?.dataset.push ?? '';
    const made =
      there ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
    return await registerSubscription(made);
  });
}

async function registerSubscription(subscription: PushSubscription): Promise<State> {
  const answer = await post(SUBSCRIPTIONS, { subscription: JSON.stringify(subscription) });
  if (answer.status === 403) return 'sign-in';
  if (!answer.ok) return 'not-kept';
  registeredEndpoint = subscription.endpoint;
  return 'on';
}

async function withBusyState(work: () => Promise<State>): Promise<void> {
  busy = true;
  try {
    displayState(await work());
  } catch {
    displayState('not-kept');
  } finally {
    busy = false;
  }
}

function isOurs({ options }: PushSubscription): boolean {
  if (options.applicationServerKey === null) return false;
  const text = String.fromCharCode(...new Uint8Array(options.applicationServerKey));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') === section()?.dataset.push;
}

function displayState(state: State): void {
  const place = section();
  // A failure is shown until the next attempt.
  if (place === null || place.dataset.state === state) return;
  if (state === 'off' && place.dataset.state === 'not-kept') return;
  const [text, button] = stateTexts[state];
  place.dataset.state = state;
  const [said, switched] = [place.querySelector('[data-push-words]'), place.querySelector('button')];
  if (said !== null) said.textContent = text;
  if (switched !== null) {
    switched.textContent = button ?? '';
    switched.hidden = button === undefined;
  }
  place.hidden = false;
}

/** Posts fields with the page's form token, like the page's forms. */
function post(path: string, fields: Record<string, string> = {}): Promise<Response> {
  const token = document.querySelector<HTMLInputElement>('input[name=form_token]')?.value ?? '';
  return sendRequest(path, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token, ...fields }),
    headers: json,
  });
}
