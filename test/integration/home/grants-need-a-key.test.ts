import * as client from 'openid-client';
import { afterAll, expect, it } from 'vitest';
import { type ApprovalStatement, toWebauthnEvidence } from '../../../src/approval/signature/statement.ts';
import type { VaultConnection } from '../../../src/home/identity-provider/third-party.ts';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { ALL_SCOPES, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { createHttpBrowser, type HttpBrowser, pairByHttp } from './http-browser.ts';
import { ask, publicClient } from './public-client.ts';

const connections: Record<string, VaultConnection> = {
  broker: {
    url: 'http://127.0.0.1:9/broker',
    client: { client_id: 'home', client_secret: 'secret' },
    redirectUri: 'http://127.0.0.1:9/callback',
  },
};
const world = await startIdentityProvider({ signatures: 'required', connections });
afterAll(() => world.close());

/** A sign-out would only end the thief's own session before the other addresses were tried. */
const ending = ['/signout'];

const connectPage = '/connections/connect?connection=broker';
const authenticators = '/phone/authenticators';
/** The identifier of the code's grant that a page offers to sign. */
const grantOn = async (browser: HttpBrowser, page: string) =>
  /name="grant" value="([^"]+)"/.exec(await (await browser.visit(page)).text())?.[1] ?? '';
/** The ticket of a new request to connect an account, which its page has. */
const ticketOn = async (browser: HttpBrowser) =>
  /name="ticket" value="([^"]+)"/.exec(await (await browser.visit(connectPage)).text())?.[1] ?? '';

const kinds = ['Grant', 'AccessToken', 'RefreshToken', 'AuthorizationCode'];
function access() {
  const count = (table: string, where = '') =>
    world.database().prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table} ${where}`).get()?.n;
  const tables = ['granted_devices', 'authorized_clients', 'registration_tokens', 'registered_clients'];
  return {
    signedConnections: count('connection_requests', 'WHERE signed = 1'),
    ...Object.fromEntries(kinds.map((kind) => [kind, count('oidc_entities', `WHERE model = '${kind}'`)])),
    ...Object.fromEntries(
      [...tables, 'recovery_codes', 'phone_tickets', 'vault_connections', 'people'].map((table) => [
        table,
        count(table),
      ]),
    ),
  };
}

it('gives nobody access for a session’s cookie and origin key without its passkey', async () => {
  const { browser: owner } = await pairByHttp((await world.phone.pairing('alice')).url);
  // The thief has everything that the browser has, but not the key.
  const thief = createHttpBrowser(world.issuer, owner.key);
  for (const [name, value] of owner.jar) thief.jar.set(name, value);
  const config = await world.loginClient();
  const device = await client.initiateDeviceAuthorization(config, { scope: ALL_SCOPES, device_name: 'thief' });
  const consent = await ask(thief, (await publicClient(world)).url());
  const ticket = await ticketOn(owner);
  expect(ticket).not.toBe('');
  const enrolled = (await world.keys.list('alice')).length;
  const before = access();

  const form_token = await thief.formToken('/phone/programs');
  const grant = await grantOn(thief, '/phone/programs');
  const statement = { v: 1, purpose: 'trade-agent.grant', gateway: 'x', proposal: 'gr_x', digest: 'x', sub: 'alice' };
  const evidence = { method: 'webauthn', credential_id: 'x', authenticator_data: 'x', client_data_json: 'x' };
  const signed = {
    ...evidence,
    signature: 'x',
    statement: { ...statement, code: 'x', worst_case: null, decision: 'approve', nonce: 'x' },
  };
  const forged = [
    undefined,
    '',
    '{}',
    'null',
    JSON.stringify(signed),
    JSON.stringify({ ...signed, method: 'software' }),
  ];
  let tried = 0;
  // Every address that the code has, so that a new one is tried as well.
  const routes = new Set(world.provider().routes.filter((path) => !path.includes('*') && !ending.includes(path)));
  const known = ['/device/confirm', '/phone/programs/token', '/connections/connect'];
  expect([...routes]).toEqual(expect.arrayContaining(known));
  for (const route of routes) {
    const path = route.replace('/authorize/consent/:id', consent).replace(/:\w+/, 'x');
    for (const one of forged) {
      const form = {
        user_code: device.user_code,
        decision: 'allow',
        days: '90',
        grant,
        id: 'x',
        name: 'x',
        ticket,
      };
      const given = one === undefined ? {} : { evidence: one, assertion: one, registration: one, secret: one };
      const answer = await thief.post(path, { form_token, ...form, ...given }, { accept: 'application/json' });
      expect(answer.status, path).toBeLessThan(500);
      tried += 1;
    }
  }
  expect(tried).toBe(routes.size * forged.length);
  // The third party's response, with the secret that only its page is given.
  const states = world.database().prepare<[], { state: string }>('SELECT state FROM connection_requests').all();
  expect(states.length).toBeGreaterThan(0);
  for (const { state } of states) {
    const query = new URLSearchParams({ state, code: 'x' });
    expect((await thief.visit(`/connections/callback/broker?${query}`)).status).toBe(400);
  }
  // It was signed in to the end.
  expect(await (await thief.visit('/phone/programs')).text()).toContain('signed-in-user');
  expect(access()).toEqual(before);
  expect(await world.keys.list('alice')).toHaveLength(enrolled);
});

it('gives nobody access for a genuine assertion of a key that is not enrolled', async () => {
  const { browser: owner, authenticator } = await pairByHttp((await world.phone.pairing('alice')).url);
  const thief = createHttpBrowser(world.issuer, owner.key);
  for (const [name, value] of owner.jar) thief.jar.set(name, value);
  const own = createAuthenticator('ES256', { origin: world.issuer, rpId: new URL(world.issuer).hostname });
  const config = await world.loginClient();
  const { user_code } = await client.initiateDeviceAuthorization(config, { scope: ALL_SCOPES, device_name: 'thief' });
  const consent = await ask(thief, (await publicClient(world)).url());
  const before = access();
  const pages: [page: string, path: string, form: Record<string, string>][] = [
    [`/device/confirm?user_code=${user_code}`, '/device/confirm', { user_code, decision: 'allow' }],
    [consent, consent, { decision: 'allow' }],
    ['/phone/programs', '/phone/programs/token', { grant: await grantOn(thief, '/phone/programs') }],
    [authenticators, `${authenticators}/recovery`, { grant: await grantOn(thief, authenticators) }],
    [connectPage, '/connections/connect', { ticket: await ticketOn(thief), decision: 'allow' }],
  ];
  for (const [page, path, form] of pages) {
    const options = await thief.submit(page, `${path}/options`, form, { accept: 'application/json' });
    expect(options.status, path).toBe(200);
    const { challenge, statement } = (await options.json()) as { challenge: string; statement: ApprovalStatement };
    const asserted = own.assert(challenge);
    // The thief's own key, also under the id of the owner's.
    for (const id of [asserted.id, authenticator.credentialId]) {
      const evidence = JSON.stringify(toWebauthnEvidence({ ...asserted, id }, statement));
      const answer = await thief.submit(page, path, { ...form, evidence });
      expect(answer.status, path).toBe(403);
    }
  }
  expect(access()).toEqual(before);
});
