import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { CIBA, details, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { type RawAnswer, type RawRequest, rawBytes, sendRaw } from './raw-request.ts';

const SEED = 20261126;
const AT_ONCE = 25;

const world = await startIdentityProvider({ fetch: async () => new Response(null, { status: 204 }) });
const said = (['error', 'warn', 'info', 'log'] as const).map((level) => vi.spyOn(console, level));
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => world.close());

/** No server error but one that says why, nothing of what is inside, and nothing said on the side. */
function expectFit({ status, text }: RawAnswer, sent: unknown): void {
  const what = JSON.stringify(sent).slice(0, 2_000);
  if (status !== undefined && status >= 500) {
    expect(status, `${what}\n${text}`).toBe(503);
    expect(text, what).toMatch(/\r\n\r\n.*[a-z]/s);
  }
  expect(text, what).not.toMatch(/\n\s+at .+:\d+|node_modules|\.[tj]s:\d+|server_error/);
}

function expectQuiet(): void {
  expect(world.problems.splice(0)).toEqual([]);
  for (const spy of said) {
    expect(spy.mock.calls).toEqual([]);
    spy.mockClear();
  }
}

/** Sends many, some at once. */
async function sendAll(requests: readonly RawRequest[]): Promise<Map<number | undefined, number>> {
  const statuses = new Map<number | undefined, number>();
  for (let i = 0; i < requests.length; i += AT_ONCE) {
    await Promise.all(
      requests.slice(i, i + AT_ONCE).map(async (request) => {
        const answer = await sendRaw(world.issuer, rawBytes(request));
        expectFit(answer, { ...request, body: request.body.toString('latin1') });
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }),
    );
  }
  return statuses;
}

const words = (text: string) => text.trim().split(/\s+/);

const paths = words(`
  / /.well-known/openid-configuration /.well-known/oauth-authorization-server /jwks /token /register /revoke
  /userinfo /device/code /bc-authorize /bc-outcome /authorize /me/v1/connected-accounts/connect
  /me/v1/connected-accounts/complete /me/v1/connected-accounts/accounts /me/v1/connected-accounts/accounts/x
  /device /device/confirm /signin /signin/options /signin/passkey /signin/recovery /signout /phone
  /phone/pair /phone/pair/options /phone/pair/enrol /phone/link /phone/authenticators
  /phone/authenticators/recovery /phone/sessions /phone/sessions/end /phone/programs /phone/programs/token
  /phone/programs/remove /phone/programs/sign-out /phone/events /phone/requests/x /phone/requests/x/options
  /phone/assets/page.css /phone/api/requests /phone/api/requests/x /phone/api/device /phone/api/connections
  /phone/api/tickets /phone/api/pairings /phone/api/registrations /connections/connect
  /connections/connect/options /connections/callback/x /phone/api/connections/details
`);

const endings = [
  '',
  ...words(String.raw`
    / // ? % %zz %00 %c3%28 %2e%2e%2f /../../etc/passwd \ ;a=b ?user_code=% ?user_code=%ff%fe ?user=alice&user=bob
    ?user=alice&wait=-1 ?user=alice&wait=x ?ticket[]=1&ticket=2 ?next=%2f%2fevil.example&next=
    ?error=access_denied&state=%00&code= ?__proto__=1&constructor=2 #fragment
  `),
  `?${'a'.repeat(4_000)}`,
  `/${'%41'.repeat(2_000)}`,
];

const bodies: readonly Buffer[] = [
  '',
  '{',
  '[]',
  'null',
  '0',
  '"',
  '{"__proto__":{"user":"alice"},"constructor":1}',
  '{"user":{"toString":1},"decision":["approve"]}',
  '{"user":"alice","user_code":null}',
  '{"user":"alice","decision":"approve","ticket":"x"}',
  '['.repeat(8_000),
  '{"a":'.repeat(3_000),
  'a=1&a=2&a=3',
  'grant_type=refresh_token&grant_type=x&client_id=trade-agent&client_id=y',
  'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=trade-agent&device_code=%00',
  'grant_type=refresh_token&client_id=trade-agent&refresh_token=%ff%fe%00',
  'client_id=trade-agent&scope=openid+%00&device_name=%e2%80%ae',
  'client_id=trade-agent&scope=&scope=openid',
  'client_id=trade-agent&scope=openid&resource=x&resource=http%3A%2F%2F%5B',
  'client_id=constructor&scope=openid',
  'client_id=__proto__&grant_type=__proto__',
  'token=%&client_id=trade-agent',
  'token=eyJhbGciOiJub25lIn0.e30.&client_id=trade-agent&token_type_hint=x',
  'client_assertion=a.b.c&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer',
  'client_assertion=e30.e30.e30&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer',
  'client_assertion=bnVsbA.bnVsbA.bnVsbA&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer',
  'form_token=x&user_code=%&decision=allow',
  'form_token=x&assertion=%7B%7D&next=%00',
  '%=%&=&&&==',
  '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n',
  '--x\r\ncontent-disposition: form-data; name="form_token"; filename="a"\r\n\r\nx\r\n--x--',
  'x'.repeat(20_000),
].map((text) => Buffer.from(text, 'latin1'));
const bytes = [
  Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]),
  Buffer.concat([Buffer.from('{"user":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]),
  Buffer.concat([Buffer.from('user=a'), Buffer.from([0x00, 0xff]), Buffer.from('&a=%c3%28')]),
  Buffer.alloc(70_000, 0x5b),
];

const types = [
  'application/json',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-16',
  'application/json; charset=nonsense',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'text/plain',
  'application/xml',
  '/',
  ';;;',
  'application/json, text/plain',
];

const credentials = [
  'Basic',
  'Basic !!!!',
  'Basic Og==',
  'Basic JTpw',
  'Bearer',
  'Bearer x',
  `Bearer ${'x'.repeat(43)}`,
  'Bearer a.b.c',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
  'DPoP eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.x',
  'DPoP x, DPoP y',
  'Digest username="x"',
  ' ',
];

const proofs = words(`
  x a.b.c e30.e30.e30 bnVsbA.bnVsbA.x {} , eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjpudWxsfQ.e30.x
`);

const headerPairs = fc.oneof(
  fc.tuple(fc.constant('content-type'), fc.constantFrom(...types)),
  fc.tuple(fc.constant('authorization'), fc.constantFrom(...credentials)),
  fc.tuple(fc.constant('dpop'), fc.constantFrom(...proofs)),
  fc.tuple(
    fc.constant('accept'),
    fc.constantFrom('*/*', 'text/html', 'application/json', 'text/event-stream', ',;q=x', 'a/b;q=9'),
  ),
  fc.tuple(
    fc.constant('cookie'),
    fc.constantFrom('=', 'a', '; ; ;', 'trade_agent_session_0=%', 'a=%ff%fe', `x=${'y'.repeat(5_000)}`),
  ),
  fc.tuple(fc.constant('x-phone-key'), fc.constantFrom('', 'x', 'A'.repeat(43), '\u00e9')),
  fc.tuple(fc.constant('origin'), fc.constantFrom('null', 'http://evil.example', '%', '')),
  fc.tuple(fc.constant('sec-fetch-site'), fc.constantFrom('cross-site', 'x', '')),
  fc.tuple(fc.constant('x-forwarded-host'), fc.constantFrom('evil.example', '[', '%', 'a b')),
  fc.tuple(fc.constant('x-forwarded-proto'), fc.constantFrom('gopher', 'https', '')),
  fc.tuple(fc.constant('x-forwarded-for'), fc.constantFrom('::1', 'x', '1.2.3.4,,')),
  fc.tuple(fc.constant('user-agent'), fc.constantFrom('', '\u00ff', 'x'.repeat(3_000))),
  fc.tuple(fc.constant('x-big'), fc.constant('x'.repeat(18_000))),
  fc.tuple(fc.constant('expect'), fc.constantFrom('100-continue', 'nonsense')),
  fc.tuple(fc.constant('transfer-encoding'), fc.constantFrom('chunked', 'gzip', 'identity')),
  fc.tuple(fc.constant('last-event-id'), fc.constantFrom('x', '99999999999999999999')),
  fc.tuple(fc.constantFrom('if-none-match', 'range', 'upgrade'), fc.constantFrom('x', 'bytes=0-', 'websocket')),
);

const request = (host: string, secret: string): fc.Arbitrary<RawRequest> =>
  fc
    .record({
      method: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom('GET', 'POST') },
        fc.constantFrom('HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW', 'get', 'PROPFIND'),
      ),
      path: fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom(...paths) },
        fc.constantFrom(...words('* http://evil.example/token //evil.example/token /% /\u00ff x /phone%2fapi')),
      ),
      ending: fc.oneof({ weight: 2, arbitrary: fc.constant('') }, fc.constantFrom(...endings)),
      host: fc.oneof(
        { weight: 12, arbitrary: fc.constant(host) },
        fc.constantFrom('evil.example', '', '[', 'localhost', `${host}.`, `${host}@evil.example`),
      ),
      isPhone: fc.boolean(),
      headers: fc.array(headerPairs, { maxLength: 4 }),
      body: fc.constantFrom(...bodies, ...bytes),
      length: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 7, 1_000_000)),
    })
    .map(({ method, path, ending, host: named, isPhone, headers, body, length }) => {
      const said = headers.some(([name]) => name === 'transfer-encoding')
        ? []
        : [['content-length', String(Math.max(0, body.length + length))] as const];
      // With the terminal phone's secret, so that what comes after it is reached too.
      const secrets = isPhone && path.startsWith('/phone/api') ? [['authorization', `Bearer ${secret}`] as const] : [];
      return {
        method,
        target: `${path}${ending}`,
        headers: [['host', named], ...secrets, ...headers, ...said],
        body,
      };
    });

const post = (target: string, text: string, type: string, more: [name: string, value: string][] = []): RawRequest => {
  const body = Buffer.from(text);
  const { host } = new URL(world.issuer);
  const length = ['content-length', String(body.length)] as const;
  return { method: 'POST', target, headers: [['host', host], ...more, ['content-type', type], length], body };
};

describe('a malformed request', () => {
  it('is never answered by a server error, a hang or a stack, whatever the route', async () => {
    const { host } = new URL(world.issuer);
    const requests = fc.sample(request(host, world.pairingSecret), { seed: SEED, numRuns: 4_000 });
    const statuses = await sendAll(requests);
    // It did reach the routes, and not the parser alone.
    for (const status of [200, 400, 401, 404, 405, 421]) {
      expect(statuses.get(status) ?? 0, `${status} of ${JSON.stringify([...statuses])}`).toBeGreaterThan(10);
    }
    expectQuiet();
  }, 240_000);

  it('of a client that has proven who it is, neither', async () => {
    const gateway = await gatewayAsking(world);
    const text = fc.oneof(
      fc.constantFrom('', '\0', ...words('[] {} [{}] [null] [[]] null 1 % __proto__ alice openid')),
      fc.constantFrom(
        '[{"type":"trade_order"}]',
        `[${JSON.stringify(details())}]`,
        `[${JSON.stringify(proposalDetails())}]`,
      ),
      fc.constantFrom('[{"type":{}}]', '[{"type":"message_send","locations":{},"subject":null}]', '['.repeat(2_000)),
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.json({ maxDepth: 3 }),
    );
    const parameter = fc.constantFrom(
      ...words(`
        scope login_hint id_token_hint login_hint_token binding_message requested_expiry resource
        authorization_details client_notification_token user_code request_context acr_values request
        grant_type auth_req_id refresh_token device_code subject_token subject_token_type audience state
        text token token_type_hint client_id claims actor_token dpop_jkt
      `),
    );
    const forms = fc.sample(
      fc.record({
        path: fc.constantFrom('/bc-authorize', '/token', '/bc-outcome', '/revoke', '/device/code'),
        form: fc.array(fc.tuple(parameter, text), { maxLength: 8 }),
        grant: fc.constantFrom(CIBA, 'urn:ietf:params:oauth:grant-type:token-exchange', 'refresh_token', ''),
        ask: fc.boolean(),
      }),
      { seed: SEED, numRuns: 1_200 },
    );
    const requests: RawRequest[] = [];
    for (const { path, form, grant, ask } of forms) {
      const params = new URLSearchParams({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await gateway.assertion(),
      });
      if (path === '/token' && grant !== '') params.set('grant_type', grant);
      if (path === '/bc-authorize' && ask) {
        for (const [name, value] of [
          ['scope', 'openid orders:write'],
          ['login_hint', 'alice'],
          ['authorization_details', JSON.stringify([proposalDetails()])],
          ['client_notification_token', randomUUID()],
        ] as const) {
          params.set(name, value);
        }
      }
      for (const [name, value] of form) ask ? params.set(name, value) : params.append(name, value);
      requests.push(post(path, params.toString(), 'application/x-www-form-urlencoded'));
    }
    const statuses = await sendAll(requests);
    // 429 is what a wrong one is answered after too many; the route was reached all the same.
    expect((statuses.get(400) ?? 0) + (statuses.get(429) ?? 0)).toBeGreaterThan(200);
    expectQuiet();
  }, 240_000);

  it('that registers a client, neither', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const right: Record<string, unknown> = {
      client_name: 'a robot',
      grant_types: [CIBA],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'private_key_jwt',
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: 'https://127.0.0.1/ping',
      authorization_details_types: ['trade_order'],
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    };
    const name = fc.constantFrom(
      ...Object.keys(right),
      ...words(`
        client_uri logo_uri jwks_uri scope contacts software_id software_version application_type
        default_max_age subject_type sector_identifier_uri dpop_bound_access_tokens require_auth_time
        token_endpoint_auth_signing_alg id_token_signed_response_alg __proto__ client_id client_secret
      `),
    );
    const value = fc.oneof(
      fc.constantFrom(null, true, 0, -1, 1e308, '', '\0', [], {}, [null], [[]], [{}], { keys: {} }, { keys: [null] }),
      fc.constantFrom({ keys: [{ kty: 'EC' }] }, { keys: [{ kty: 'oct', k: 'x' }] }, ['x'], 'x'.repeat(9_000)),
      fc.constantFrom('https://', 'https://[', 'http://x', 'javascript:1', 'https://user:pass@x.example/#a'),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const changes = fc.sample(fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 4 }), {
      seed: SEED,
      numRuns: 600,
    });
    let at = Date.now();
    for (let i = 0; i < changes.length; i += AT_ONCE) {
      // Past the limits: it is the routes that are meant.
      at += 3_600_000;
      vi.useFakeTimers({ toFake: ['Date'], now: at });
      const requests = await Promise.all(
        changes.slice(i, i + AT_ONCE).map(async (changed): Promise<RawRequest> => {
          const { token } = await world.phone.registrationToken('bob');
          const body = JSON.stringify({ ...right, ...Object.fromEntries(changed) });
          return post('/register', body, 'application/json', [['authorization', `Bearer ${token}`]]);
        }),
      );
      await sendAll(requests);
    }
    expectQuiet();
  }, 240_000);
});
