import { type JWTPayload, UnsecuredJWT } from 'jose';
import {
  type CompanyClientKeys,
  companyOfTests,
  dpopProof,
  newClient,
  newKey,
  type Redeemed,
  redeem,
  startIssuer,
  validClaims,
} from './company-issuer.ts';

/** A home that knows two companies, and who comes to it; `second` is another client of the first. */
export interface Ground extends Parties {
  /** Of the home. */
  readonly issuer: string;
  readonly resource: string;
}
export type Parties = Awaited<ReturnType<typeof startParties>>['parties'];

export async function startParties() {
  const [acme, other, unlisted] = await Promise.all([startIssuer(), startIssuer(), startIssuer()]);
  const [client, theirs, second] = await Promise.all([
    newClient('agent-acme'),
    newClient('agent-other'),
    newClient('second'),
  ]);
  const company = companyOfTests(acme.issuer, client);
  return {
    parties: { acme, other, unlisted, client, theirs, second },
    companies: [
      { ...company, clients: [...company.clients, ...companyOfTests('', second).clients] },
      // It may not be set so in home.yaml: what the ceiling lets through, the grant still does not.
      companyOfTests(other.issuer, theirs, {
        organization: 'other',
        scopes: ['orders:read', 'orders:write'],
        groups: false,
      }),
    ],
    close: () => Promise.all([acme.close(), other.close(), unlisted.close()]),
  };
}

/** Of a valid assertion, but for what is changed; undefined takes out. */
export function claimsOf({ acme, client, ...home }: Ground, changes: object = {}): JWTPayload {
  return JSON.parse(JSON.stringify({ ...validClaims(acme.issuer, home, client.id), ...changes }));
}

const seconds = () => Math.floor(Date.now() / 1000);

/** What differs from the valid one: claims, header, key, who redeems, or how. */
export interface Variant {
  readonly claims?: (ground: Ground) => object;
  readonly header?: { readonly typ?: string; readonly alg?: string; readonly kid?: string };
  readonly assertion?: (ground: Ground) => Promise<string>;
  readonly as?: (ground: Ground) => CompanyClientKeys;
  readonly with?: (ground: Ground) => Promise<NonNullable<Parameters<typeof redeem>[3]>>;
}

/** Says something else than the valid one. */
const says = (changes: object): Variant => ({ claims: () => ({ ...changes }) });

/* Each differs from the valid one in exactly one thing. The reason is the log's: the client hears the error alone. */
const invalidGrants: readonly [name: string, variant: Variant, reason: string][] = [
  [
    'is signed by nobody (alg none)',
    { assertion: async (g) => new UnsecuredJWT(claimsOf(g)).encode() },
    'Invalid Compact JWS|"alg"',
  ],
  [
    'is signed by another key under the issuer’s key id',
    { assertion: async (g) => g.acme.sign(claimsOf(g), {}, (await newKey('x')).privateKey) },
    'signature verification failed',
  ],
  [
    'is signed by a key that the issuer does not have',
    { header: { kid: 'made-up' } },
    'a key that the issuer does not have',
  ],
  ['is of another type of JWT', { header: { typ: 'JWT' } }, '"typ"'],
  [
    'is of an issuer that nobody listed',
    { assertion: (g) => g.unlisted.sign(claimsOf(g, { iss: g.unlisted.issuer })) },
    '"iss"|does not have|signature',
  ],
  ['is of another issuer by name alone', { claims: (g) => ({ iss: g.other.issuer }) }, 'unexpected "iss"'],
  ['is for the token endpoint', { claims: (g) => ({ aud: `${g.issuer}/token` }) }, 'aud must be'],
  ['is for two', { claims: (g) => ({ aud: [g.issuer, 'https://elsewhere.example'] }) }, 'aud must be'],
  ['is for another home', says({ aud: 'https://elsewhere.example' }), 'aud must be'],
  ['is for another client of the company', { claims: (g) => ({ client_id: g.second.id }) }, 'client_id does not match'],
  ['comes by another client of the company', { as: (g) => g.second }, 'client_id does not match'],
  [
    'comes by another company’s client',
    { as: (g) => g.theirs, claims: (g) => ({ client_id: g.theirs.id }) },
    '"iss"|does not have|signature',
  ],
  ['has ended', { claims: () => ({ iat: seconds() - 290, exp: seconds() - 6 }) }, '"exp"'],
  [
    'was issued in the future',
    { claims: () => ({ iat: seconds() + 30, exp: seconds() + 60 }) },
    'iat is in the future',
  ],
  ['is not valid yet', { claims: () => ({ nbf: seconds() + 30 }) }, '"nbf"'],
  ['lives for 301 seconds', { claims: () => ({ exp: seconds() + 301, iat: seconds() }) }, 'lifetime exceeds 300 s'],
  ['lives for an hour', { claims: () => ({ exp: seconds() + 3600 }) }, 'lifetime exceeds 300 s'],
  ['has no jti', says({ jti: undefined }), '"jti"'],
  ['has an empty jti', says({ jti: '' }), 'jti is invalid'],
  ['is about nobody', says({ sub: undefined }), '"sub"'],
  ['is about somebody whom the home does not know', says({ sub: 'u-mallory' }), 'sub is not listed'],
  ['is about a name of the language’s own', says({ sub: 'constructor' }), 'sub is not listed'],
  ['is about somebody who is not here any more', says({ sub: 'u-gone' }), 'no longer exists'],
  ['is for another resource', says({ resource: 'https://elsewhere.example' }), 'resource is neither the gateway'],
  ['is for no resource', says({ resource: undefined }), 'resource is invalid'],
  ['is bound to another key', says({ cnf: { jkt: 'A'.repeat(43) } }), 'bound to a different key'],
  ['is bound in a way that can’t be checked', says({ cnf: { kid: 'x' } }), 'cnf.* is invalid'],
  ['has a chain of actors', says({ act: { sub: 'a', act: { sub: 'b' } } }), 'act.* is invalid'],
  ['has an actor of another form', says({ act: { sub: 'a', may_act_until: 1 } }), 'act.* is invalid'],
  ['has an actor that is nobody', says({ act: { iss: 'https://acme.example' } }), 'act.* is invalid'],
  [
    'carries what its owner alone approves',
    says({ authorization_details: [{ type: 'trade_order' }] }),
    'authorization_details is invalid',
  ],
  ['has groups of another form', says({ groups: 'traders' }), 'groups is invalid'],
  [
    'has more groups than a token takes',
    says({ groups: Array.from({ length: 200 }, (_, at) => `group-number-${at}-of-many`) }),
    'groups is invalid',
  ],
];

export const variants: readonly [name: string, variant: Variant, error: string, reason: string][] = [
  ...invalidGrants.map(([name, variant, reason]): (typeof variants)[number] => [
    name,
    variant,
    'invalid_grant',
    reason,
  ]),
  [
    'comes without client authentication',
    {
      with: async (g) => ({
        parameters: { client_assertion: undefined, client_assertion_type: undefined, client_id: g.client.id },
      }),
    },
    'invalid_client',
    '',
  ],
  [
    'comes by a client whose proof another key has signed',
    { as: (g) => ({ ...g.client, key: g.theirs.key }) },
    'invalid_client',
    '',
  ],
  [
    'comes by a public client',
    {
      with: async () => ({
        parameters: {
          client_assertion: undefined,
          client_assertion_type: undefined,
          client_id: 'trade-agent',
        },
      }),
    },
    'invalid_request',
    '',
  ],
  [
    'is redeemed for another resource',
    { with: async (g) => ({ parameters: { resource: `${g.resource}/mcp` } }) },
    'invalid_target',
    'another resource',
  ],
  [
    'comes without a DPoP proof',
    { with: async () => ({ proof: undefined }) },
    'invalid_dpop_proof',
    'a DPoP proof is required',
  ],
  [
    'comes with a proof for another address',
    {
      with: async (g) => ({
        proof: await dpopProof(g.client.dpop, 'POST', 'https://elsewhere.example/token'),
      }),
    },
    'invalid_dpop_proof',
    '',
  ],
  [
    'is asked to carry what its owner alone approves',
    { with: async () => ({ parameters: { authorization_details: '[{"type":"trade_order"}]' } }) },
    'invalid_authorization_details',
    '',
  ],
  ['grants what an approval alone can give', says({ scope: 'orders:write' }), 'invalid_scope', 'none of the scopes'],
  [
    'grants what is beyond the company’s ceiling',
    says({ scope: 'orders:cancel' }),
    'invalid_scope',
    'none of the scopes',
  ],
  ['grants nothing', says({ scope: undefined }), 'invalid_scope', 'none of the scopes'],
  [
    'is asked for what it does not grant',
    { with: async () => ({ parameters: { scope: 'portfolio:read orders:write' } }) },
    'invalid_scope',
    'none of the scopes',
  ],
];

export async function attempt(ground: Ground, variant: Variant): Promise<Redeemed> {
  const { as, claims, header, assertion, with: how } = variant;
  const signed =
    assertion === undefined
      ? await ground.acme.sign(claimsOf(ground, claims?.(ground)), header)
      : await assertion(ground);
  return await redeem(ground.issuer, as?.(ground) ?? ground.client, signed, await how?.(ground));
}
