import { Hono } from 'hono';
import { deleteCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { cookieNames, setSession } from './browser.ts';
import type { BrowserContext, BrowserEnv } from './browser-env.ts';
import { messagePage, page } from './page.ts';
import type { PhoneServices } from './phone-services.ts';

/** Signing in by password or by a one-time link, and signing out. */
export function createSignInPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get('/signin', (context) => signInPage(context, localPath(context.req.query('next'))));

  app.post('/signin', async (context) => {
    const { username, password, next } = await context.req.parseBody();
    const name = typeof username === 'string' ? username.trim().toLowerCase().slice(0, 64) : '';
    const target = localPath(next);
    const result = services.sessions.signIn(name, typeof password === 'string' ? password : '');
    if (result.status === 'too_many') {
      return signInPage(context, target, 429, 'Too many tries for this user. Wait five minutes.');
    }
    if (result.status === 'refused') {
      return signInPage(context, target, 401, 'That user name and password do not match.');
    }
    setSession(context, services.issuer, result.session);
    return context.redirect(target, 303);
  });

  app.post('/signout', (context) => {
    const { session } = context.var;
    if (session !== undefined) services.sessions.signOut(session);
    deleteCookie(context, cookieNames(services.issuer).session, { path: '/' });
    return context.redirect('/signin', 303);
  });

  app.get('/phone/pair', (context) => {
    // A link that is only being looked at in advance must not be used up.
    if (context.req.header('sec-purpose')?.includes('prefetch')) return context.body(null, 503);
    const session = services.sessions.redeemTicket(context.req.query('ticket') ?? '');
    if (session === undefined) {
      return messagePage(context, 410, {
        title: 'This link no longer works',
        text: 'It signs in once, within ten minutes. Ask for a new one with: trade-agent phone link',
        link: { href: '/signin', text: 'Sign in with a password instead' },
      });
    }
    setSession(context, services.issuer, session);
    return context.redirect('/phone', 303);
  });

  return app;
}

function signInPage(context: BrowserContext, next: string, status: 200 | 401 | 429 = 200, problem?: string) {
  return page(context, {
    title: 'Sign in',
    status,
    body: html`<div class="card">
<h1>Sign in</h1>
${problem === undefined ? '' : html`<p class="problem" role="alert" data-testid="problem">${problem}</p>`}
<form method="post" action="/signin">
<input type="hidden" name="form_token" value="${context.var.formToken}">
<input type="hidden" name="next" value="${next}">
<label for="username">User name</label>
<input type="text" id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required data-testid="username">
<label for="password">Password</label>
<input type="password" id="password" name="password" autocomplete="current-password" required data-testid="password">
<button class="go wide" data-testid="sign-in">Sign in</button>
</form>
</div>
<p class="small soft">The sandbox's users and their passwords are in <span class="mono">seed.json</span> in its folder. Or run <span class="mono">trade-agent phone link</span> for a link that signs you in once.</p>`,
  });
}

/** Only our own pages: a `next` that leads elsewhere would make the sign-in page an open redirect. */
function localPath(next: unknown): string {
  return typeof next === 'string' &&
    /^\/(connections|device|phone)([/?]|$)/.test(next) &&
    !next.includes('\\')
    ? next
    : '/phone';
}
