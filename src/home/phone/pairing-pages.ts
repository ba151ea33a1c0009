import { Hono } from 'hono';
import { html } from 'hono/html';
import { parseRegistrationField } from './credential-json.ts';
import { renderEnvironmentBanner } from './decision/signs.ts';
import { describeBrowser, notifyAccountSecurityEvent, signIn } from './page/browser.ts';
import type { BrowserContext, BrowserEnv } from './page/browser-env.ts';
import { createKeyErrorResponse, renderKeyErrorPage, renderMessagePage, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';

const PAIRING_PATH = '/phone/pair';

/** Returns a pairing link. The secret comes after "#", so no server, log or other page receives it. */
export function formatPairingLink(address: string, secret: string): string {
  return `${address}${PAIRING_PATH}#${secret}`;
}

/**
 * Creates the pages that set up a phone from a link. They show the home and the account, create a passkey, and sign in.
 * Only the last step uses up the link, so the link may be opened early or repeatedly.
 */
export function createPairingPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { keys, people } = services;

  app.get(PAIRING_PATH, (context) =>
    renderPage(context, {
      title: 'Set up this phone',
      body: html`<form method="post" action="${PAIRING_PATH}" data-auto>
<input type="hidden" name="form_token" value="${context.var.formToken}">
<input type="hidden" name="secret" data-from-hash>
<p>Checking your link…</p>
<noscript><p class="problem">Setting up a passkey needs JavaScript.</p></noscript>
</form>`,
    }),
  );

  app.post(PAIRING_PATH, async (context) => {
    const secret = await formSecret(context);
    const pairing = await keys.pairing(secret);
    const person = pairing === undefined ? undefined : await people.find(pairing.sub);
    return person === undefined ? linkExpired(context) : setUpPage(context, secret, person.name);
  });

  app.post(`${PAIRING_PATH}/options`, async (context) => {
    try {
      return context.json(await keys.creationOptions({ secret: await formSecret(context) }));
    } catch (error) {
      return createKeyErrorResponse(context, error);
    }
  });

  app.post(`${PAIRING_PATH}/enrol`, async (context) => {
    const { registration: given, name } = await context.req.parseBody();
    const secret = await formSecret(context);
    const registration = parseRegistrationField(given);
    if ((await keys.pairing(secret)) === undefined) return linkExpired(context);
    if (registration === undefined) {
      return renderMessagePage(context, 400, {
        title: 'No passkey was created',
        text: 'The form contained no passkey. Your link still works, so open the link again.',
      });
    }
    try {
      const key = await keys.enroll({ secret }, registration, passkeyName(context, name));
      const { sub: username, credentialId, deviceType } = key;
      const synced = deviceType === 'multiDevice';
      await signIn(context, services, { username, by: 'passkey', credentialId, synced });
      notifyAccountSecurityEvent(context, services, { user: username, what: 'passkey_added', name: key.name });
    } catch (error) {
      return renderKeyErrorPage(context, error, { href: '/signin', text: 'Sign in with your passkey' });
    }
    return context.redirect('/phone', 303);
  });

  return app;
}

async function formSecret(context: BrowserContext): Promise<string> {
  const { secret } = await context.req.parseBody();
  return typeof secret === 'string' ? secret.slice(0, 128) : '';
}

export function passkeyName(context: BrowserContext, given: unknown): string {
  const name = typeof given === 'string' ? given.trim() : '';
  return name === '' ? describeBrowser(context.req.header('user-agent')) : name;
}

function setUpPage(context: BrowserContext, secret: string, person: string) {
  const { about, formToken } = context.var;
  return renderPage(context, {
    title: 'Set up this phone',
    body: html`<div class="card">
${renderEnvironmentBanner(about.environment)}
<h1 tabindex="-1">Set up this phone</h1>
<p>From now on, this phone approves orders for <strong data-testid="person">${person}</strong> at <strong data-testid="home-name">${about.name}</strong>. You’ll confirm each order with your fingerprint, face or PIN.</p>
<div class="note"><strong>Continue only if you requested this link yourself.</strong>It works once. If someone sent you this link, don’t use it: it’s a scam.</div>
<form method="post" action="${PAIRING_PATH}/enrol" data-passkey="create ${PAIRING_PATH}/options">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="secret" value="${secret}">
<label for="name">Name this passkey</label>
<input type="text" id="name" name="name" value="${describeBrowser(context.req.header('user-agent'))}" maxlength="40" autocomplete="off" data-testid="passkey-name">
<button class="go wide" data-testid="set-up">Set up this phone</button>
</form>
</div>
${
  about.simulated
    ? html`<p class="small soft" data-testid="without-passkeys">No passkeys in this browser? Approve with <span class="mono">trade-agent phone</span>; <span class="mono">trade-agent phone link --read-only</span> opens these pages to view and deny.</p>`
    : ''
}`,
  });
}

function linkExpired(context: BrowserContext) {
  const { about } = context.var;
  return renderMessagePage(context, 410, {
    title: 'This link no longer works',
    text: `Each link sets up one phone and expires after ten minutes. Get a new one on the machine that runs the home: ${
      about.simulated ? 'trade-agent phone link' : 'trade-agent home pair'
    }`,
    link: { href: '/signin', text: 'Already set up? Sign in with your passkey' },
  });
}
