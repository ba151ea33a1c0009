import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ConnectionRequest } from '../identity-provider/connection-requests.ts';
import { CONNECT_PATH } from '../identity-provider/protocol/protocol.ts';
import { VaultError } from '../identity-provider/third-party.ts';
import { type BrowserContext, type BrowserEnv, isFull } from './page/browser-env.ts';
import { messagePage, page, passkeyNeeded, toSignIn } from './page/page.ts';
import type { PhoneServices } from './phone-services.ts';
import { partyScopeWords } from './scope-words.ts';

/** Connecting an account elsewhere: who asks for what, the way to the third party, and the way back. */
export function createConnectionPages(services: PhoneServices): Hono<BrowserEnv> {
  const app = new Hono<BrowserEnv>();

  app.get(CONNECT_PATH, (context) => {
    const { user } = context.var;
    const { ticket = '', connection } = context.req.query();
    const wanted = connection === undefined ? { ticket } : { connection };
    if (user === undefined) return toSignIn(context, `${CONNECT_PATH}?${new URLSearchParams(wanted)}`);
    if (!isFull(context)) return passkeyNeeded(context);
    if (connection !== undefined) return ownConnection(context, services, user.username, connection);
    const request = services.connections.byTicket(ticket);
    // Nobody is told whose link it is: it was sent to them, or they are signed in as somebody else.
    if (request === undefined || request.user !== user.username) {
      return messagePage(context, 403, {
        title: 'This link is not for you',
        text: `It was not made by ${user.name}. If somebody sent it to you, they were after your account: close this page.`,
      });
    }
    return request.status === 'open' ? asks(context, request) : over(context, request.status);
  });

  app.get('/connections/callback/:connection', async (context) => {
    const { user } = context.var;
    if (user === undefined) {
      return messagePage(context, 401, {
        title: 'You are signed out',
        text: 'Nothing was connected. Sign in, and start again in your terminal.',
        link: { href: '/signin', text: 'Sign in' },
      });
    }
    const { code, error, state = '' } = context.req.query();
    if (!isFull(context)) return passkeyNeeded(context);
    const request = await services.connections.finish({
      user: user.username,
      connection: context.req.param('connection'),
      state,
      code,
      denied: error === 'access_denied',
    });
    if (request === undefined) {
      return messagePage(context, 400, {
        title: 'This answer belongs to no request',
        text: 'It came too late, came before, or you did not start it. Nothing was connected by it.',
      });
    }
    return over(context, request.status);
  });

  return app;
}

/** By an address that is the same for everybody: what is connected is the account of whoever is signed in here. */
function ownConnection(
  context: BrowserContext,
  { connections }: PhoneServices,
  user: string,
  connection: string,
) {
  try {
    const { ticket } = connections.start(user, { client: A_PROGRAM, device: undefined }, connection, []);
    const request = connections.byTicket(ticket);
    if (request !== undefined) return asks(context, request);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
  }
  return unknownConnection(context);
}

/** Which one sent them here, the address can't vouch for. */
const A_PROGRAM = 'A program that you use';

function unknownConnection(context: BrowserContext) {
  return messagePage(context, 404, {
    title: 'There is no such account to connect',
    text: 'Nothing was connected. The address you came by may be cut off.',
  });
}

function asks(context: BrowserContext, request: ConnectionRequest) {
  const { label, asker, scopes, authorizationUrl } = request;
  return page(context, {
    title: `Connect ${label}`,
    body: html`<div class="card">
<h1>Connect <span data-testid="connection">${label}</span>?</h1>
<p><strong data-testid="client-name">${asker.client}</strong>${
      asker.device === undefined
        ? ''
        : html`, on a device that calls itself <strong data-testid="device-name">${asker.device}</strong>,`
    } asks for it.</p>
<p>You sign in there, not here. What you allow there is kept here, and used only when you or your agent need it.</p>
<div class="note"><strong>Only go on if you started this yourself.</strong>A link that someone sent you is an attack.</div>
<p>It will be asked to:</p>
<ul data-testid="scopes">${scopes.map((scope) => html`<li>${partyScopeWords[scope] ?? scope}</li>`)}</ul>
<p><a class="go wide" href="${authorizationUrl}" rel="noreferrer" data-testid="continue">Go on to ${label}</a></p>
</div>`,
  });
}

const outcomes = {
  connected: {
    status: 200,
    title: 'Connected',
    text: 'Go back to your terminal. To take it back: trade-agent connections remove',
  },
  denied: { status: 200, title: 'Not connected', text: 'You refused. Nothing was connected.' },
  failed: {
    status: 502,
    title: 'Not connected',
    text: 'The other side did not let itself be connected. Start again in your terminal.',
  },
  expired: { status: 410, title: 'Too late', text: 'This link has expired. Start again in your terminal.' },
  open: { status: 409, title: 'Not finished', text: 'Start again in your terminal.' },
} as const;

function over(context: BrowserContext, status: keyof typeof outcomes) {
  const { status: code, ...message } = outcomes[status];
  return messagePage(context, code, { ...message, link: { href: '/phone', text: 'Go to your phone' } });
}
