import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { requireHost } from '../../net/host-check.ts';
import { listenerOf } from '../../net/http-server.ts';
import { sameSecret } from '../../secrets/constant-time.ts';
import { createOidcStore } from '../../store/home/oidc-store.ts';
import { loadProviderKeys } from '../../store/home/provider-keys.ts';
import { prepareProviderDatabase } from '../../store/home/schema.ts';
import { createSandboxTables } from '../../store/sandbox/schema.ts';
import { createLogin, formOf } from '../paper-broker/oauth/oauth-routes.ts';
import { assertionExchange } from './assertion-exchange.ts';
import { type CompanyClient, type CompanyClients, clientKeySchema, companyClients } from './clients.ts';
import { companyProvider, DEVICE_PATH, ID_TOKEN_S } from './company-provider.ts';
import { type CompanyPerson, companyPeople } from './people.ts';
import type { CompanyRule } from './rules.ts';
import { BY_PASSWORD, BY_SECOND_FACTOR, type CompanySignIn, companySignIn } from './sign-in.ts';
import { idTokens } from './subject.ts';

export interface CompanyOptions {
  readonly issuer: string;
  readonly name: string;
  readonly database: Database;
  readonly people: readonly CompanyPerson[];
  readonly clients: readonly CompanyClient[];
  readonly rules: readonly CompanyRule[];
  /** Lets a terminal replace people's browsers; optional. */
  readonly pairingSecret?: string | undefined;
  readonly clock?: Clock;
  /** Never receives a token. */
  readonly onError?: (message: string) => void;
}

export type Company = ReturnType<typeof createCompany>;

export function createCompany(options: CompanyOptions) {
  const { issuer, name, database, pairingSecret, rules, clock = systemClock, onError = () => {} } = options;
  const now = () => clock.now();
  createSandboxTables(database, 'company');
  prepareProviderDatabase(database);
  const keys = loadProviderKeys(database, now);
  const [signingKey, ...earlier] = keys.signing.current().keys;
  if (signingKey === undefined) throw new Error('the company has no signing key');
  const people = companyPeople(database, options.people);
  const clients = companyClients(database, options.clients);
  const issued = idTokens(database, ID_TOKEN_S, now);
  const store = createOidcStore({
    database,
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
    exchange: assertionExchange({
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
  const pages = listenerOf(
    companyPages({ name, clients, decide, people: options.people, pairingSecret, now }),
  );
  const protocol = provider.callback();
  const isForUs = requireHost([issuer]);
  const endSessions = (sub: string) => store.endGrants({ sub });
  return {
    issuer,
    signingKey,
    decide,
    endSessions,
    /** Ends all sign-ins and exchanges for good. */
    deactivate: (sub: string): void => {
      people.deactivate(sub);
      endSessions(sub);
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
 * A company's pages beside the protocol: code entry for devices (for a terminal with the pairing secret too), and
 * clients' public keys, which anyone on this machine may add and read.
 */
function companyPages(options: CompanyPagesOptions): Hono {
  const { name, clients, people, pairingSecret, decide, now } = options;
  const app = new Hono();
  const login = createLogin(people, now);
  const find = (username: string) => people.find((person) => person.username === username);

  app.get(DEVICE_PATH, (context) => context.html(page(name, context.req.query('user_code') ?? '')));
  app.post(DEVICE_PATH, async (context) => {
    const { user_code: code = '', username = '', password = '' } = await formOf(context);
    const outcome = login(username, password);
    if (outcome === 'too_many') {
      return context.html(page(name, code, 'Too many wrong passwords. Wait 15 minutes.'), 429);
    }
    if (outcome === 'wrong') return context.html(page(name, code, 'User name or password is wrong.'), 401);
    const decided = await decide(code, find(username)?.sub, BY_PASSWORD);
    return decided === 'allowed'
      ? context.html(told(name, 'You are signed in. Go back to the terminal.'))
      : context.html(page(name, code, 'That code is not open. Ask for a new one.'), 400);
  });
  app.post(DECIDE_PATH, async (context) => {
    const given = context.req.header('authorization') ?? '';
    if (pairingSecret === undefined || !sameSecret(given, `Bearer ${pairingSecret}`)) {
      return context.json({ error: 'unauthorized' }, 401);
    }
    const body = decisionSchema.safeParse(await context.req.json().catch(() => undefined)).data;
    if (body === undefined) return context.json({ error: 'invalid_request' }, 400);
    const person = find(body.user);
    if (person === undefined) return context.json({ error: 'no_such_user' }, 404);
    const decided = await decide(body.user_code, person.sub, BY_SECOND_FACTOR);
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

function page(name: string, code: string, error?: string) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${name}: sign in</title></head>
<body>
<p>SANDBOX · simulated</p>
<h1>Sign in at ${name}</h1>
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

function told(name: string, text: string) {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${name}</title></head><body><p>${text}</p></body></html>`;
}
