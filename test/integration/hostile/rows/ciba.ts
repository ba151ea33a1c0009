import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import { CIBA, EXCHANGE } from '../../sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../../sandbox/proposal-fixture.ts';
import type { HostileWorld } from '../hostile-world.ts';
import { attackOn, type Row } from '../row.ts';

const area = 'provider';
const GATEWAY = 'trade-agent-gateway';
const now = () => Math.floor(Date.now() / 1000);

type Claims = Record<string, unknown>;
const assertionFaults: readonly (readonly [what: string, changes: (issuer: string) => Claims])[] = [
  ['for the endpoint of another server', () => ({ aud: 'https://other.example/token' })],
  ['for two audiences', (issuer) => ({ aud: [issuer, 'https://other.example'] })],
  ['for nobody', () => ({ aud: undefined })],
  ['of another client', () => ({ iss: 'trade-agent', sub: 'trade-agent' })],
  ['that doesn’t end', () => ({ exp: undefined })],
  ['that lives for a year', () => ({ exp: now() + 31_536_000 })],
  ['that is over', () => ({ iat: now() - 120, exp: now() - 60 })],
  ['without an id', () => ({ jti: undefined })],
];

type H = HostileWorld;
/** A text is sent as it is. */
const badDetails: readonly (readonly [what: string, details: (hostile: H) => unknown])[] = [
  ['no details', () => ''],
  ['details that are no JSON', () => '['],
  ['details that are no list', () => '{}'],
  ['an empty list', () => '[]'],
  ['null', () => '[null]'],
  ['a type that there is none of', () => '[{"type":"transfer"}]'],
  ['an order twice', (h) => [orderOf(h), orderOf(h)]],
  ['an order without its quantity', (h) => [{ ...orderOf(h), qty: undefined }]],
  ['an order with another digest', (h) => [{ ...orderOf(h), digest: 'A'.repeat(43) }]],
  ['an order for another gateway', (h) => [{ ...orderOf(h), locations: ['https://evil.example'] }]],
  ['an order with a code of the client’s own', (h) => [{ ...orderOf(h), code: '7K3M' }]],
  ['an order with a field more', (h) => [{ ...orderOf(h), note: 'x' }]],
  ['a proposal with another digest', (h) => [proposed(h, { digest: 'A'.repeat(43) })]],
  ['a proposal for another gateway', (h) => [proposed(h, { locations: ['https://evil.example'] })]],
  [
    'a proposal with half of a surrogate pair',
    (h) => [proposed(h, { requested_by: '\ud800', digest: 'A'.repeat(43) })],
  ],
  ['a proposal without a subject', (h) => [proposed(h, { subject: {} })]],
  ['a proposal that is over', (h) => [proposed(h, { expires_at: '2020-01-01T00:00:00Z' })]],
  ['a proposal with a code of five', (h) => [proposed(h, { code: 'AAAAA' })]],
];
/** What the gateway itself, taken over, can't have its owner asked. */
const questions: readonly (readonly [what: string, expected: string, form: (hostile: H) => Record<string, string>])[] =
  [
    ...badDetails.map(([what, details]) => {
      const form = (hostile: H) => {
        const sent = details(hostile);
        return { authorization_details: typeof sent === 'string' ? sent : JSON.stringify(sent) };
      };
      return [what, '400 invalid_authorization_details', form] as const;
    }),
    ['a proposal under another code', '400 invalid_binding_message', () => ({ binding_message: 'BUY 5 AAPL AAAA' })],
    ['nobody', '400 unknown_user_id', () => ({ login_hint: 'mallory' })],
    ['__proto__', '400 unknown_user_id', () => ({ login_hint: '__proto__' })],
    ['another resource', '400 invalid_target', () => ({ resource: 'https://evil.example' })],
    ['more than its scope', '400 invalid_scope', () => ({ scope: 'openid orders:write messages:write' })],
    ['a scope of a session', '400 invalid_scope', () => ({ scope: 'openid portfolio:read' })],
    ['for no time', '400 invalid_request', () => ({ requested_expiry: '0' })],
  ];
const orderOf = (hostile: HostileWorld) => buildTradeOrderDetails(hostile.draft(), hostile);
const proposed = (hostile: HostileWorld, changes: Parameters<typeof proposalDetails>[1] = {}) =>
  proposalDetails('order', { locations: [hostile.gateway], ...changes });

/** By who has the gateway's own key at the provider, or pretends to. */
export async function cibaRows(hostile: HostileWorld): Promise<Row[]> {
  const { world } = hostile;
  const { issuer } = world.sandbox.ready;
  const seed = JSON.parse(readFileSync(join(world.folder, 'sandbox', 'seed.json'), 'utf8')) as {
    gateway_key: JWK;
  };
  const gatewayKey = await importJWK(seed.gateway_key, 'ES256');
  const assertion = async (changes: Claims = {}, key = gatewayKey) =>
    new SignJWT(
      JSON.parse(
        JSON.stringify({
          ...{ iss: GATEWAY, sub: GATEWAY, aud: issuer, iat: now(), exp: now() + 60, jti: randomUUID() },
          ...changes,
        }),
      ),
    )
      .setProtectedHeader({ alg: 'ES256', kid: 'gateway' })
      .sign(key);
  const asGateway = async (path: string, form: Record<string, string>, text?: string) => {
    const proof = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: text ?? (await assertion()),
    };
    return await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ ...form, ...proof }),
    });
  };
  const of = attackOn(area);
  const rows: Row[] = [];
  const endpoints = [
    ['/token', { grant_type: CIBA, auth_req_id: 'none' }],
    ['/bc-authorize', { scope: 'openid' }],
    ['/bc-outcome', { auth_req_id: 'none', state: 'executed' }],
  ] as const;
  const { privateKey: another } = await generateKeyPair('ES256');
  for (const [path, form] of endpoints) {
    const at = `POST ${path}`;
    const expected = '401 invalid_client';
    for (const [what, changes] of assertionFaults) {
      rows.push(
        of(`a client’s assertion ${what}`, at, expected, async () =>
          asGateway(path, form, await assertion(changes(issuer))),
        ),
      );
    }
    rows.push(
      of('a client’s assertion by another key', at, expected, async () =>
        asGateway(path, form, await assertion({}, another)),
      ),
    );
    rows.push(
      of('a client’s assertion used before', at, expected, async () => {
        const once = await assertion();
        await asGateway(path, form, once);
        return asGateway(path, form, once);
      }),
    );
  }
  for (const [what, expected, form] of questions) {
    rows.push(
      of(`asking ${what}`, 'POST /bc-authorize', expected, () => {
        const details = proposed(hostile);
        return asGateway('/bc-authorize', {
          ...{ scope: 'openid orders:write', login_hint: 'alice', resource: hostile.gateway },
          binding_message: `BUY 5 AAPL LMT 180.00 ${details.code}`,
          ...{ client_notification_token: randomUUID(), authorization_details: JSON.stringify([details]) },
          ...form(hostile),
        });
      }),
    );
  }
  for (const [what, expected, form] of [
    ['a request that there is none of', '400 invalid_grant', { grant_type: CIBA, auth_req_id: 'guess' }],
    ['no request', '400 invalid_request', { grant_type: CIBA }],
    [
      'a token that is none',
      '400 invalid_request',
      {
        grant_type: EXCHANGE,
        subject_token: 'x',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        audience: 'paper-broker',
      },
    ],
    ['client_credentials', '400 unsupported_grant_type', { grant_type: 'client_credentials' }],
  ] as const) {
    rows.push(of(`a gateway that redeems ${what}`, 'POST /token', expected, () => asGateway('/token', form)));
  }
  return rows;
}
