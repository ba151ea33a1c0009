import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { calculateJwkThumbprint, type JWK } from 'jose';
import Provider, { type AdapterFactory, type ClientMetadata, type Configuration } from 'oidc-provider';
import { z } from 'zod';
import { tokenExchangeParameters } from '../../home/identity-provider/protocol/protocol.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { createHostCheck } from '../../net/host-check.ts';
import { createRequestListener } from '../../net/http-server.ts';
import { DEVICE_GRANT, ID_JAG_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { IDENTITY_SCOPES } from '../../oauth/scopes.ts';
import { isSameSecret } from '../../secrets/constant-time.ts';
import { createOidcStore } from '../../store/home/oidc-store.ts';
import { loadProviderKeys } from '../../store/home/provider-keys.ts';
import { prepareProviderDatabase } from '../../store/home/schema.ts';
import { createSandboxTables } from '../../store/sandbox/schema.ts';
import { createSqliteTransactions } from '../../store/sqlite/sql-database.ts';
import { createLogin, readForm } from '../paper-broker/oauth/oauth-routes.ts';
import { createAssertionExchangeHandler } from './assertion-exchange.ts';
import { type CompanyPeople, type CompanyPerson, openCompanyPeople } from './people.ts';
import type { CompanyRule } from './rules.ts';
import { createIdTokens, type IdTokens } from './subject.ts';

export interface CompanyOptions {
  readonly issuer: string;
  readonly name: string;
  readonly database: Database;
  readonly people: readonly CompanyPerson[];
  readonly clients: readonly CompanyClient[];
  readonly rules: readonly CompanyRule[];
  readonly pairingSecret?: string | undefined;
  readonly clock?: Clock;
  /** Called with errors. The message never contains a token. */
  readonly onError?: (message: string) => void;
}

export type Company = Awaited<ReturnType<typeof createCompany>>;

export async function createCompany(options: CompanyOptions) {
  const { issuer, name, database, pairingSecret, rules, clock = systemClock, onError = () => {} } = options;
  const now = () => clock.now();
  createSandboxTables(database, 'company');
  const sql = createSqliteTransactions(prepareProviderDatabase(database));
  const keys = await loadProviderKeys(sql, now);
  const [signingKey, ...earlier] = (await keys.signing.current()).keys;
  if (signingKey === undefined) throw new Error('the company has no signing key');
  const people = openCompanyPeople(database, options.people);
  const clients = companyClients(database, options.clients);
  const issued = createIdTokens(database, ID_TOKEN_LIFETIME_S, now);
  const store = createOidcStore({
    database: sql,
    now,
    onGrantEnded: async () => {},
    beforeBackchannelRequest: async () => {},
  });
  const provider = companyProvider({
    issuer,
    adapter: clients.among(store.adapter),
    signingKeys: [signingKey, ...earlier],
    cookieKey: keys.cookie,
    people,
    idTokens: issued,
    exchange: createAssertionExchangeHandler({
      issuer,
      people,
      rules,
      idTokens: issued,
      verificationKey: keys.signing.verificationKey,
      signingKey: () => signingKey,
      now,
    }),
  });
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  const { decide } = companySignIn(provider, people, now);
  const pages = createRequestListener(
    companyPages({ name, clients, decide, people: options.people, pairingSecret, now }),
  );
  const protocol = provider.callback();
  const isForUs = createHostCheck([issuer]);
  const endSessions = (sub: string) => store.endGrants({ sub });
  return {
    issuer,
    signingKey,
    decide,
    endSessions,
    /** Ends all of the person's sessions, and rejects the person's later sign-ins and token exchanges. */
    deactivate: async (sub: string): Promise<void> => {
      people.deactivate(sub);
      await endSessions(sub);
    },
    callback: (request: IncomingMessage, response: ServerResponse): void => {
      if (!isForUs(request, response)) return;
      const [path = ''] = (request.url ?? '').split('?', 1);
      if (isPagePath(path)) pages(request, response);
      else protocol(request, response).catch((error: Error) => onError(error.message));
    },
  };
}

const DECIDE_PATH = '/device/decide';

function isPagePath(path: string): boolean {
  return path === DEVICE_PATH || path === DECIDE_PATH || path.startsWith('/clients/');
}

interface CompanyPagesOptions extends CompanySignIn {
  readonly name: string;
  readonly clients: Pick<CompanyClients, 'keys' | 'addKey'>;
  readonly people: readonly CompanyPerson[];
  readonly pairingSecret: string | undefined;
  readonly now: () => number;
}

const decisionSchema = z.object({ user_code: z.string(), user: z.string() });

/**
 * Serves pages that the protocol does not define: the page for entering a device code, which a terminal with the
 * pairing secret can also use, and the clients' public keys, which any program on this machine may add and read.
 */
function companyPages(options: CompanyPagesOptions): Hono {
  const { name, clients, people, pairingSecret, decide, now } = options;
  const app = new Hono();
  const login = createLogin(people, now);
  const find = (username: string) => people.find((person) => person.username === username);

  app.get(DEVICE_PATH, (context) => context.html(signInPage(name, context.req.query('user_code') ?? '')));
  app.post(DEVICE_PATH, async (context) => {
    const { user_code: code = '', username = '', password = '' } = await readForm(context);
    const outcome = login(username, password);
    if (outcome === 'too_many') {
      return context.html(signInPage(name, code, 'Too many wrong passwords. Wait 15 minutes.'), 429);
    }
    if (outcome === 'wrong') return context.html(signInPage(name, code, 'User name or password is wrong.'), 401);
    const decided = await decide(code, find(username)?.sub, PASSWORD_SIGN_IN);
    return decided === 'allowed'
      ? context.html(textPage(name, 'You are signed in. Go back to the terminal.'))
      : context.html(signInPage(name, code, 'That code is not valid. Request a new one.'), 400);
  });
  app.post(DECIDE_PATH, async (context) => {
    const given = context.req.header('authorization') ?? '';
    if (pairingSecret === undefined || !isSameSecret(given, `Bearer ${pairingSecret}`)) {
      return context.json({ error: 'unauthorized' }, 401);
    }
    const body = decisionSchema.safeParse(await context.req.json().catch(() => undefined)).data;
    if (body === undefined) return context.json({ error: 'invalid_request' }, 400);
    const person = find(body.user);
    if (person === undefined) return context.json({ error: 'no_such_user' }, 404);
    const decided = await decide(body.user_code, person.sub, SECOND_FACTOR_SIGN_IN);
    return decided === 'allowed' ? context.json({ status: decided }) : context.json({ error: decided }, 404);
  });

  app.get('/clients/:id/jwks', (context) => {
    const keys = clients.keys(context.req.param('id'));
    return keys === undefined ? context.notFound() : context.json(keys);
  });
  app.post('/clients/:id/keys', async (context) => {
    const key = clientKeySchema.safeParse(await context.req.json().catch(() => undefined)).data;
    if (key === undefined) return context.json({ error: 'invalid_request' }, 400);
    const known = await clients.addKey(context.req.param('id'), key);
    return known ? context.body(null, 204) : context.notFound();
  });
  return app;
}

function signInPage(name: string, code: string, error?: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}: sign in</title></head>
<body>
<p>SANDBOX · simulated</p>
<h1>Sign in to ${name}</h1>
${error === undefined ? '' : html`<p role="alert">${error}</p>`}
<form method="post" action="${DEVICE_PATH}">
<p><label>Code on the device <input name="user_code" value="${code}" required></label></p>
<p><label>User name <input name="username" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button>Sign in</button></p>
</form>
</body>
</html>`;
}

function textPage(name: string, text: string) {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${name}</title></head><body><p>${text}</p></body></html>`;
}

interface SignInStrength {
  readonly acr: string;
  readonly amr: readonly string[];
}

export const PASSWORD_SIGN_IN: SignInStrength = { acr: 'pwd', amr: ['pwd'] };
/** A phishing-resistant second factor (OpenID Connect EAP ACR Values 1.0 §2). */
export const SECOND_FACTOR_SIGN_IN: SignInStrength = { acr: 'phr', amr: ['pwd', 'hwk', 'mfa'] };

type DeviceDecisionOutcome = 'allowed' | 'denied' | 'not_found';

type CompanySignIn = ReturnType<typeof companySignIn>;

function companySignIn(provider: Provider, people: Pick<CompanyPeople, 'find'>, now: () => number) {
  return {
    /** Approves a device code (RFC 8628) for the person, or denies it if `sub` is undefined. The decision is final. */
    async decide(
      userCode: string,
      sub: string | undefined,
      { acr, amr }: SignInStrength,
    ): Promise<DeviceDecisionOutcome> {
      const normalized = userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
      const code = await provider.DeviceCode.findByUserCode(normalized);
      const isOpen = code?.accountId === undefined && code?.error === undefined;
      if (code?.clientId === undefined || !isOpen || code.isExpired) return 'not_found';
      const person = sub === undefined ? undefined : people.find(sub);
      if (person === undefined) {
        Object.assign(code, { error: 'access_denied', errorDescription: 'the person denied the request' });
        await code.save();
        return 'denied';
      }
      const asked = String(code.params?.scope ?? '').split(' ');
      const scope = IDENTITY_SCOPES.filter((name) => asked.includes(name)).join(' ');
      const grant = new provider.Grant({ clientId: code.clientId, accountId: person.sub });
      grant.addOIDCScope(scope);
      const grantId = await grant.save();
      const authTime = Math.floor(now() / 1000);
      Object.assign(code, { accountId: person.sub, acr, amr: [...amr], authTime, grantId, scope });
      await code.save();
      return 'allowed';
    },
  };
}

interface CompanyClient {
  readonly client_id: string;
  readonly name: string;
}

/** An ES256 public key. A key with private members is rejected. */
const clientKeySchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().max(64),
  y: z.string().max(64),
  kid: z.string().max(128).optional(),
  alg: z.literal('ES256').optional(),
  use: z.literal('sig').optional(),
});

type CompanyClients = ReturnType<typeof companyClients>;

function companyClients(database: Database, known: readonly CompanyClient[]) {
  const list = database.prepare<[string], { jwk: string }>(
    'SELECT jwk FROM company_client_keys WHERE client_id = ? ORDER BY rowid',
  );
  const add = database.prepare<[string, string, string]>(
    'INSERT OR IGNORE INTO company_client_keys (client_id, kid, jwk) VALUES (?, ?, ?)',
  );
  const find = (clientId: string) => known.find(({ client_id }) => client_id === clientId);
  const keys = (clientId: string) =>
    find(clientId) === undefined ? undefined : { keys: list.all(clientId).map(({ jwk }): JWK => JSON.parse(jwk)) };

  const metadataOf = (clientId: string): ClientMetadata | undefined => {
    const client = find(clientId);
    const jwks = keys(clientId);
    if (client === undefined || jwks === undefined || jwks.keys.length === 0) return undefined;
    return {
      client_id: client.client_id,
      client_name: client.name,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
      grant_types: [DEVICE_GRANT, 'refresh_token', TOKEN_EXCHANGE_GRANT],
      response_types: [],
      redirect_uris: [],
      jwks: jwks as NonNullable<ClientMetadata['jwks']>,
    };
  };

  return {
    /** Returns a client's public keys, one for each machine. Returns undefined for an unknown client. */
    keys,
    /** Adds a key. Idempotent. @returns false for an unknown client */
    async addKey(clientId: string, { kty, crv, x, y }: z.output<typeof clientKeySchema>): Promise<boolean> {
      if (find(clientId) === undefined) return false;
      const kid = await calculateJwkThumbprint({ kty, crv, x, y });
      add.run(clientId, kid, JSON.stringify({ kty, crv, x, y, kid, alg: 'ES256', use: 'sig' }));
      return true;
    },
    among:
      (adapter: AdapterFactory): AdapterFactory =>
      (model) => {
        const store = (adapter as (model: string) => ReturnType<typeof adapter>)(model);
        return model === 'Client' ? { ...store, find: async (id) => metadataOf(id) } : store;
      },
  };
}

const ID_TOKEN_LIFETIME_S = 600;
const MINUTE = 60;
const DAY = 24 * 3600;

const DEVICE_PATH = '/device';

const endpointPaths = {
  code_verification: DEVICE_PATH,
  device_authorization: '/device/code',
  jwks: '/jwks',
  revocation: '/revoke',
  token: '/token',
  userinfo: '/userinfo',
} as const;

interface CompanyProviderOptions {
  readonly issuer: string;
  readonly adapter: AdapterFactory;
  readonly signingKeys: readonly JWK[];
  readonly cookieKey: string;
  readonly people: Pick<CompanyPeople, 'find'>;
  readonly exchange: ReturnType<typeof createAssertionExchangeHandler>;
  readonly idTokens: Pick<IdTokens, 'note'>;
}

/** Creates the company's provider, which supports only the device flow and confidential clients. */
function companyProvider(options: CompanyProviderOptions): Provider {
  const provider = new Provider(options.issuer, configuration(options));
  provider.registerGrantType(TOKEN_EXCHANGE_GRANT, options.exchange, tokenExchangeParameters);
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route !== 'token') return;
    const { id_token: idToken } = (ctx.body ?? {}) as { id_token?: unknown };
    const grant = ctx.oidc.entities.Grant;
    if (typeof idToken === 'string' && grant !== undefined) options.idTokens.note(idToken, grant.jti);
  });
  return provider;
}

function configuration({ adapter, signingKeys, cookieKey, people }: CompanyProviderOptions): Configuration {
  return {
    adapter,
    jwks: { keys: [...signingKeys] } as NonNullable<Configuration['jwks']>,
    cookies: { keys: [cookieKey] },
    routes: endpointPaths,
    discovery: { identity_chaining_requested_token_types_supported: [ID_JAG_TYPE] },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256'],
      idTokenSigningAlgValues: ['ES256'],
      dPoPSigningAlgValues: ['ES256'],
    },
    acrValues: ['pwd', 'phr'],
    responseTypes: [],
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
    },
    // Puts names in the ID token, as most companies' providers do.
    conformIdTokenClaims: false,
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    findAccount: (_ctx, sub) => {
      const person = people.find(sub);
      if (person === undefined) return undefined;
      const { name, username, email } = person;
      return {
        accountId: sub,
        claims: () => ({ sub, name, preferred_username: username, email, email_verified: true }),
      };
    },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: 5 * MINUTE,
      DeviceCode: 10 * MINUTE,
      Grant: 90 * DAY,
      IdToken: ID_TOKEN_LIFETIME_S,
      RefreshToken: 30 * DAY,
      Session: 10 * MINUTE,
      Interaction: 10 * MINUTE,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      userinfo: { enabled: true },
      dPoP: { enabled: true },
      deviceFlow: { enabled: true, deviceInfo: () => ({}) },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
    },
  };
}
