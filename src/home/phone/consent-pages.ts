import { Hono } from 'hono';
import { html } from 'hono/html';
import { PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import type { ConsentRequest } from '../identity-provider/authorization/consents.ts';
import { CONSENT_PATH } from '../identity-provider/protocol/protocol.ts';
import type { SignedGrants } from '../identity-provider/signed-grants.ts';
import { readConsent, renderLifetimeField, respondWithSigningOptions, signingAttribute } from './grant-form.ts';
import { allowFormRedirect } from './page/browser.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import { redirectToSignIn, renderKeyErrorPage, renderMessagePage, renderPage } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';
import { scopeWords } from './scope-words.ts';

/** Creates the consent page (RFC 6749 §4.1.1), which shows the client, the access, and who receives the response. */
export function createConsentPages({ authorized, consents, signed }: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const path = `${CONSENT_PATH}/:id`;

  app.get(path, async (context) => {
    const { user } = context.var;
    const id = context.req.param('id');
    if (user === undefined) return redirectToSignIn(context, `${CONSENT_PATH}/${id}`);
    const request = await consents.find(context.env, id);
    if (request === undefined) return requestOver(context);
    const clients = await authorized.list(user.username);
    const known = clients.some(({ clientId }) => clientId === request.clientId);
    return consentPage(context, request, { id, known, signed });
  });

  app.post(`${path}/options`, async (context) => {
    const { user } = context.var;
    const id = context.req.param('id');
    if (user === undefined) return redirectToSignIn(context, `${CONSENT_PATH}/${id}`);
    return await respondWithSigningOptions(context, signed, async (days) => {
      const details = await consents.details(context.env, id, user.username, days);
      return details ?? requestOver(context);
    });
  });

  app.post(path, async (context) => {
    const { user } = context.var;
    const id = context.req.param('id');
    if (user === undefined) return redirectToSignIn(context, `${CONSENT_PATH}/${id}`);
    const request = await consents.find(context.env, id);
    if (request === undefined) return requestOver(context);
    const { decision } = await context.req.parseBody();
    if (decision !== 'allow' && decision !== 'deny') return context.redirect(`${CONSENT_PATH}/${id}`, 303);
    const consent = decision === 'allow' ? await readConsent(context, signed) : undefined;
    if (consent instanceof Response) return consent;
    try {
      const back = await consents.decide(context.env, id, user.username, consent);
      return back === undefined ? requestOver(context) : context.redirect(back, 303);
    } catch (error) {
      return renderKeyErrorPage(context, error, { href: `${CONSENT_PATH}/${id}`, text: 'Try again' });
    }
  });

  return app;
}

function requestOver(context: BrowserContext) {
  return renderMessagePage(context, 410, {
    title: 'There is nothing to decide here',
    text: 'The app that sent you here is no longer waiting, or is waiting for another browser. Start again there.',
    link: { href: '/phone', text: 'Go to your phone' },
  });
}

function consentPage(
  context: BrowserContext,
  request: ConsentRequest,
  { id, known, signed }: { readonly id: string; readonly known: boolean; readonly signed: SignedGrants },
) {
  const { name, host, hasDocument, redirectUri, answeredAt, isLocal, isOfApp, scopes } = request;
  allowFormRedirect(context, redirectUri);
  return renderPage(context, {
    title: 'Allow this app?',
    body: html`<div class="card" data-testid="consent">
<h1 tabindex="-1">Allow this app?</h1>
<p>An app that calls itself <strong data-testid="client-name">${name}</strong> wants to act as you.</p>
<p class="soft small" data-testid="client-note">${known ? 'You have allowed it before.' : 'You have not allowed it before.'} Nobody has verified its name${
      hasDocument ? html`; it identifies itself at <strong data-testid="client-host">${host}</strong>` : ''
    }.</p>
<p>Your decision is sent to <strong class="mono" data-testid="redirect-host">${answeredAt}</strong><br><span class="soft small mono" data-testid="redirect">${redirectUri}</span></p>
<div class="note"><strong>Continue only if you started this yourself.</strong>If a message or an unrelated page led you here, it’s a scam.</div>
${
  isLocal
    ? html`<div class="note" data-testid="local-warning"><strong>Your decision goes to an app on this device${isOfApp ? html`, the one that opens <span class="mono">${answeredAt}</span> addresses` : ''}.</strong>Any app on this device could use this name.</div>`
    : ''
}
<p>It will be able to:</p>
<ul data-testid="scopes">${scopes.map((scope) => html`<li>${scopeWords[scope] ?? scope}</li>`)}</ul>
<p class="soft small">${
      scopes.includes(PROPOSE_ORDERS_SCOPE)
        ? 'It can propose orders. Each one comes to this phone, and none is placed without your approval.'
        : 'It can’t propose orders.'
    } You can remove it at any time under Apps.</p>
<form method="post" action="${CONSENT_PATH}/${id}">
<input type="hidden" name="form_token" value="${context.var.formToken}">
${hasFullAccess(context) ? renderLifetimeField() : ''}
<div class="pair">
<button class="stop" name="decision" value="deny" data-testid="deny">Deny</button>
${hasFullAccess(context) ? html`<button class="go" name="decision" value="allow" ${signingAttribute(signed, `${CONSENT_PATH}/${id}/options`)} data-testid="allow">Allow</button>` : ''}
</div>
</form>
${hasFullAccess(context) ? '' : html`<p><a href="/signin?${new URLSearchParams({ next: `${CONSENT_PATH}/${id}` })}" data-testid="passkey-sign-in">Sign in with your passkey</a> to allow it.</p>`}
</div>`,
  });
}
