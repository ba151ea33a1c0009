import { exportJWK, generateKeyPair } from 'jose';
import { CIBA, EXCHANGE } from '../../sandbox/identity-provider-fixture.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { attackOn, type Row } from '../row.ts';

const area = 'provider';

/** These endpoints limit by address (100, then 1/s); all rows together must stay below that. */

/** By programs that nobody let in, or let in for less. */
export async function providerRows(hostile: HostileWorld): Promise<Row[]> {
  const { world } = hostile;
  const { issuer } = world.sandbox.ready;
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${issuer}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  const of = attackOn(area);
  const rows: Row[] = [];
  const client_id = 'trade-agent';
  for (const [what, expected, form] of [
    [
      'a password',
      '400 unsupported_grant_type',
      { client_id, grant_type: 'password', username: 'alice', password: 'x' },
    ],
    ['client_credentials', '400 unsupported_grant_type', { client_id, grant_type: 'client_credentials' }],
    ['a CIBA request', '400 invalid_request', { client_id, grant_type: CIBA, auth_req_id: 'x' }],
    ['an exchange', '400 invalid_request', { client_id, grant_type: EXCHANGE, subject_token: 'x' }],
    [
      'a device code that is none',
      '400 invalid_grant',
      { client_id, grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' },
    ],
    [
      'a refresh token that is none',
      '400 invalid_grant',
      { client_id, grant_type: 'refresh_token', refresh_token: 'x' },
    ],
    [
      'a code that is none',
      '400 invalid_grant',
      { client_id: 'helper-bot', grant_type: 'refresh_token', refresh_token: 'x' },
    ],
    ['no grant', '400 invalid_request', { client_id }],
    [
      'a client that there is none of',
      '401 invalid_client',
      { client_id: 'mallory', grant_type: 'refresh_token', refresh_token: 'x' },
    ],
    ['__proto__', '401 invalid_client', { client_id: '__proto__', grant_type: 'refresh_token', refresh_token: 'x' }],
    [
      'the gateway’s name alone',
      '401 invalid_client',
      { client_id: 'trade-agent-gateway', grant_type: CIBA, auth_req_id: 'x' },
    ],
  ] as const) {
    rows.push(of(`a client that redeems ${what}`, 'POST /token', expected, () => post('/token', form)));
  }
  for (const [what, form] of [
    ['orders:write', { client_id, scope: 'openid orders:write' }],
    ['messages:write', { client_id, scope: 'openid messages:write' }],
  ] as const) {
    rows.push(of(`a sign-in for ${what}`, 'POST /device/code', '400 invalid_scope', () => post('/device/code', form)));
  }
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const metadata: Record<string, unknown> = {
    ...{
      client_name: 'a robot',
      grant_types: [CIBA],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
    },
    ...{ backchannel_token_delivery_mode: 'poll', authorization_details_types: ['trade_order'] },
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
  };
  const register = (changes: object, authorization?: string) =>
    fetch(`${issuer}/register`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify({ ...metadata, ...changes }),
    });
  for (const [what, authorization] of [
    ['a made-up token', `Bearer ${'x'.repeat(43)}`],
    ['a password', 'Basic YWxpY2U6c2VjcmV0'],
    ['half a token', 'Bearer x'],
    ['two schemes', `Bearer ${'x'.repeat(43)}, DPoP y`],
    ['nobody behind it', undefined],
  ] as const) {
    rows.push(
      of(`a client that registers with ${what}`, 'POST /register', '401 invalid_token', () =>
        register({}, authorization),
      ),
    );
  }
  const ping = { backchannel_token_delivery_mode: 'ping' };
  for (const [what, expected, changes] of [
    ['another grant', 'invalid_client_metadata', { grant_types: [CIBA, 'refresh_token'] }],
    ['the token exchange', 'invalid_client_metadata', { grant_types: [EXCHANGE] }],
    ['no key of its own', 'invalid_client_metadata', { token_endpoint_auth_method: 'none' }],
    ['a key that is fetched', 'invalid_client_metadata', { jwks: undefined, jwks_uri: 'https://127.0.0.1/jwks' }],
    ['a shared secret for a key', 'invalid_client_metadata', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }],
    ['a name with a line break', 'invalid_client_metadata', { client_name: 'trade-agent\nPAPER' }],
    ['a name that turns around', 'invalid_client_metadata', { client_name: 'trade\u202eagent' }],
    ['a redirect', 'invalid_redirect_uri', { redirect_uris: ['https://evil.example/'] }],
    [
      'a call to this machine',
      'invalid_client_metadata',
      { ...ping, backchannel_client_notification_endpoint: 'https://127.0.0.1/x' },
    ],
    [
      'a call by http',
      'invalid_client_metadata',
      { ...ping, backchannel_client_notification_endpoint: 'http://example.com/x' },
    ],
  ] as const) {
    rows.push(
      of(`a client that registers, let in by Bob, with ${what}`, 'POST /register', `400 ${expected}`, async () =>
        register(changes, `Bearer ${(await world.phone.registrationToken('bob')).token}`),
      ),
    );
  }
  for (const [method, path] of [
    ...['/token', '/bc-authorize', '/register', '/revoke', '/device/code'].map((path) => ['GET', path] as const),
    ...['/jwks', '/authorize', '/.well-known/openid-configuration'].map((path) => ['POST', path] as const),
    ...['/token', '/jwks'].map((path) => ['DELETE', path] as const),
  ]) {
    rows.push(of('a method that it has not', `${method} ${path}`, '405', () => fetch(`${issuer}${path}`, { method })));
  }
  for (const path of [
    '/introspect',
    '/session/end',
    '/pushed',
    '/interaction/x',
    '/reg/x',
    '/token/',
    '/Token',
    '/token%2f',
  ]) {
    rows.push(
      of('an address of nothing', `POST ${path}`, '404', async () => {
        const answer = await post(path, {});
        return new Response(null, { status: answer.status });
      }),
    );
  }
  for (const [what, headers] of [
    ['no token', {}],
    ['a token that is none', { authorization: 'Bearer x' }],
    ['a token of the gateway’s', { authorization: `Bearer ${await hostile.mint()}` }],
  ] as const) {
    rows.push(of(what, 'GET /userinfo', '401 invalid_token', () => fetch(`${issuer}/userinfo`, { headers })));
  }
  return rows;
}
