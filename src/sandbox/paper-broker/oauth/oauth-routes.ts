import { type Context, Hono } from 'hono';
import { html, raw } from 'hono/html';
import { thirdPartyScopeWords } from '../../../home/phone/scope-words.ts';
import { isSameSecret } from '../../../secrets/constant-time.ts';
import type { IssuedTokens, TokenStore } from '../../../store/sandbox/token-store.ts';

interface OAuthOptions {
  url: string;
  tokens: TokenStore;
  clients: readonly OAuthClient[];
  users: readonly User[];
  now: () => number;
  party?: Party;
}

const broker: Party = { label: 'Paper broker', scopes: ['account:write', 'trading'] };

/**
 * Simulates a third party's OAuth 2.0 server: authorization code with PKCE S256 (RFC 6749, 7636, 9700), refresh token
 * rotation and revocation (RFC 7009). The login form sends the user name and password each time and sets no cookie, so
 * CSRF is not possible.
 */
export function oauthRoutes({ url, tokens, clients, users, now, party = broker }: OAuthOptions): Hono {
  const app = new Hono();

  app.use('/oauth/*', async (context, next) => {
    context.header('Cache-Control', 'no-store');
    context.header('X-Content-Type-Options', 'nosniff');
    context.header('Referrer-Policy', 'no-referrer');
    return next();
  });

  // RFC 8414
  app.get('/.well-known/oauth-authorization-server', (context) =>
    context.json({
      issuer: url,
      authorization_endpoint: `${url}/oauth/authorize`,
      token_endpoint: `${url}/oauth/token`,
      revocation_endpoint: `${url}/oauth/revoke`,
      scopes_supported: [...party.scopes],
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
    }),
  );

  app.route('/', authorizeRoutes(party, clients, createLogin(users, now), tokens));
  app.route('/', tokenRoutes(clients, tokens));
  return app;
}

function authorizeRoutes(
  party: Party,
  clients: readonly OAuthClient[],
  login: Login,
  tokens: Pick<TokenStore, 'issueCode'>,
): Hono {
  const app = new Hono();

  app.on(['GET', 'POST'], '/oauth/authorize', async (context) => {
    const posted = context.req.method === 'POST';
    const form = { ...context.req.query(), ...(posted ? await readForm(context) : {}) };
    const request = readAuthorizationRequest(form, clients, party);
    if ('refusal' in request) return showError(context, party, request.refusal);
    if ('error' in request) return redirectWithResponse(context, request, { error: request.error });
    if (!posted) return show(context, party, request);
    if (form.decision === 'deny') return redirectWithResponse(context, request, { error: 'access_denied' });
    const { username = '', password = '' } = form;
    const outcome = form.decision === 'allow' ? login(username, password) : 'undecided';
    if (outcome !== 'right') return show(context, party, request, notAllowed[outcome]);
    const { client, redirect_uri, scopes, code_challenge } = request;
    const { client_id } = client;
    const code = tokens.issueCode({ client_id, username, scopes, redirect_uri, code_challenge });
    return redirectWithResponse(context, request, { code });
  });

  return app;
}

const notAllowed = {
  undecided: { error: 'Choose Allow or Deny.', status: 400 },
  too_many: { error: 'Too many wrong passwords. Wait 15 minutes.', status: 429 },
  wrong: { error: 'User name or password is wrong.', status: 401 },
} as const;

function show(
  context: Context,
  { label }: Party,
  { redirect_uri, client, scopes, parameters }: AuthorizationRequest,
  wrong?: (typeof notAllowed)[keyof typeof notAllowed],
) {
  // Chromium also applies form-action to the redirect that follows a form.
  secure(context, `form-action 'self' ${new URL(redirect_uri).origin}`);
  const page = { label, client_id: client.client_id, scopes, parameters, error: wrong?.error };
  return context.html(consentPage(page), wrong?.status ?? 200);
}

function showError(context: Context, { label }: Party, reason: string) {
  secure(context, `form-action 'none'`);
  return context.html(errorPage(label, reason), 400);
}

/** Redirects with 303, so that the browser does not send the password to the client. */
function redirectWithResponse(
  context: Context,
  { redirect_uri, state }: RedirectTarget,
  parameters: Record<string, string>,
) {
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

function tokenRoutes(clients: readonly OAuthClient[], tokens: TokenStore): Hono {
  const app = new Hono();

  app.post('/oauth/token', async (context) => {
    const form = await readForm(context);
    const client = authenticateClient(clients, context.req.header('authorization'), form);
    if (client === undefined) return invalidClient(context);
    const issued = issueTokens(tokens, client, form);
    return typeof issued === 'string' ? tokenError(context, issued) : context.json(issued);
  });

  app.post('/oauth/revoke', async (context) => {
    const form = await readForm(context);
    const client = authenticateClient(clients, context.req.header('authorization'), form);
    if (client === undefined) return invalidClient(context);
    if (!form.token) return tokenError(context, 'invalid_request');
    tokens.revoke(form.token, client.client_id);
    return context.body(null, 200);
  });

  return app;
}

/** Returns the issued tokens, or an error code (RFC 6749 §5.2). */
function issueTokens(
  tokens: TokenStore,
  { client_id }: OAuthClient,
  form: Readonly<Record<string, string>>,
): IssuedTokens | string {
  const { grant_type, code, redirect_uri, code_verifier, refresh_token, scope } = form;
  if (grant_type === 'authorization_code') {
    if (!code || !redirect_uri || !code_verifier) return 'invalid_request';
    return tokens.redeemCode(code, { client_id, redirect_uri, code_verifier }) ?? 'invalid_grant';
  }
  if (grant_type === 'refresh_token') {
    if (!refresh_token) return 'invalid_request';
    const scopes = scope?.split(' ').filter((one) => one !== '');
    return tokens.refresh(refresh_token, client_id, scopes) ?? 'invalid_grant';
  }
  return grant_type ? 'unsupported_grant_type' : 'invalid_request';
}

function invalidClient(context: Context) {
  context.header('WWW-Authenticate', 'Basic realm="paper-broker"');
  return context.json({ error: 'invalid_client' }, 401);
}

function tokenError(context: Context, error: string) {
  return context.json({ error }, 400);
}

interface Party {
  readonly label: string;
  readonly scopes: readonly string[];
}

const parameterNames = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
] as const;
type Parameters = Partial<Record<(typeof parameterNames)[number], string>>;

interface RedirectTarget {
  redirect_uri: string;
  state: string | undefined;
}

interface AuthorizationRequest extends RedirectTarget {
  client: OAuthClient;
  scopes: string[];
  code_challenge: string;
  parameters: Record<string, string>;
}

/**
 * Validates an authorization request (RFC 6749 §4.1.1; RFC 7636 §4.3). Returns the request. If it is invalid, returns
 * the `error` to send with the redirect, or a `refusal` if no redirect is safe (unknown client or redirect URI).
 */
function readAuthorizationRequest(
  given: Parameters,
  clients: readonly OAuthClient[],
  party: Party,
): AuthorizationRequest | { refusal: string } | (RedirectTarget & { error: string }) {
  const client = clients.find((known) => known.client_id === given.client_id);
  if (client === undefined) return { refusal: `${party.label} does not know this client.` };
  const redirect_uri = given.redirect_uri ?? '';
  if (!client.redirect_uris.includes(redirect_uri)) {
    return { refusal: 'This client has not registered the redirect URI.' };
  }
  const { state, code_challenge = '' } = given;
  const back = { redirect_uri, state };
  if (given.response_type !== 'code') return { error: 'unsupported_response_type', ...back };
  if (given.code_challenge_method !== 'S256' || !/^[A-Za-z0-9_-]{43}$/.test(code_challenge)) {
    return { error: 'invalid_request', ...back };
  }
  const scopes = (given.scope ?? '').split(' ').filter((scope) => scope !== '');
  if (scopes.length === 0 || scopes.some((scope) => !party.scopes.includes(scope))) {
    return { error: 'invalid_scope', ...back };
  }
  const parameters = Object.fromEntries(
    parameterNames.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
  );
  return { client, ...back, scopes, code_challenge, parameters };
}

const MAX_LOGIN_ATTEMPTS = 10;
const LOCKOUT_MS = 15 * 60_000;

interface User {
  username: string;
  password: string;
}

type Login = (username: string, password: string) => 'right' | 'wrong' | 'too_many';

export function createLogin(users: readonly User[], now: () => number): Login {
  const tries = new Map<string, { since: number; count: number }>();
  return (username, password) => {
    const tried = tries.get(username);
    const fresh = tried !== undefined && now() - tried.since < LOCKOUT_MS ? tried : undefined;
    if (fresh !== undefined && fresh.count >= MAX_LOGIN_ATTEMPTS) return 'too_many';
    const user = users.find((known) => known.username === username);
    // Compares even for an unknown name, so that timing does not reveal which names exist.
    const right = isSameSecret(password, user?.password ?? '');
    // Counts wrong passwords only for existing names, so that the table stays small.
    if (user === undefined) return 'wrong';
    if (!right) {
      tries.set(username, { since: fresh?.since ?? now(), count: (fresh?.count ?? 0) + 1 });
      return 'wrong';
    }
    tries.delete(username);
    return 'right';
  };
}

export interface OAuthClient {
  client_id: string;
  client_secret: string;
  redirect_uris: string[];
}

/** Authenticates a client by client_secret_basic or client_secret_post (RFC 6749 §2.3.1), never both. */
function authenticateClient(
  clients: readonly OAuthClient[],
  authorization: string | undefined,
  form: Readonly<Record<string, string>>,
): OAuthClient | undefined {
  const basic = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  let { client_id, client_secret } = form;
  if (basic !== undefined) {
    if (client_secret !== undefined) return undefined;
    const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
    client_id = formDecoded(id);
    client_secret = formDecoded(secret);
  }
  const client = clients.find((known) => known.client_id === client_id);
  return client !== undefined && client_secret && isSameSecret(client_secret, client.client_secret)
    ? client
    : undefined;
}

/** Reads a form. Drops repeated parameters, which therefore count as missing (RFC 6749 §3.1). */
export async function readForm(context: Context): Promise<Record<string, string>> {
  const type = context.req.header('content-type') ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return {};
  const form = new URLSearchParams(await context.req.text());
  return Object.fromEntries([...form].filter(([name]) => form.getAll(name).length === 1));
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}

const style = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; padding: 2rem 1.25rem; max-width: 26rem; }
  .label { font-size: .8rem; letter-spacing: .06em; font-weight: 600; }
  h1 { font-size: 1.3rem; }
  label { display: block; margin: 1rem 0 .25rem; }
  input { width: 100%; box-sizing: border-box; font: inherit; padding: .6rem; }
  .error { border-left: 4px solid; padding-left: .75rem; }
  .buttons { display: flex; gap: .75rem; margin-top: 1.5rem; }
  button { flex: 1; font: inherit; padding: .8rem; min-height: 3rem; }
`;

function consentPage(page: {
  label: string;
  client_id: string;
  scopes: readonly string[];
  parameters: Readonly<Record<string, string>>;
  error: string | undefined;
}) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.label}: connect your account</title>
<style>${raw(style)}</style>
</head>
<body>
<p class="label">SANDBOX · simulated</p>
<h1>Connect your ${page.label} account</h1>
<p><strong>${page.client_id}</strong> wants to:</p>
<ul>${page.scopes.map((scope) => html`<li>${thirdPartyScopeWords[scope] ?? scope}</li>`)}</ul>
${page.error === undefined ? '' : html`<p class="error" role="alert">${page.error}</p>`}
<form method="post" action="authorize">
${Object.entries(page.parameters).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<div class="buttons">
<button name="decision" value="deny" formnovalidate>Deny</button>
<button name="decision" value="allow">Allow</button>
</div>
</form>
</body>
</html>`;
}

function errorPage(label: string, reason: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${label}</title><style>${raw(style)}</style></head>
<body><p class="label">SANDBOX · simulated</p><h1>This request can't be processed</h1><p>${reason}</p></body>
</html>`;
}
