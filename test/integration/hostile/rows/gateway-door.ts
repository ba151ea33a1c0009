import { createHmac, randomUUID } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { SCOPES } from '../../../../src/oauth/scopes.ts';
import { dpopKey } from '../../gateway/support/dpop-key.ts';
import type { Attempt, HostileWorld, ProofTarget } from '../hostile-world.ts';
import { named, type Route, routes } from '../routes.ts';
import { attackOn, type Row, saidBy } from '../row.ts';

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

type Fault = readonly [what: string, expected: string, attempt: (hostile: HostileWorld) => Attempt | Promise<Attempt>];
const claims = (changes: Record<string, unknown>): Attempt => ({ mint: { claims: changes } });

/** At each route: whichever forgot to ask is found. */
const tokenFaults: readonly Fault[] = [
  ['no token', '401 token_missing', () => ({ scheme: '', proof: async () => undefined })],
  ['a password', '401 token_malformed', () => ({ scheme: 'Basic', token: 'YWxpY2U6cHc=' })],
  [
    'a token signed by another key under the same key id',
    '401 token_signature',
    async () => ({ mint: { key: (await generateKeyPair('ES256')).privateKey } }),
  ],
  ['a token that has expired', '401 token_expired', () => claims({ exp: now() - 6 })],
  ['a token of another issuer', '401 token_issuer', () => claims({ iss: 'http://127.0.0.1:1' })],
  ['a token for /mcp', '401 token_audience', ({ gateway }) => claims({ aud: `${gateway}/mcp` })],
  ['an ID token', '401 token_type', () => ({ mint: { header: { typ: 'JWT' } } })],
  ['a token whose session has ended', '401 token_revoked', () => claims({ jti: randomUUID() })],
  [
    'a token that is bound to no key',
    '401 token_not_bound',
    () => ({ ...claims({ cnf: undefined }), scheme: 'Bearer' }),
  ],
  ['a bound token as Bearer', '401 token_bound', () => ({ scheme: 'Bearer' })],
];

/** At one route, as the same code looks at each. */
const moreTokenFaults: readonly Fault[] = [
  ['two tokens', '401 token_malformed', () => ({ scheme: 'DPoP a' })],
  ['an opaque token', '401 token_malformed', () => ({ token: 'opaque' })],
  ['a key id that nobody publishes', '401 token_key_unknown', () => ({ mint: { header: { kid: 'elsewhere' } } })],
  [
    'an audience that only starts alike',
    '401 token_audience',
    ({ gateway }) => claims({ aud: `${gateway}.evil.example` }),
  ],
  [
    'two audiences, /mcp among them',
    '401 token_audience',
    ({ gateway }) => claims({ aud: [gateway, `${gateway}/mcp`] }),
  ],
  ['no audience', '401 token_audience', () => claims({ aud: undefined })],
  ['no issuer', '401 token_issuer', () => claims({ iss: undefined })],
  ['no subject', '401 token_claims', () => claims({ sub: undefined })],
  ['an empty subject', '401 token_claims', () => claims({ sub: '' })],
  ['a subject that is a number', '401 token_claims', () => claims({ sub: 7 })],
  ['a subject that is a list', '401 token_claims', () => claims({ sub: ['alice', 'bob'] })],
  ['no id', '401 token_claims', () => claims({ jti: undefined })],
  ['an empty id', '401 token_claims', () => claims({ jti: '' })],
  ['no end', '401 token_claims', () => claims({ exp: undefined })],
  ['an end that is a text', '401 token_claims', () => claims({ exp: '2040' })],
  ['no beginning', '401 token_claims', () => claims({ iat: undefined })],
  ['a beginning in the future', '401 token_not_yet_valid', () => claims({ iat: now() + 60 })],
  ['not valid yet', '401 token_not_yet_valid', () => claims({ nbf: now() + 60 })],
  ['bound to a certificate', '401 token_claims', () => claims({ cnf: { 'x5t#S256': 'abc' } })],
  ['bound to an empty thumbprint', '401 token_claims', () => claims({ cnf: { jkt: '' } })],
  ['bound to a list of thumbprints', '401 token_claims', ({ key }) => claims({ cnf: { jkt: [key.jkt] } })],
  ['no client', '403 client_unknown', () => claims({ client_id: undefined })],
  ['a DPoP proof as a token', '401 token_type', () => ({ mint: { header: { typ: 'dpop+jwt' } } })],
  ['a logout token', '401 token_type', () => ({ mint: { header: { typ: 'logout+jwt' } } })],
  ['a token without a type', '401 token_type', () => ({ mint: { header: { typ: undefined } } })],
  [
    'an unsigned token (alg none)',
    '401 token_algorithm',
    async (hostile) => {
      const [, payload] = (await hostile.mint()).split('.');
      return { token: `${base64url({ alg: 'none', typ: 'at+jwt' })}.${payload}.` };
    },
  ],
  [
    'an HMAC keyed with what is public (HS256)',
    '401 token_algorithm',
    async (hostile) => {
      const [, payload] = (await hostile.mint()).split('.');
      const input = `${base64url({ alg: 'HS256', typ: 'at+jwt' })}.${payload}`;
      return { token: `${input}.${createHmac('sha256', 'public').update(input).digest('base64url')}` };
    },
  ],
  [
    'a payload changed after it was signed',
    '401 token_signature',
    async (hostile) => {
      const [header, payload = '', signature] = (await hostile.mint()).split('.');
      const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'bob' };
      return { token: `${header}.${base64url(changed)}.${signature}` };
    },
  ],
];

type ProofFault = readonly [
  what: string,
  expected: string,
  proof: (hostile: HostileWorld, target: ProofTarget) => Promise<string | undefined>,
];
const proofFaults: readonly ProofFault[] = [
  ['none', '401 dpop_proof_missing', async () => undefined],
  ['for another path', '401 dpop_proof_url', ({ key }, t) => key.proof({ ...t, url: `${t.url}/x` })],
  ['for another method', '401 dpop_proof_method', ({ key }, t) => key.proof({ ...t, method: 'HEAD' })],
  ['for another token', '401 dpop_proof_token', ({ key }, t) => key.proof({ ...t, token: 'another' })],
  ['by another key', '401 dpop_key_mismatch', async (_, t) => (await dpopKey()).proof(t)],
];
const moreProofFaults: readonly ProofFault[] = [
  ['for another host', '401 dpop_proof_url', ({ key }, t) => key.proof({ ...t, url: 'http://127.0.0.1:1/v1/clock' })],
  ['for no URL', '401 dpop_proof_url', ({ key }, t) => key.proof({ ...t, url: 'clock' })],
  ['for the method in small letters', '401 dpop_proof_method', ({ key }, t) => key.proof({ ...t, method: 'get' })],
  ['without the token’s hash', '401 dpop_proof_token', ({ key }, t) => key.proof(t, { claims: { ath: undefined } })],
  ['without an id', '401 dpop_proof_malformed', ({ key }, t) => key.proof(t, { claims: { jti: undefined } })],
  [
    'with an id of 300 characters',
    '401 dpop_proof_malformed',
    ({ key }, t) => key.proof(t, { claims: { jti: 'x'.repeat(300) } }),
  ],
  ['without a time', '401 dpop_proof_stale', ({ key }, t) => key.proof(t, { claims: { iat: undefined } })],
  ['of two minutes ago', '401 dpop_proof_stale', ({ key }, t) => key.proof({ ...t, at: t.at - 120_000 })],
  ['of two minutes from now', '401 dpop_proof_stale', ({ key }, t) => key.proof({ ...t, at: t.at + 120_000 })],
  ['of another type', '401 dpop_proof_malformed', ({ key }, t) => key.proof(t, { header: { typ: 'JWT' } })],
  ['without a key', '401 dpop_proof_malformed', ({ key }, t) => key.proof(t, { header: { jwk: undefined } })],
  ['that is no JWT', '401 dpop_proof_malformed', async () => 'proof'],
  ['twice', '401 dpop_proof_malformed', async ({ key }, t) => `${await key.proof(t)}, ${await key.proof(t)}`],
  [
    'that names the right key and is signed by another',
    '401 dpop_proof_signature',
    async ({ key }, t) => key.proof(t, { key: (await generateKeyPair('ES256')).privateKey }),
  ],
  [
    'unsigned',
    '401 dpop_proof_algorithm',
    async ({ key }, t) =>
      `${base64url({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk })}.${(await key.proof(t)).split('.')[1]}.AAAA`,
  ],
];

const clock: Route = { method: 'GET', path: '/v1/clock', scopes: ['market:read'] };

export function doorRows(hostile: HostileWorld): Row[] {
  const rows: Row[] = [];
  const tried = (
    area: Row['area'],
    route: Route,
    what: string,
    expected: string,
    attempt: (hostile: HostileWorld) => Attempt | Promise<Attempt>,
  ) =>
    rows.push(
      attackOn(area)(what, named(route), expected, async () =>
        hostile.send(route.method, route.path, await attempt(hostile)),
      ),
    );
  const token = 'gateway: access tokens';
  for (const [what, expected, attempt] of tokenFaults) {
    for (const route of routes) tried(token, route, what, expected, attempt);
  }
  const list: Route = { method: 'DELETE', path: '/v1/mandates/nothing', scopes: [] };
  for (const [what, expected, attempt] of moreTokenFaults) {
    // Where it is asked which client it is: not to look at the clock.
    const at: Route = expected === '403 client_unknown' ? { ...list, method: 'PUT', path: '/v1/halt' } : clock;
    tried(token, at, what, expected, attempt);
  }
  const dpop = 'gateway: DPoP proofs';
  for (const [what, expected, proof] of proofFaults) {
    for (const route of routes) tried(dpop, route, `a proof: ${what}`, expected, async () => ({ proof }));
  }
  for (const [what, expected, proof] of moreProofFaults) {
    tried(dpop, clock, `a proof: ${what}`, expected, async () => ({ proof }));
  }
  rows.push({
    ...{ area: dpop, what: 'a proof: used before', at: named(clock) },
    expected: '200, then 401 dpop_proof_replayed',
    async attack() {
      const sent = await hostile.mint();
      const at = { method: 'GET', url: `${hostile.gateway}${clock.path}`, token: sent, at: Date.now() };
      const proof = await hostile.key.proof(at);
      const once = () => hostile.send('GET', clock.path, { token: sent, proof: async () => proof });
      return `${(await once()).status}, then ${await saidBy(await once())}`;
    },
  });
  return [...rows, ...scopeRows(hostile)];
}

/** All scopes but one that it takes. */
function scopeRows(hostile: HostileWorld): Row[] {
  const refused = (what: string, route: Pick<Route, 'method' | 'path'>, attempt: Attempt): Row =>
    attackOn('gateway: scopes')(what, named(route), '403 insufficient_scope', () =>
      hostile.send(route.method, route.path, attempt),
    );
  const lacking = (scope: string): Attempt => claims({ scope: SCOPES.filter((one) => one !== scope).join(' ') });
  const propose = { method: 'POST', path: '/v1/proposals' } as const;
  const order = { symbol: 'KO', side: 'buy', qty: '1' };
  const message = { service: 'slack', recipient: '#trading', text: 'hello' };
  const asked = [
    ['orders:propose', 'an order', { kind: 'order', order }],
    ['orders:propose', 'a halt to be lifted', { kind: 'lift', lift: {} }],
    ['orders:propose', 'access', { kind: 'access', access: { role: 'viewer', who: 'bob' } }],
    ['messages:propose', 'a message', { kind: 'message', message }],
    ['orders:mandate', 'an order under a mandate', { kind: 'order', order, mandate: 'any' }],
  ] as const;
  const odd = ['xorders:write', 'orders:writes', 'ORDERS:WRITE', 'orders:*', '*', 'orders:write\u0000', ''];
  const placing = { method: 'POST', path: '/v1/orders' } as const;
  return [
    ...routes
      .filter(({ method, path }) => method !== 'POST' || path !== propose.path)
      .flatMap((route) => route.scopes.map((scope) => refused(`all scopes but ${scope}`, route, lacking(scope)))),
    ...asked.map(([scope, what, body]) =>
      refused(`all scopes but ${scope}, for ${what}`, propose, {
        ...lacking(scope),
        headers: { 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      }),
    ),
    ...odd.map((scope) => refused(`the scope ${JSON.stringify(scope)}`, placing, { ...claims({ scope }), body: '{}' })),
    refused('scopes as a list', placing, { ...claims({ scope: ['orders:write'] }), body: '{}' }),
  ];
}
