import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { ApprovalKeys } from '../../../approval/keys/approval-keys.ts';
import { failpoint } from '../../../machine/failpoint.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { PeopleStore } from '../../../store/home/people.ts';
import type { SessionStore } from '../../../store/home/sessions.ts';
import { type NewSession, SESSION_LIFETIME_MS, type Session } from '../../../store/home/sessions.ts';
import type { BrowserContext, BrowserEnv, HomeDescription } from './browser-env.ts';
import { RELOAD_PARAMETER, renderMessagePage, renderShellPage } from './page.ts';

/** A sign-in with a recovery code, or a change to the passkeys. An intruder may have caused either. */
export interface AccountSecurityEvent {
  readonly user: string;
  readonly what: 'passkey_added' | 'passkey_removed' | 'recovery_sign_in';
  /** The passkey's name, or an empty string for a sign-in. */
  readonly name: string;
  /** The browser that made the change, such as `Safari on iPhone`. Unverified. */
  readonly browser: string;
  /** The session that made the change, whose browser is not notified. Undefined if no session made it. */
  readonly session: string | undefined;
}

export interface BrowserServices {
  readonly issuer: string;
  readonly about: HomeDescription;
  readonly keys: ApprovalKeys;
  readonly people: PeopleStore;
  readonly sessions: SessionStore;
  /** Undefined if the provider runs without a gateway. */
  readonly halting?: object | undefined;
  readonly dashboards?: object | undefined;
  readonly push: {
    tellAccount(event: AccountSecurityEvent): void;
  };
}

/** Header with the origin key, which servers on other ports of this machine can't read. */
export const ORIGIN_KEY_HEADER = 'x-phone-key';
/** Header that replaces redirects for scripts, because `fetch` would follow a redirect and load the page twice. */
export const LOCATION_HEADER = 'x-phone-location';

/**
 * Returns the cookies' names and attributes. Over https, a cookie belongs only to this origin (`__Host-`, RFC 6265bis
 * §4.1.3.2). Without https, servers on every port of this machine receive it. The port in the cookie's name only
 * distinguishes two homes.
 */
function sessionCookies(issuer: string) {
  const { port, protocol } = new URL(issuer);
  const secure = protocol === 'https:';
  const name = (what: string) => (secure ? `__Host-trade_agent_${what}` : `trade_agent_${what}_${port || '80'}`);
  const attributes = { httpOnly: true, sameSite: 'Lax', path: '/', secure } as const;
  return { secure, session: name('session'), browser: name('browser'), attributes };
}

/** Signs the browser in. Without https, this requires the origin key that the browser's script has sent. */
export async function signIn(
  context: BrowserContext,
  services: BrowserServices,
  session: Omit<NewSession, 'browser' | 'key'>,
): Promise<void> {
  const cookies = sessionCookies(services.issuer);
  // A browser has only one session, so its earlier session ends. The page then renews its push subscription.
  const { session: earlier } = context.var;
  if (earlier !== undefined) await services.sessions.end(earlier.username, earlier.id);
  const secret = await services.sessions.open({
    ...session,
    browser: describeBrowser(context.req.header('user-agent')),
    key: context.var.key,
  });
  failpoint('session.opened');
  // The cookie lasts as long as the session, so that a page is still signed in when a push opens it.
  setCookie(context, cookies.session, secret, { ...cookies.attributes, maxAge: SESSION_LIFETIME_MS / 1000 });
}

/** Notifies a person's other browsers about a change made in this browser. */
export function notifyAccountSecurityEvent(
  { req, var: { session } }: BrowserContext,
  { push }: Pick<BrowserServices, 'push'>,
  event: Pick<AccountSecurityEvent, 'user' | 'what' | 'name'>,
): void {
  const own = session?.username === event.user ? session.id : undefined;
  push.tellAccount({ ...event, browser: describeBrowser(req.header('user-agent')), session: own });
}

export async function signOut(context: BrowserContext, services: BrowserServices): Promise<void> {
  const { session } = context.var;
  const cookies = sessionCookies(services.issuer);
  if (session !== undefined) await services.sessions.end(session.username, session.id);
  deleteCookie(context, cookies.session, { path: '/', secure: cookies.secure });
}

/**
 * Identifies the person, sets the security headers, and rejects forms that did not come from our own pages. A form must
 * contain a token for this browser and session. If the browser reports the request's origin, it must be this origin
 * (Fetch Metadata). An `Origin` of `null` proves nothing, because `no-referrer` causes it.
 *
 * Without https, a request without the origin key gets an empty document, even if it has cookies. A GET request never
 * changes anything. For example, opening a sign-in link does not use up the link.
 */
export function browserMiddleware(services: BrowserServices) {
  const { issuer, sessions } = services;
  const { secure, ...cookies } = sessionCookies(issuer);
  const recognize = async (context: BrowserContext): Promise<void> => {
    const given = context.req.header(ORIGIN_KEY_HEADER) ?? '';
    const key = /^[A-Za-z0-9_-]{43}$/.test(given) ? given : undefined;
    const cookie = secure || key !== undefined ? getCookie(context, cookies.session) : undefined;
    const found = await sessions.find(cookie, {
      key: secure ? undefined : key,
      isTheirs: isUserActivity(context),
    });
    const session = found !== undefined && (await isValidSession(found, services)) ? found : undefined;
    const browser = secure ? browserId(context, cookies) : (key ?? '');
    context.set('about', services.about);
    context.set('canHalt', services.halting !== undefined);
    context.set('canLook', services.dashboards !== undefined);
    context.set('installable', true);
    context.set('places', []);
    context.set('key', key);
    context.set('session', session);
    context.set('user', session && (await services.people.find(session.username)));
    context.set('formToken', sessions.formToken(browser, session));
  };
  const isOurForm = async (context: BrowserContext): Promise<boolean> => {
    const { form_token: token } = await context.req.parseBody();
    const right = typeof token === 'string' && isSameSecret(token, context.var.formToken);
    return right && !isCrossSite(context, issuer);
  };
  return createMiddleware<BrowserEnv>(async (context, next) => {
    setSecurityHeaders(context, secure);
    await recognize(context);
    const { key } = context.var;
    const unkeyed = !secure && key === undefined;
    if (context.req.method === 'POST') {
      if (unkeyed || !(await isOurForm(context))) return stalePage(context);
    } else if (unkeyed) return renderShellPage(context);
    await next();
    const location = context.res.headers.get('location');
    if (key === undefined || location === null) return;
    context.res.headers.delete('location');
    context.res = new Response(null, { status: 204, headers: { [LOCATION_HEADER]: location } });
  });
}

function stalePage(context: BrowserContext) {
  return renderMessagePage(context, 403, {
    title: 'This page is out of date',
    text: 'The page was opened a while ago or from another site. Go back, reload the page, and try again.',
  });
}

/**
 * Returns whether the person made the request, as opposed to the page. The page's own requests (event streams, reports
 * of displayed requests and of subscriptions, reloads without script) do not extend a session.
 */
function isUserActivity({ req }: BrowserContext): boolean {
  const { path } = req;
  const isStream = req.header('accept') === 'text/event-stream';
  const isTold = path.startsWith('/phone/push/') || /^\/phone\/requests\/[^/]+\/seen$/.test(path);
  return !isStream && !isTold && req.query(RELOAD_PARAMETER) === undefined;
}

/** Returns the browser's ID from a cookie, and sets a missing cookie. Used over https, where there is no origin key. */
function browserId(
  context: Context,
  { browser: name, attributes }: Pick<ReturnType<typeof sessionCookies>, 'browser' | 'attributes'>,
): string {
  const known = getCookie(context, name);
  if (known !== undefined && /^[A-Za-z0-9_-]{22}$/.test(known)) return known;
  const made = randomBytes(16).toString('base64url');
  setCookie(context, name, made, attributes);
  return made;
}

function isCrossSite(context: Context, issuer: string): boolean {
  const site = context.req.header('sec-fetch-site');
  const origin = context.req.header('origin');
  return (
    (site !== undefined && site !== 'same-origin') || (origin !== undefined && origin !== 'null' && origin !== issuer)
  );
}

/** Allows a form's response to redirect to the URL's origin, which `form-action` otherwise blocks (CSP 3 §6.4.2). */
export function allowFormRedirect(context: Context, url: string): void {
  const { origin, protocol } = new URL(url);
  // An app's own scheme has no origin.
  context.header('content-security-policy', contentSecurityPolicy(`'self' ${origin === 'null' ? protocol : origin}`));
}

function contentSecurityPolicy(formAction: string): string {
  return `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`;
}

export function setSecurityHeaders(context: Context, secure: boolean): void {
  context.header('content-security-policy', contentSecurityPolicy("'self'"));
  context.header('referrer-policy', 'no-referrer');
  context.header('x-content-type-options', 'nosniff');
  context.header('x-frame-options', 'DENY');
  context.header('cross-origin-opener-policy', 'same-origin');
  context.header('cross-origin-resource-policy', 'same-origin');
  if (secure) context.header('strict-transport-security', 'max-age=31536000');
  context.header('cache-control', 'no-store');
}

const browsers: readonly [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bChrom(?:e|ium)\/|\bHeadlessChrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systems: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bMac OS X\b/, 'Mac'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** Describes a browser, as in `Safari on iPhone`. Uses only known names, because a user agent can contain any text. */
export function describeBrowser(userAgent: string | undefined): string {
  const match = (all: readonly [RegExp, string][]) => all.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1];
  const [browser, system] = [match(browsers), match(systems)];
  if (browser === undefined) return system ?? 'Unknown browser';
  return system === undefined ? browser : `${browser} on ${system}`;
}

/**
 * Returns whether a session is valid. A session opened with a passkey ends when that passkey is removed, even if the
 * removal was interrupted.
 */
export async function isValidSession(
  { id, username, credentialId }: Session,
  { keys, sessions }: Pick<BrowserServices, 'keys' | 'sessions'>,
): Promise<boolean> {
  if (!(await sessions.isOpen(id))) return false;
  if (credentialId === undefined) return true;
  if ((await keys.list(username)).some((key) => key.credentialId === credentialId)) return true;
  await sessions.endOf(username, credentialId);
  return false;
}
