import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { CONSENT_PATH } from '../identity-provider/protocol/protocol.ts';
import { requireReadableForm } from '../identity-provider/protocol/readable-form.ts';
import { createPasskeyPages } from './authenticator-pages.ts';
import { createConnectionPages } from './connection-pages.ts';
import { createConsentPages } from './consent-pages.ts';
import { readAccountsAfterFills } from './decision/account-after-fill.ts';
import { createDevicePages } from './device-pages.ts';
import { createHaltPages } from './halt-pages.ts';
import { createMandatePages } from './mandate-pages.ts';
import { browserMiddleware } from './page/browser.ts';
import type { BrowserEnv } from './page/browser-env.ts';
import { createInstallFiles } from './page/install-files.ts';
import { createPhoneAssets } from './page/phone-assets.ts';
import { createPairingPages } from './pairing-pages.ts';
import { createPhoneApi } from './phone-api.ts';
import { createDashboardPages, createPhonePages } from './phone-pages.ts';
import type { PhoneServices } from './phone-services.ts';
import { createClientPages } from './program-pages.ts';
import { createPushRoutes } from './push/push-routes.ts';
import { createSessionPages } from './session-pages.ts';
import { createSignInPages } from './sign-in-pages.ts';

/** Returns whether a path belongs to the phone rather than to the provider's protocol endpoints. */
export function isPhonePath(path: string): boolean {
  return (
    ['/device', '/device/confirm', '/device/confirm/options', '/signin', '/signout', '/phone'].includes(path) ||
    path.startsWith('/phone/') ||
    path.startsWith('/signin/') ||
    path.startsWith('/connections/') ||
    path.startsWith(`${CONSENT_PATH}/`)
  );
}

/** Accepts only the methods that pages and programs use. Requires a `Content-Length` for bodies. */
const plainRequests = createMiddleware(async (context, next) => {
  const { method } = context.req;
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    return context.text('Method not allowed', 405, { allow: 'GET, HEAD, POST' });
  }
  if (method === 'POST' && context.req.header('content-length') === undefined) {
    return context.text('Length required', 411);
  }
  return next();
});

export function createPhoneApp(given: PhoneServices): Hono<{ Bindings: HttpBindings }> {
  const { dashboards, clock } = given;
  const services: PhoneServices = {
    ...given,
    accountAfter: dashboards && readAccountsAfterFills((user, account) => dashboards(user).inAccount(account), clock),
  };
  const pages = new Hono<BrowserEnv>();
  pages.use(bodyLimit({ maxSize: 16 * 1024 }));
  pages.use(requireReadableForm);
  pages.use(browserMiddleware(services));
  pages.route('/', createPushRoutes(services.push));
  pages.route('/', createSignInPages(services));
  pages.route('/', createPairingPages(services));
  pages.route('/', createPasskeyPages(services));
  pages.route('/', createSessionPages(services));
  if (services.halting !== undefined) pages.route('/', createHaltPages(services.halting, services));
  if (services.mandating !== undefined) pages.route('/', createMandatePages(services.mandating));
  if (services.dashboards !== undefined) {
    pages.route('/', createDashboardPages(services.dashboards, services));
  }
  pages.route('/', createClientPages(services));
  pages.route('/', createDevicePages(services));
  pages.route('/', createConsentPages(services));
  pages.route('/', createConnectionPages(services));
  pages.route('/', createPhonePages(services));

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(plainRequests);
  app.route('/phone/api', createPhoneApi(services));
  // Otherwise, an unknown API path would reach the pages and their cookies.
  app.all('/phone/api/*', (context) => context.json({ error: 'not_found' }, 404));
  app.route('/', createPhoneAssets());
  app.route('/', createInstallFiles());
  app.route('/', pages);
  return app;
}
