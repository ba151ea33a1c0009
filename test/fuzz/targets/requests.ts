import assert from 'node:assert/strict';
import { type HostileWorld, startHostileWorld } from '../../integration/hostile/hostile-world.ts';
import { type KnownThings, knownThings, limit } from '../../integration/hostile/known-things.ts';
import { routes } from '../../integration/hostile/routes.ts';
import type { Target } from './target.ts';

/** Milliseconds until an answer that doesn't come is a hang: longer than any route waits. */
const PATIENCE_MS = 40_000;

/** By a sound token, by the terminal phone's secret, by a browser that is signed in, or by what is none. */
export type As = 'session' | 'phone' | 'browser' | 'nobody';

export interface FuzzedRequest {
  readonly method: string;
  readonly path: string;
  readonly as: As;
  readonly type: string;
  readonly body?: string | Buffer;
}

export interface FuzzedHome {
  readonly hostile: HostileWorld;
  readonly known: KnownThings;
  /** @throws for a server error, internals in the answer, or a hang */
  answerTo(request: FuzzedRequest): Promise<{ readonly status: number; readonly said: string }>;
  requireNoOrder(): void;
  close(): Promise<void>;
}

export const otherRoutes = [
  ...['/mcp', '/ciba/ping', '/token', '/bc-authorize', '/bc-outcome', '/register', '/revoke', '/device/code'],
  ...['/userinfo', '/authorize', '/phone/api/requests', '/phone/api/requests/x', '/phone/api/device'],
  ...['/phone/api/connections', '/phone/api/pairings', '/phone', '/signin/options', '/signin/passkey'],
  ...['/signin/recovery', '/phone/link', '/phone/pair/options', '/phone/pair/enrol', '/device'],
  ...['/connections/connect', '/me/v1/connected-accounts/connect'],
];

const order = limit('KO', '15');
export const soundBodies: readonly unknown[] = [
  {
    ...{ kind: 'order', order, ttl: 300, requested_by: 'fuzz' },
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
      ...{ symbols: ['KO'], max_order_notional: '1', max_total_notional: '1', max_orders: 1 },
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
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: { name: 'get_quote', arguments: { symbols: ['KO'] } },
  },
  {
    ...{ client_name: 'a robot', grant_types: ['urn:openid:params:grant-type:ciba'], response_types: [] },
    ...{ token_endpoint_auth_method: 'none', jwks: { keys: [] } },
  },
];

/** A sandbox home, an attacker with the provider's key, and earlier approvals. */
export async function openFuzzedHome(): Promise<FuzzedHome> {
  const hostile = await startHostileWorld();
  const known = await knownThings(hostile);
  let count = 0;

  async function send({ method, path, as, type, body }: FuzzedRequest): Promise<Response> {
    count += 1;
    const headers = {
      'content-type': type,
      'idempotency-key': `fuzz-${count}`,
      accept: 'application/json, text/event-stream',
    };
    const withBody = method === 'GET' || method === 'HEAD' || body === undefined ? {} : { body };
    if (as === 'session') {
      const audience = path.startsWith('/mcp') ? `${hostile.gateway}/mcp` : hostile.gateway;
      return await hostile.send(method, path, { mint: { claims: { aud: audience } }, headers, ...withBody });
    }
    const init = { method, signal: AbortSignal.timeout(PATIENCE_MS), ...(withBody as RequestInit) };
    if (as === 'browser') return await known.phones.alice.visit(path, { ...init, headers });
    const secret = as === 'phone' ? hostile.world.sandbox.pairingSecret : 'x';
    return await fetch(`${hostile.gateway}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...headers, authorization: `Bearer ${secret}` },
    });
  }

  return {
    hostile,
    known,
    async answerTo(request) {
      const response = await send(request);
      const { status } = response;
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
        await response.body?.cancel();
        return { status, said: '' };
      }
      const said = await response.text();
      // 502 to 504 tell of the broker or the provider in words; 500 of us.
      const foretold = /"code":"(broker|token_exchange|account|provider|outcome)_\w+"/.test(said);
      assert.ok(status < 500 || (status > 500 && foretold), `${status} ${said.slice(0, 500)}`);
      assert.doesNotMatch(said, /\n\s+at .+:\d+|node_modules|\.ts:\d+/);
      return { status, said };
    },
    requireNoOrder() {
      const placed = hostile.placed().map(({ client_order_id }) => client_order_id);
      assert.deepEqual(placed.sort(), [...known.sent].sort());
    },
    close: () => hostile.close(),
  };
}

const people: readonly As[] = ['session', 'phone', 'browser', 'nobody'];

/** A request as text: `POST /v1/proposals session application/json`, and below it its body. */
export async function openRequestTarget(): Promise<Target> {
  const home = await openFuzzedHome();
  const line = (method: string, path: string, as: As, type: string, body: string) =>
    `${method} ${path} ${as} ${type}\n${body}`;
  return {
    seeds: () => [
      ...routes.map(({ method, path }) => line(method, path, 'session', 'application/json', '')),
      ...soundBodies.map((body) => line('POST', '/v1/proposals', 'session', 'application/json', JSON.stringify(body))),
      line('POST', '/mcp', 'session', 'application/json', JSON.stringify(soundBodies.at(-2))),
      ...otherRoutes.flatMap((path) => [
        line('POST', path, 'browser', 'application/x-www-form-urlencoded', 'form_token=x&decision=deny'),
        line('GET', path, 'browser', 'text/plain', ''),
        line('POST', path, 'nobody', 'application/x-www-form-urlencoded', 'grant_type=x&client_id=x&scope=openid'),
      ]),
    ],
    async read(text) {
      const request = requestOf(text);
      if (request === undefined) return;
      await home.answerTo(request);
      home.requireNoOrder();
    },
    close: () => home.close(),
  };
}

/** Undefined for invalid text, and for requests that would approve, sign out or wait. */
function requestOf(text: string): FuzzedRequest | undefined {
  const [, method, path, as, type, body = ''] =
    /^(GET|POST|PUT|PATCH|DELETE) (\/[\x21-\x7e]{0,300}) (\w+) ([\w/+-]{1,60})\n?(.*)$/s.exec(text) ?? [];
  const by = people.find((one) => one === as);
  if (method === undefined || path === undefined || type === undefined || by === undefined) return undefined;
  if ((by === 'phone' || by === 'browser') && /approve|sign-?out|logout/i.test(`${path} ${body}`)) return undefined;
  // Behind a host of its own, as a browser reads it.
  if (/wait/.test(path) || (by === 'browser' && path.startsWith('//'))) return undefined;
  return { method, path, as: by, type, body };
}
