import { Hono } from 'hono';
import { html } from 'hono/html';
import { browserScripts } from '../browser-scripts.ts';
import { iconFiles } from './icon-files.ts';
import { offlinePage, offlinePath, offlinePolicy } from './offline-page.ts';

/** As in the style sheet: the pages' ground, light and dark. */
const ground = { light: '#f4f3ef', dark: '#131519' } as const;

/** Web Application Manifest. The sign-in page belongs to the app too, or a phone would show it in another browser. */
const manifest = {
  id: '/phone',
  name: 'trade-agent',
  short_name: 'trade-agent',
  description: 'Approve or deny what your trading agent proposes.',
  lang: 'en',
  start_url: '/phone',
  scope: '/',
  display: 'standalone',
  background_color: ground.light,
  theme_color: ground.light,
  icons: [
    { src: '/phone/icons/192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
    { src: '/phone/icons/512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
    { src: '/phone/icons/maskable.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
} as const;

/** What a page's head says to be installed. */
export function installHead(): ReturnType<typeof html> {
  return html`<link rel="manifest" href="/phone/manifest.webmanifest">
<link rel="icon" type="image/png" sizes="192x192" href="/phone/icons/192.png">
<link rel="apple-touch-icon" href="/phone/icons/apple.png">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="${ground.light}">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="${ground.dark}">`;
}

const HOUR = 'public, max-age=3600';
const everyFile = { 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' };

/** Makes an app of the page: manifest, icons, service worker, and what that shows offline. To anybody: nothing is anybody's. */
export function createInstallFiles(): Hono {
  const app = new Hono();
  app.get('/phone/manifest.webmanifest', (context) =>
    context.body(JSON.stringify(manifest), 200, {
      ...everyFile,
      'content-type': 'application/manifest+json',
      'cache-control': HOUR,
    }),
  );
  for (const [name, base64] of Object.entries(iconFiles)) {
    app.get(`/phone/icons/${name}.png`, (context) =>
      context.body(Uint8Array.from(Buffer.from(base64, 'base64')), 200, {
        ...everyFile,
        'content-type': 'image/png',
        'cache-control': HOUR,
      }),
    );
  }
  app.get(offlinePath, (context) =>
    context.html(offlinePage, 200, {
      ...everyFile,
      'content-security-policy': offlinePolicy,
      'cache-control': 'no-cache',
    }),
  );
  app.get('/phone/sw.js', (context) =>
    context.body(browserScripts()['service-worker.js'].replaceAll('%SHELL%', offlinePath), 200, {
      ...everyFile,
      'content-type': 'text/javascript; charset=utf-8',
      // Browsers look for another one at each visit.
      'cache-control': 'no-cache',
      // One level above its own folder: the page itself is /phone.
      'service-worker-allowed': '/phone',
      'content-security-policy': "default-src 'none'; connect-src 'self'",
    }),
  );
  return app;
}
