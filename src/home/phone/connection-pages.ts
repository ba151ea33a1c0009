import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ConnectionRequest } from '../identity-provider/connection-requests.ts';
import { CONNECT_PATH } from '../identity-provider/protocol/protocol.ts';
import type { SignedGrants } from '../identity-provider/signed-grants.ts';
import { VaultError } from '../identity-provider/third-party.ts';
import { readConsent, respondWithSigningOptions, signingAttribute } from './grant-form.ts';
import { type BrowserContext, type BrowserEnv, hasFullAccess } from './page/browser-env.ts';
import {
  redirectToSignIn,
  renderKeyErrorPage,
  renderMessagePage,
  renderPage,
  renderPasskeyRequiredPage,
} from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';
import { thirdPartyScopeWords } from './scope-words.ts';

/** Creates the pages for connecting an account: the signed request, the redirect to the third party, and the return. */
export function createConnectionPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();
  const { connections, signed } = services;

  app.get(CONNECT_PATH, async (context) => {
    const { user } = context.var;
    const { ticket = '', connection } = context.req.query();
    const wanted = connection === undefined ? { ticket } : { connection };
    if (user === undefined) return redirectToSignIn(context, `${CONNECT_PATH}?${new URLSearchParams(wanted)}`);
    if (!hasFullAccess(context)) return renderPasskeyRequiredPage(context);
    if (connection !== undefined) return await ownConnection(context, services, user.username, connection);
    const request = await connections.byTicket(ticket);
    // The page doesn't reveal whose link it is, because someone else may have sent the link to this person.
    if (request === undefined || request.user !== user.username) {
      return renderMessagePage(context, 403, {
        title: 'This link is not for you',
        text: `It was not created by ${user.name}. If somebody sent it to you, they were trying to get into your account. Close this page.`,
      });
    }
    return request.status === 'open'
      ? requestPage(context, request, { ticket, signed })
      : outcomePage(context, request.status);
  });

  app.post(`${CONNECT_PATH}/options`, async (context) => {
    const { user } = context.var;
    const ticket = await formTicket(context);
    if (user === undefined) return redirectToSignIn(context, requestPath(ticket));
    return await respondWithSigningOptions(
      context,
      signed,
      async () => (await connections.details(ticket, user.username)) ?? requestOver(context),
    );
  });

  app.post(CONNECT_PATH, async (context) => {
    const { user } = context.var;
    const ticket = await formTicket(context);
    if (user === undefined) return redirectToSignIn(context, requestPath(ticket));
    if ((await context.req.parseBody()).decision !== 'allow') {
      const denied = await connections.deny(ticket, user.username);
      return denied === undefined ? requestOver(context) : outcomePage(context, denied.status);
    }
    const consent = await readConsent(context, signed);
    if (consent instanceof Response) return consent;
    try {
      const address = await connections.allow(ticket, user.username, consent);
      const request = address && (await connections.byTicket(ticket));
      return request ? continuePage(context, request, address) : requestOver(context);
    } catch (error) {
      return renderKeyErrorPage(context, error, { href: requestPath(ticket), text: 'Try again' });
    }
  });

  app.get('/connections/callback/:connection', async (context) => {
    const { user } = context.var;
    if (user === undefined) {
      return renderMessagePage(context, 401, {
        title: 'You are signed out',
        text: 'Nothing was connected. Sign in, and start again in your terminal.',
        link: { href: '/signin', text: 'Sign in' },
      });
    }
    const { code, error, state = '' } = context.req.query();
    if (!hasFullAccess(context)) return renderPasskeyRequiredPage(context);
    const request = await connections.finish({
      user: user.username,
      connection: context.req.param('connection'),
      state,
      code,
      denied: error === 'access_denied',
    });
    if (request === undefined) {
      return renderMessagePage(context, 400, {
        title: 'This response matches no request',
        text: 'The response came too late or was already used, or you did not start or sign the connection. Nothing was connected.',
      });
    }
    return outcomePage(context, request.status);
  });

  return app;
}

async function formTicket(context: BrowserContext): Promise<string> {
  const { ticket } = await context.req.parseBody();
  return typeof ticket === 'string' ? ticket : '';
}

function requestPath(ticket: string): string {
  return `${CONNECT_PATH}?${new URLSearchParams({ ticket })}`;
}

function requestOver(context: BrowserContext) {
  return renderMessagePage(context, 410, {
    title: 'There is nothing to connect here',
    text: 'The request has ended, or it is not yours. Nothing was connected. Start again in your terminal.',
    link: { href: '/phone', text: 'Go to your phone' },
  });
}

/** Handles the address without a ticket, which is the same for all users. Connects the signed-in person's account. */
async function ownConnection(
  context: BrowserContext,
  { connections, signed }: PhoneServices,
  user: string,
  connection: string,
) {
  try {
    const { ticket } = await connections.start(user, { client: A_PROGRAM, device: undefined }, connection, []);
    const request = await connections.byTicket(ticket);
    if (request !== undefined) return requestPage(context, request, { ticket, signed });
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
  }
  return unknownConnection(context);
}

/** Requester shown if the address has no ticket, because the program that sent the person is then unknown. */
const A_PROGRAM = 'A program that you use';

function unknownConnection(context: BrowserContext) {
  return renderMessagePage(context, 404, {
    title: 'Unknown account',
    text: 'Nothing was connected. The address may be incomplete.',
  });
}

function requestPage(
  context: BrowserContext,
  { label, asker, scopes }: ConnectionRequest,
  { ticket, signed }: { readonly ticket: string; readonly signed: SignedGrants },
) {
  return renderPage(context, {
    title: `Connect ${label}`,
    body: html`<div class="card">
<h1>Connect <span data-testid="connection">${label}</span>?</h1>
<p><strong data-testid="client-name">${asker.client}</strong>${
      asker.device === undefined
        ? ''
        : html`, on a device that calls itself <strong data-testid="device-name">${asker.device}</strong>,`
    } requested this connection.</p>
<p>You sign in there, not here. The access that you allow is stored here and used only when you or your agent need it.</p>
<div class="note"><strong>Continue only if you started this yourself.</strong>If someone sent you this link, don’t use it: it’s a scam.</div>
<p>Requested access:</p>
<ul data-testid="scopes">${scopes.map((scope) => html`<li>${thirdPartyScopeWords[scope] ?? scope}</li>`)}</ul>
<form method="post" action="${CONNECT_PATH}">
<input type="hidden" name="form_token" value="${context.var.formToken}">
<input type="hidden" name="ticket" value="${ticket}">
<div class="pair">
<button class="stop" name="decision" value="deny" data-testid="deny">Don’t connect</button>
<button class="go" name="decision" value="allow" ${signingAttribute(signed, `${CONNECT_PATH}/options`)} data-testid="allow">Connect</button>
</div>
</form>
</div>`,
  });
}

function continuePage(context: BrowserContext, { label }: ConnectionRequest, address: string) {
  return renderPage(context, {
    title: `Connect ${label}`,
    body: html`<div class="card">
<h1 tabindex="-1">Sign in at ${label}</h1>
<p>Allow the access there. You then come back here.</p>
<p><a class="go wide" href="${address}" rel="noreferrer" data-testid="continue">Continue to ${label}</a></p>
</div>`,
  });
}

const outcomes = {
  connected: {
    status: 200,
    title: 'Connected',
    text: 'Return to your terminal. To disconnect the account later, run: trade-agent connections remove',
  },
  denied: { status: 200, title: 'Not connected', text: 'You denied access. Nothing was connected.' },
  failed: {
    status: 502,
    title: 'Not connected',
    text: 'The other service refused the connection. Start again in your terminal.',
  },
  expired: { status: 410, title: 'Too late', text: 'This link has expired. Start again in your terminal.' },
  open: { status: 409, title: 'Not finished', text: 'Start again in your terminal.' },
} as const;

function outcomePage(context: BrowserContext, status: keyof typeof outcomes) {
  const { status: code, ...message } = outcomes[status];
  return renderMessagePage(context, code, { ...message, link: { href: '/phone', text: 'Go to your phone' } });
}
