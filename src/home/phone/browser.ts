import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import { sameSecret } from '../identity-provider/constant-time.ts';
import type { BrowserContext, BrowserEnv } from './browser-env.ts';
import { messagePage } from './page.ts';
import type { PhoneServices } from './phone-services.ts';

/** Cookies don't know ports: the port in the name keeps two sandboxes on one machine apart. */
export function cookieNames(issuer: string): { session: string; browser: string } {
  const { port } = new URL(issuer);
  return { session: `sandbox_session_${port}`, browser: `sandbox_browser_${port}` };
}

const cookie = { httpOnly: true, sameSite: 'Lax', path: '/' } as const;

export function setSession(context: BrowserContext, issuer: string, session: string): void {
  setCookie(context, cookieNames(issuer).session, session, { ...cookie, maxAge: 7 * 24 * 3600 });
}

/**
 * Finds out who is there, sets the security headers, and refuses a form that did not come from one of our own pages:
 * it must carry a token made for this browser and session, and a browser that says where the request came from must
 * say here (Fetch Metadata; under `no-referrer`, a form's Origin is `null` and tells nothing).
 */
export function browserMiddleware(services: PhoneServices) {
  const names = cookieNames(services.issuer);
  return createMiddleware<BrowserEnv>(async (context, next) => {
    const session = getCookie(context, names.session);
    let browser = getCookie(context, names.browser);
    const knownBrowser = browser !== undefined && /^[A-Za-z0-9_-]{22}$/.test(browser);
    if (!knownBrowser || browser === undefined) {
      browser = randomBytes(16).toString('base64url');
      setCookie(context, names.browser, browser, cookie);
    }
    const user = services.sessions.user(session);
    const formToken = services.sessions.formToken(browser, user === undefined ? undefined : session);
    context.set('user', user);
    context.set('session', user === undefined ? undefined : session);
    context.set('formToken', formToken);
    securityHeaders(context);

    if (context.req.method === 'POST') {
      const { form_token: given } = await context.req.parseBody();
      const site = context.req.header('sec-fetch-site');
      const origin = context.req.header('origin');
      const elsewhere =
        (site !== undefined && site !== 'same-origin') ||
        (origin !== undefined && origin !== 'null' && origin !== services.issuer);
      if (!knownBrowser || elsewhere || typeof given !== 'string' || !sameSecret(given, formToken)) {
        return messagePage(context, 403, {
          title: 'This page is out of date',
          text: 'It was opened a while ago, or from another site. Go back, load it again, and repeat what you did.',
        });
      }
    }
    return next();
  });
}

function securityHeaders(context: Context): void {
  context.header(
    'content-security-policy',
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  context.header('referrer-policy', 'no-referrer');
  context.header('x-content-type-options', 'nosniff');
  context.header('x-frame-options', 'DENY');
  context.header('cross-origin-opener-policy', 'same-origin');
  context.header('cache-control', 'no-store');
}
