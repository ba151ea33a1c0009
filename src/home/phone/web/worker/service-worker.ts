/*
 * The phone page's service worker: shows what is pushed, and says so where the home is out of reach. It keeps one page
 * that is nobody's; nothing of a person's is ever in its cache.
 */

declare const self: ServiceWorkerGlobalScope;

/** The shell's address, put in by the server; another one when it says something else. */
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

/** What the types leave out (Notifications API §2). */
interface RingOptions extends NotificationOptions {
  readonly renotify?: boolean;
}

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.mode === 'navigate') event.respondWith(orShell(request));
});
self.addEventListener('push', (event) => event.waitUntil(show(read(event.data))));
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(String(event.notification.data?.id ?? '')));
});
self.addEventListener('pushsubscriptionchange', (event) => {
  // Only the page, with its session, can hand the new one in.
  const title = 'Open this once, so that it rings again';
  event.waitUntil(self.registration.showNotification(title, { tag: 'subscription', icon: icon(192) }));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.add(new Request(SHELL, { cache: 'reload', credentials: 'omit' }));
  // A new version has nothing to wait for: pages hold nothing of the old one's.
  await self.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The page itself; the shell where there is no answer, or only that of a proxy which has none. */
async function orShell(request: Request): Promise<Response> {
  const shell = async () => (await caches.match(SHELL)) ?? Response.error();
  try {
    const answer = await fetch(request);
    return [502, 503, 504].includes(answer.status) ? await shell() : answer;
  } catch {
    return await shell();
  }
}

function read(data: PushMessageData | null): PushMessage {
  try {
    const { kind, id, title, body, tag, again } = data?.json() ?? {};
    if ([id, title, body, tag].every((text) => typeof text === 'string')) {
      const known = kinds.find((one) => one === kind) ?? 'ask';
      return { kind: known, id, title, body, tag, again: again === true };
    }
  } catch {
    // Not ours to read, but a push must show something.
  }
  return { kind: 'ask', id: '', title: 'Look at your phone’s page', body: '', tag: 'unreadable' };
}

async function show({ kind, id, title, body, tag, again = false }: PushMessage): Promise<void> {
  if (kind === 'settled') return await settle(title, tag);
  const options: RingOptions = {
    body,
    tag,
    renotify: again,
    // There is nothing to do about a fill, or a sign-in that ended: it may go by itself.
    requireInteraction: kind === 'ask' || kind === 'account' || kind === 'order',
    icon: icon(192),
    badge: icon(96),
    data: { id },
  };
  await self.registration.showNotification(title, options);
}

/**
 * Takes it off the screen. On iOS, and in Safari, each push must show something, or the subscription is taken away: there
 * the notification is replaced, without a sound, by one that says that nothing is left to decide.
 */
async function settle(title: string, tag: string): Promise<void> {
  if (isWebKit()) {
    return await self.registration.showNotification(title, { tag, silent: true, icon: icon(192), data: {} });
  }
  for (const notification of await self.registration.getNotifications({ tag })) notification.close();
}

/** Every browser of iOS, and Safari: whoever else claims to be AppleWebKit says Chrome, too. */
function isWebKit(): boolean {
  return /AppleWebKit\//.test(navigator.userAgent) && !/Chrom(e|ium)\//.test(navigator.userAgent);
}

/** A window that is there, at that card; else a new one. */
async function open(id: string): Promise<void> {
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
