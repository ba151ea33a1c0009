import { Hono } from 'hono';
import { html } from 'hono/html';
import { parseAssertionField } from './credential-json.ts';
import { notifyAccountSecurityEvent, signIn, signOut } from './page/browser.ts';
import type { BrowserContext, BrowserEnv } from './page/browser-env.ts';
import { describeKeyError, type Markup, renderMessagePage, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';

export function createSignInPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { keys, limits, people, recovery, sessions } = services;

  app.get('/signin', (context) => signInPage(context, localPath(context.req.query('next'))));

  app.post('/signin/options', async (context) => context.json(await keys.signInOptions()));

  app.post('/signin/passkey', async (context) => {
    const { assertion: given, next } = await context.req.parseBody();
    const target = localPath(next);
    const assertion = parseAssertionField(given);
    if (assertion === undefined)
      return signInPage(context, target, { status: 400, passkeyProblem: 'No passkey responded.' });
    try {
      const key = await keys.signIn(assertion);
      if ((await people.find(key.sub)) === undefined) {
        const passkeyProblem = 'The owner of this passkey is no longer a member of this home.';
        return signInPage(context, target, { status: 403, passkeyProblem });
      }
      const { sub: username, credentialId, deviceType } = key;
      const synced = deviceType === 'multiDevice';
      await signIn(context, services, { username, by: 'passkey', credentialId, synced });
      return context.redirect(target, 303);
    } catch (error) {
      const wait = limits.signIns.take(limits.addressOf(context.env.incoming));
      if (wait !== undefined)
        return signInPage(context, target, { status: 429, passkeyProblem: tooManyAttempts(context, wait) });
      return signInPage(context, target, { status: 401, passkeyProblem: describeKeyError(error).text });
    }
  });

  app.post('/signin/recovery', async (context) => {
    const { username, code, next } = await context.req.parseBody();
    const name = typeof username === 'string' ? username.trim().toLowerCase().slice(0, 64) : '';
    const target = localPath(next);
    const address = limits.addressOf(context.env.incoming);
    const who = `${address} ${name}`;
    const wait = limits.recoveryCodes.wait(who) ?? limits.recoveries.wait(address);
    if (wait !== undefined) {
      const problem = tooManyAttempts(context, wait);
      return signInPage(context, target, { status: 429, recovery: { username: name, problem } });
    }
    if (!(await recovery.check(name, typeof code === 'string' ? code.slice(0, 64) : ''))) {
      limits.recoveryCodes.take(who);
      limits.recoveries.take(address);
      const problem = 'That user name and recovery code do not match.';
      return signInPage(context, target, { status: 401, recovery: { username: name, problem } });
    }
    await signIn(context, services, { username: name, by: 'recovery' });
    notifyAccountSecurityEvent(context, services, { user: name, what: 'recovery_sign_in', name: '' });
    return context.redirect(target, 303);
  });

  app.post('/signout', async (context) => {
    await signOut(context, services);
    // Deletes everything that the browser stores for this address, including the origin key (Clear Site Data §3).
    context.header('clear-site-data', '"storage"');
    return context.redirect('/signin', 303);
  });

  app.get('/phone/link', (context) =>
    renderPage(context, {
      title: 'Sign in',
      body: html`<form method="post" action="/phone/link" data-auto>
<input type="hidden" name="form_token" value="${context.var.formToken}">
<input type="hidden" name="ticket" data-from-hash>
<p>Signing in…</p>
</form>`,
    }),
  );

  app.post('/phone/link', async (context) => {
    const { ticket } = await context.req.parseBody();
    const username = await sessions.redeemTicket(typeof ticket === 'string' ? ticket : '');
    if (username === undefined) {
      return renderMessagePage(context, 410, {
        title: 'This link no longer works',
        text: 'Each link signs in once and expires after ten minutes. Get a new one with: trade-agent phone link --read-only',
        link: { href: '/signin', text: 'Sign in with a passkey' },
      });
    }
    await signIn(context, services, { username, by: 'link' });
    return context.redirect('/phone', 303);
  });

  return app;
}

/** Sets the header `retry-after`, and returns the message. @param wait seconds */
function tooManyAttempts(context: BrowserContext, wait: number): string {
  context.header('retry-after', String(wait));
  const time = wait < 120 ? `${wait} s` : `${Math.ceil(wait / 60)} minutes`;
  return `Too many attempts from your network. Wait ${time}.`;
}

interface FailedSignIn {
  readonly status: 400 | 401 | 403 | 429;
  readonly passkeyProblem?: string;
  /** A failure with the recovery code. The form keeps the user name. */
  readonly recovery?: { readonly username: string; readonly problem: string };
}

function signInPage(context: BrowserContext, next: string, failed?: FailedSignIn) {
  const { about, formToken } = context.var;
  const hidden = html`<input type="hidden" name="form_token" value="${formToken}"><input type="hidden" name="next" value="${next}">`;
  return renderPage(context, {
    title: 'Sign in',
    status: failed?.status ?? 200,
    body: html`<div class="card">
<h1 tabindex="-1">Sign in</h1>
${failed?.passkeyProblem === undefined ? '' : html`<p class="problem" role="alert" data-testid="problem">${failed.passkeyProblem}</p>`}
<form method="post" action="/signin/passkey" data-passkey="get /signin/options">
${hidden}
<button class="go wide" data-testid="sign-in">Sign in with your passkey</button>
<noscript><p class="small soft">A passkey needs JavaScript. The recovery code does not.</p></noscript>
</form>
</div>
<p class="small soft">New phone? On the machine that runs the home, ${
      about.simulated
        ? html`<span class="mono">trade-agent phone link</span> prints a link to set it up. In a browser without passkeys, approve with <span class="mono">trade-agent phone</span>.`
        : html`<span class="mono">trade-agent home pair</span> shows a code to set it up.`
    }</p>
<details class="card" ${failed !== undefined && failed.status !== 400 ? 'open' : ''}>
<summary>Lost your passkey?</summary>
${recoveryForm(hidden, failed?.recovery)}
</details>`,
  });
}

/** Renders the form for the recovery code. After a failure, the code's field says why, and has the focus. */
function recoveryForm(hidden: Markup, failed: FailedSignIn['recovery']): Markup {
  return html`<form method="post" action="/signin/recovery">
${hidden}
<label for="username">User name</label>
<input type="text" id="username" name="username" value="${failed?.username ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required data-testid="username">
<label for="code">Recovery code</label>
<input class="code" type="text" id="code" name="code" maxlength="40" autocomplete="off" autocapitalize="characters" spellcheck="false" required data-testid="recovery-code" ${
    failed === undefined
      ? html`aria-describedby="code-form"`
      : html`aria-describedby="code-problem code-form" aria-invalid="true" autofocus`
  }>
${failed === undefined ? '' : html`<p class="problem" id="code-problem" data-testid="problem">${failed.problem}</p>`}
<p class="small soft" id="code-form">24 letters and digits. Dashes are optional.</p>
<p class="small soft">It lets you view and deny requests, halt trading, and sign out browsers. It can’t approve anything or set up a passkey.</p>
<button class="quiet wide" data-testid="recover">Sign in with the code</button>
</form>`;
}

/** Returns `next` if it is one of our own pages, or else `/phone`, because redirects to other sites are unsafe. */
function localPath(next: unknown): string {
  return typeof next === 'string' &&
    /^\/(authorize\/consent|connections|device|phone)([/?]|$)/.test(next) &&
    !next.includes('\\')
    ? next
    : '/phone';
}
