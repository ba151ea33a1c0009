import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Person } from '../../store/home/people.ts';
import type { DeviceLookup, DeviceRequest } from '../identity-provider/device-codes.ts';
import type { SignedGrants } from '../identity-provider/signed-grants.ts';
import { readConsent, renderLifetimeField, respondWithSigningOptions, signingAttribute } from './grant-form.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import { redirectToSignIn, renderKeyErrorPage, renderMessagePage, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';
import { describeSignInScopes } from './scope-words.ts';

const problems: Record<Exclude<DeviceLookup['status'], 'waiting'>, string> = {
  unknown: 'No device is waiting with this code. Compare it with the one on your screen.',
  expired: 'This code has expired. Start the sign-in again on your device.',
  used: 'This code was already used. Start the sign-in again on your device.',
};

/** Creates the device flow's pages (RFC 8628 §3.3): entering the code, signing in, and giving consent. */
export function createDevicePages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { deviceCodes: guesses, addressOf } = services.limits;

  const lookUp = async (context: BrowserContext, user: Person, userCode: string): Promise<DeviceRequest | Response> => {
    const guesser = `${addressOf(context.env.incoming)} ${user.username}`;
    const wait = guesses.wait(guesser);
    if (wait !== undefined) {
      context.header('retry-after', String(wait));
      return codePage(context, '', 429, `Too many wrong codes. Try again in ${wait} s.`);
    }
    const lookup = await services.deviceCodes.find(userCode);
    if (lookup.status === 'waiting') return lookup.request;
    if (lookup.status === 'unknown') guesses.take(guesser);
    return codePage(context, userCode, lookup.status === 'unknown' ? 404 : 410, problems[lookup.status]);
  };

  app.get('/device', (context) => codePage(context, formCode(context.req.query('user_code'))));

  app.post('/device', async (context) => {
    const { user } = context.var;
    const { user_code: given } = await context.req.parseBody();
    const userCode = formCode(given);
    // Shows only to signed-in people whether a code is valid, so that strangers can't guess codes.
    if (user === undefined) return redirectToSignIn(context, confirmPath(userCode));
    const found = await lookUp(context, user, userCode);
    if (found instanceof Response) return found;
    return context.redirect(confirmPath(found.userCode), 303);
  });

  app.get('/device/confirm', async (context) => {
    const userCode = formCode(context.req.query('user_code'));
    const { user } = context.var;
    if (user === undefined) return redirectToSignIn(context, confirmPath(userCode));
    const found = await lookUp(context, user, userCode);
    return found instanceof Response ? found : consentPage(context, found, services.signed);
  });

  app.post('/device/confirm/options', async (context) => {
    const { user } = context.var;
    const userCode = formCode((await context.req.parseBody()).user_code);
    if (user === undefined) return redirectToSignIn(context, confirmPath(userCode));
    return await respondWithSigningOptions(context, services.signed, async (days) => {
      const found = await lookUp(context, user, userCode);
      if (found instanceof Response) return found;
      const details = await services.deviceCodes.details(userCode, user.username, days);
      return 'status' in details ? codePage(context, userCode, 410, problems[details.status]) : details;
    });
  });

  app.post('/device/confirm', async (context) => {
    const { user } = context.var;
    const { user_code: given, decision } = await context.req.parseBody();
    const userCode = formCode(given);
    if (user === undefined) return redirectToSignIn(context, confirmPath(userCode));
    const found = await lookUp(context, user, userCode);
    if (found instanceof Response) return found;
    const consent = decision === 'allow' ? await readConsent(context, services.signed) : undefined;
    if (consent instanceof Response) return consent;
    try {
      const decided = await services.deviceCodes.decide(userCode, user.username, consent);
      if (decided.status !== 'waiting') return codePage(context, userCode, 410, problems[decided.status]);
    } catch (error) {
      return renderKeyErrorPage(context, error, { href: confirmPath(userCode), text: 'Try again' });
    }
    return consent === undefined ? deniedPage(context) : signedInPage(context, found, user);
  });

  return app;
}

function formCode(given: unknown): string {
  return typeof given === 'string' ? given.slice(0, 32) : '';
}

function confirmPath(userCode: string): string {
  return `/device/confirm?${new URLSearchParams({ user_code: userCode })}`;
}

function deniedPage(context: BrowserContext) {
  return renderMessagePage(context, 200, {
    title: 'Sign-in denied',
    text: 'The device was not signed in. If somebody sent you that code, they got no access.',
    link: { href: '/phone', text: 'Go to your phone' },
  });
}

function signedInPage(context: BrowserContext, { clientName, deviceName }: DeviceRequest, { name }: Person) {
  return renderPage(context, {
    title: 'Signed in',
    body: html`<div class="card" data-testid="device-done">
<h1>You're signed in</h1>
<p>${clientName}${deviceName === undefined ? '' : html` on <strong>${deviceName}</strong>`} now acts as ${name}. Return to the device.</p>
<p>It can't place orders without you: each one needs your approval here or a mandate that you approved.</p>
<p><a class="go wide" href="/phone" data-testid="phone-link">Approve orders here</a></p>
</div>`,
  });
}

function codePage(context: BrowserContext, userCode: string, status: 200 | 404 | 410 | 429 = 200, problem?: string) {
  return renderPage(context, {
    title: 'Connect a device',
    status,
    body: html`<div class="card">
<h1>Connect a device</h1>
<p class="soft">Enter the code your terminal shows.</p>
${problem === undefined ? '' : html`<p class="problem" role="alert" data-testid="problem">${problem}</p>`}
<form method="post" action="/device">
<input type="hidden" name="form_token" value="${context.var.formToken}">
<label for="user_code">Code</label>
<input class="code" type="text" id="user_code" name="user_code" value="${userCode}" placeholder="XXXX-XXXX" maxlength="16" autocomplete="off" autocapitalize="characters" spellcheck="false" required data-testid="user-code">
<button class="go wide" data-testid="continue">Continue</button>
</form>
</div>`,
  });
}

function consentPage(context: BrowserContext, request: DeviceRequest, signed: SignedGrants) {
  return renderPage(context, {
    title: 'Sign in this device?',
    body: html`<div class="card">
<h1>Sign in this device?</h1>
<p><strong data-testid="client-name">${request.clientName}</strong>${
      request.deviceName === undefined
        ? ' wants to act as you.'
        : html`, on a device that calls itself <strong data-testid="device-name">${request.deviceName}</strong>, wants to act as you.`
    }</p>
${request.address === undefined ? '' : html`<p class="soft small">The request came from the network address <span class="mono" data-testid="device-address">${request.address}</span>.</p>`}
<div class="codebox"><span class="soft small">Your terminal must show<br>the same code</span><span class="value" data-testid="device-code">${request.userCode}</span></div>
<div class="note"><strong>Continue only if you started this yourself.</strong>If someone sent you this code, don’t use it: it’s a scam.</div>
${
  request.use === 'mcp'
    ? html`<div class="note" data-testid="mcp-note"><strong>This is for an agent other than trade-agent.</strong>It gets access only to <span class="mono">/mcp</span> here, and its proposals are marked as its words, not yours.</div>`
    : ''
}
${
  request.server === undefined
    ? ''
    : html`<div class="note" data-testid="server-note"><strong>This is for the server ${new URL(request.server).host}.</strong>The device gets access only to that server. The server then acts for you here until you sign the device out.</div>`
}
<p>It will be able to:</p>
<ul data-testid="scopes">${describeSignInScopes(request.scopes, request.use).map((line) => html`<li>${line}</li>`)}</ul>
<p class="soft small">It can’t place orders without you: each one needs your approval here or a mandate that you approved.</p>
<form method="post" action="/device/confirm">
<input type="hidden" name="form_token" value="${context.var.formToken}">
<input type="hidden" name="user_code" value="${request.userCode}">
${hasFullAccess(context) ? renderLifetimeField() : ''}
<div class="pair">
<button class="stop" name="decision" value="refuse" data-testid="refuse">Don’t allow</button>
${hasFullAccess(context) ? html`<button class="go" name="decision" value="allow" ${signingAttribute(signed, '/device/confirm/options')} data-testid="allow">Allow</button>` : ''}
</div>
</form>
</div>`,
  });
}
