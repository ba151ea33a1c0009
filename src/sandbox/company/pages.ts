import { Hono } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { sameSecret } from '../../secrets/constant-time.ts';
import { createLogin, formOf } from '../paper-broker/oauth/oauth-routes.ts';
import { type CompanyClients, clientKeySchema } from './clients.ts';
import { DEVICE_PATH } from './company-provider.ts';
import type { CompanyPerson } from './people.ts';
import { BY_PASSWORD, BY_SECOND_FACTOR, type CompanySignIn } from './sign-in.ts';

const DECIDE_PATH = '/device/decide';

export function isPagePath(path: string): boolean {
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
export function companyPages(options: CompanyPagesOptions): Hono {
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
