import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostileWorld, startHostileWorld } from '../integration/hostile/hostile-world.ts';
import { type KnownThings, knownThings, limit } from '../integration/hostile/known-things.ts';
import { routes } from '../integration/hostile/routes.ts';
import { CIBA } from '../integration/sandbox/identity-provider-fixture.ts';
import { forShare, like, text } from './support.ts';

/** Milliseconds until an answer that doesn't come is a hang: longer than any route waits. */
const PATIENCE_MS = 40_000;

let hostile: HostileWorld;
let known: KnownThings;
beforeAll(async () => {
  hostile = await startHostileWorld();
  known = await knownThings(hostile);
});
afterAll(() => hostile?.close());

/** Routes that ask for no access token of the gateway's. */
const others = [
  ...[
    '/mcp',
    '/ciba/ping',
    '/token',
    '/bc-authorize',
    '/bc-outcome',
    '/register',
    '/revoke',
    '/device/code',
    '/userinfo',
  ],
  ...[
    '/authorize',
    '/phone/api/requests',
    '/phone/api/requests/x',
    '/phone/api/device',
    '/phone/api/connections',
  ],
  ...[
    '/phone/api/pairings',
    '/phone',
    '/signin/options',
    '/signin/passkey',
    '/signin/recovery',
    '/phone/link',
  ],
  ...[
    '/phone/pair/options',
    '/phone/pair/enrol',
    '/device',
    '/connections/connect',
    '/me/v1/connected-accounts/connect',
  ],
];
const order = limit('KO', '15');
const bodies = [
  {
    kind: 'order',
    order,
    ttl: 300,
    requested_by: 'fuzz',
    provenance: { fields: { qty: { source: 'user' } } },
  },
  {
    kind: 'order',
    order: { ...order, order_class: 'bracket', take_profit_limit_price: '20', stop_loss_stop_price: '10' },
  },
  { kind: 'batch', batch: { orders: [order, limit('PEP', '15')], on_failure: 'stop' } },
  { kind: 'replace', replace: { order_id: 'x', limit_price: '21' } },
  { kind: 'cancel', cancel: { order_id: 'x' } },
  { kind: 'lift', lift: {} },
  { kind: 'access', access: { role: 'viewer', who: 'bob' } },
  { kind: 'message', message: { service: 'slack', recipient: '#trading', text: 'hello' } },
  {
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      max_order_notional: '1',
      max_total_notional: '1',
      max_orders: 1,
      expires_at: '2027-01-01T00:00:00Z',
    },
  },
  { kind: 'policy_change', policy_change: { limits: { max_order_notional: '5000' } } },
  { limits: { max_order_notional: '5000', symbols: { allow: ['KO'] } } },
  { add: ['KO'], remove: ['PEP'] },
  { order },
  { account: 'PA3ALICE01' },
  { state: 'reducing' },
  { auth_req_id: 'x' },
  { user: 'alice', user_code: 'BCDF-GHJK', decision: 'deny' },
  {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'get_quote', arguments: { symbols: ['KO'] } },
  },
  {
    client_name: 'a robot',
    grant_types: [CIBA],
    response_types: [],
    token_endpoint_auth_method: 'none',
    jwks: { keys: [] },
  },
];

const request = fc.record({
  to: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...routes.map(({ method, path }) => [method, path] as const)) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom('GET', 'POST'), fc.constantFrom(...others)) },
  ),
  method: fc.option(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'), { freq: 8 }),
  /** In place of an id, or at the end. */
  id: fc.option(text, { freq: 3 }),
  query: fc.array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          'for',
          'account',
          'symbols',
          'limit',
          'status',
          'since',
          'key',
          'start',
          'end',
          'search',
          'client_order_id',
        ),
        text,
      ),
      text,
    ),
    { maxLength: 3 },
  ),
  body: fc.oneof(
    { weight: 6, arbitrary: like(...bodies).map((value) => JSON.stringify(value)) },
    { weight: 2, arbitrary: text },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc
        .array(
          fc.tuple(
            fc.constantFrom(
              'grant_type',
              'client_id',
              'scope',
              'login_hint',
              'authorization_details',
              'form_token',
              'assertion',
            ),
            text,
          ),
        )
        .map((form) =>
          new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])).toString(),
        ),
    },
  ),
  type: fc.constantFrom(
    'application/json',
    'application/json',
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain',
  ),
  /** By a sound token, by the terminal phone's secret, or by what is none. */
  as: fc.oneof(
    { weight: 5, arbitrary: fc.constant('session' as const) },
    fc.constant('phone' as const),
    fc.constant('nobody' as const),
  ),
});

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

let count = 0;
async function answerTo({
  to: [usual, route],
  method,
  id,
  query,
  body,
  type,
  as,
}: Request): Promise<{ status: number; said: string }> {
  const by = method ?? usual;
  const named = encodeURIComponent((id ?? 'nothing').toWellFormed());
  const [base = '', given = ''] = route.split('?');
  const path = base.includes('nothing') ? base.replace('nothing', named || 'x') : base;
  const parameters = new URLSearchParams(given);
  for (const [name, value] of query) parameters.append(name.toWellFormed(), value.toWellFormed());
  // A long poll is no hang; how long it may be, hostile.test.ts asks.
  parameters.delete('wait');
  const search = parameters.size === 0 ? '' : `?${parameters}`;
  const audience = path === '/mcp' ? `${hostile.gateway}/mcp` : hostile.gateway;
  const withBody = by === 'GET' ? {} : { body };
  const stop = AbortSignal.timeout(PATIENCE_MS);
  count += 1;
  const headers = {
    'content-type': type,
    'idempotency-key': `fuzz-${count}`,
    accept: 'application/json, text/event-stream',
  };
  const response =
    as === 'session'
      ? await hostile.send(by, `${path}${search}`, {
          mint: { claims: { aud: audience } },
          headers,
          ...withBody,
        })
      : await fetch(`${hostile.gateway}${path}${search}`, {
          method: by,
          redirect: 'manual',
          headers: {
            ...headers,
            authorization: `Bearer ${as === 'phone' ? hostile.world.sandbox.pairingSecret : 'x'}`,
          },
          ...(withBody as RequestInit),
          signal: stop,
        });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel();
    return { status: response.status, said: '' };
  }
  return { status: response.status, said: await response.text() };
}

describe('any request', () => {
  it('is never answered by a server error or what is inside, and never becomes an order', async () => {
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(request, async (one) => {
        // The terminal phone approves: what it is asked, it must not be asked here.
        fc.pre(one.as !== 'phone' || !JSON.stringify(one.body).includes('approve'));
        const { status, said } = await answerTo(one);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        // 502 to 504 tell of the broker or the provider in words; 500 of us.
        if (status >= 500)
          expect(said).toMatch(/"code":"(broker|token_exchange|account|provider|outcome)_\w+"/);
        expect(status).not.toBe(500);
        expect(said).not.toMatch(/\n\s+at .+:\d+|node_modules|\.ts:\d+/);
      }),
      forShare(0.5),
    );
    process.stdout.write(`${count} requests: ${JSON.stringify(Object.fromEntries([...statuses].sort()))}\n`);
    expect(
      hostile
        .placed()
        .map(({ client_order_id }) => client_order_id)
        .sort(),
    ).toEqual([...known.sent].sort());
    // It did reach the routes, and not the door alone.
    for (const status of [200, 400, 401, 404]) expect(statuses.get(status) ?? 0).toBeGreaterThan(0);
  });
});
