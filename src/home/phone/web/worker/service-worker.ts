/* Service worker of the phone page. Shows push messages and an offline page. Its cache never contains personal data. */

declare const self: ServiceWorkerGlobalScope;

/** URL of the offline page, inserted by the server. It changes with the page's content. */
const SHELL = '%SHELL%';
const CACHE_PREFIX = 'trade-agent ';
const CACHE = CACHE_PREFIX + SHELL;
const PHONE = '/phone';

const kinds = ['ask', 'settled', 'fill', 'access', 'account', 'order'] as const;

interface PushMessage {
  readonly kind: (typeof kinds)[number];
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly again?: boolean;
}

/** Members that are missing from the type definitions (Notifications API §2). */
interface RingOptions extends NotificationOptions {
  readonly renotify?: boolean;
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.mode === 'navigate') event.respondWith(pageOrShell(request));
});
self.addEventListener('push', (event) => event.waitUntil(displayMessage(parseMessage(event.data))));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openCard(String(event.notification.data?.id ?? '')));
});
self.addEventListener('pushsubscriptionchange', (event) => {
  // Asks the person to open the page, because registering the new subscription requires the page's session.
  const title = 'Open this page once to keep notifications on';
  event.waitUntil(self.registration.showNotification(title, { tag: 'subscription', icon: icon(192) }));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(SHELL, { cache: 'reload', credentials: 'omit' }));
  // A new version is activated immediately, because open pages don't depend on the old one.
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** Returns the page, or the offline page if there is no response or only a proxy's error response. */
async function pageOrShell(request: Request): Promise<Response> {
  const shell = async () => (await caches.match(SHELL)) ?? Response.error();
  try {
    const answer = await fetch(request);
    return [502, 503, 504].includes(answer.status) ? await shell() : answer;
  } catch {
    return await shell();
  }
}

function parseMessage(data: PushMessageData | null): PushMessage {
  try {
    const { kind, id, title, body, tag, again } = data?.json() ?? {};
    if ([id, title, body, tag].every((text) => typeof text === 'string')) {
      const known = kinds.find((one) => one === kind) ?? 'ask';
      return { kind: known, id, title, body, tag, again: again === true };
    }
  } catch {
    // Shows a generic notification for unreadable data, because every push must show one.
  }
  return { kind: 'ask', id: '', title: 'Open your phone page', body: '', tag: 'unreadable' };
}

async function displayMessage({ kind, id, title, body, tag, again = false }: PushMessage): Promise<void> {
  if (kind === 'settled') return await withdrawNotification(title, tag);
  const options: RingOptions = {
    body,
    tag,
    renotify: again,
    // A fill or an ended sign-in requires no action, so its notification may disappear by itself.
    requireInteraction: kind === 'ask' || kind === 'account' || kind === 'order',
    icon: icon(192),
    badge: icon(96),
    data: { id },
  };
  await self.registration.showNotification(title, options);
}

/**
 * Closes the notification. iOS and Safari revoke a push subscription if a push shows nothing. There, a silent
 * notification replaces the old one and says that no decision is needed.
 */
async function withdrawNotification(title: string, tag: string): Promise<void> {
  if (isWebKit()) {
    return await self.registration.showNotification(title, { tag, silent: true, icon: icon(192), data: {} });
  }
  for (const notification of await self.registration.getNotifications({ tag })) notification.close();
}

/** Returns whether this is Safari or any browser on iOS. Other user agents with "AppleWebKit" also contain "Chrome". */
function isWebKit(): boolean {
  return /AppleWebKit\//.test(navigator.userAgent) && !/Chrom(e|ium)\//.test(navigator.userAgent);
}

/** Focuses an open window and shows the request's card there, or opens a new window. */
async function openCard(id: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const there = windows.find(({ url }) => new URL(url).pathname === PHONE);
  if (there === undefined) {
    await self.clients.openWindow(id === '' ? PHONE : `${PHONE}?request=${encodeURIComponent(id)}`);
    return;
  }
  there.postMessage({ kind: 'open', id });
  await there.focus();
}

function icon(size: 96 | 192): string {
  return `${PHONE}/icons/${size}.png`;
}

export {};
