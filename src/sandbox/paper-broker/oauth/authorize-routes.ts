import { type Context, Hono } from 'hono';
import { consentPage, refusalPage } from '../../../home/consent-page.ts';
import {
  type AuthorizationRequest,
  type Party,
  readAuthorizationRequest,
  type WayBack,
} from './authorization-request.ts';
import { formOf } from './form-body.ts';
import type { Login } from './login.ts';
import type { OAuthClient } from './oauth-client.ts';
import type { TokenStore } from './token-store.ts';

export interface AuthorizeOptions {
  party: Party;
  clients: readonly OAuthClient[];
  login: Login;
  tokens: Pick<TokenStore, 'issueCode'>;
}

/** Where the person signs in and is asked: login and consent are one form. */
export function authorizeRoutes({ party, clients, login, tokens }: AuthorizeOptions): Hono {
  const app = new Hono();

  app.get('/oauth/authorize', (context) => {
    const request = readAuthorizationRequest(context.req.query(), clients, party);
    if ('refusal' in request) return refuse(context, party, request.refusal);
    if ('error' in request) return answer(context, request, { error: request.error });
    return show(context, party, request);
  });

  app.post('/oauth/authorize', async (context) => {
    const form = { ...context.req.query(), ...(await formOf(context)) };
    const request = readAuthorizationRequest(form, clients, party);
    if ('refusal' in request) return refuse(context, party, request.refusal);
    if ('error' in request) return answer(context, request, { error: request.error });
    if (form.decision === 'deny') return answer(context, request, { error: 'access_denied' });
    const again = (error: string, status: 400 | 401 | 429) =>
      show(context, party, request, { error, status });
    if (form.decision !== 'allow') return again('Choose Allow or Deny.', 400);

    const { username = '', password = '' } = form;
    const outcome = login(username, password);
    if (outcome === 'too_many') return again('Too many wrong passwords. Wait 15 minutes.', 429);
    if (outcome === 'wrong') return again('User name or password is wrong.', 401);
    const { client, redirect_uri, scopes, code_challenge } = request;
    const { client_id } = client;
    const code = tokens.issueCode({ client_id, username, scopes, redirect_uri, code_challenge });
    return answer(context, request, { code });
  });

  return app;
}

function show(
  context: Context,
  { label }: Party,
  { redirect_uri, client, scopes, parameters }: AuthorizationRequest,
  wrong?: { error: string; status: 400 | 401 | 429 },
) {
  // Chromium holds the redirect after a form to form-action too.
  secure(context, `form-action 'self' ${new URL(redirect_uri).origin}`);
  const page = { label, client_id: client.client_id, scopes, parameters };
  return wrong === undefined
    ? context.html(consentPage(page))
    : context.html(consentPage({ ...page, error: wrong.error }), wrong.status);
}

function refuse(context: Context, { label }: Party, reason: string) {
  secure(context, `form-action 'none'`);
  return context.html(refusalPage(label, reason), 400);
}

/** 303, so that the password is not posted on to the client. */
function answer(context: Context, { redirect_uri, state }: WayBack, parameters: Record<string, string>) {
  const target = new URL(redirect_uri);
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  if (state !== undefined) target.searchParams.set('state', state);
  return context.redirect(target.href, 303);
}

function secure(context: Context, formAction: string): void {
  context.header(
    'Content-Security-Policy',
    `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; ${formAction}`,
  );
}
