import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, type JWTPayload, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPeople } from '../../../../src/home/identity-provider/people.ts';
import { RESOURCE, startIdentityProvider, type World } from '../../sandbox/identity-provider-fixture.ts';
import {
  type CompanyClientKeys,
  type CompanyIssuer,
  companyOfTests,
  dpopProof,
  newClient,
  newKey,
  redeem,
  startIssuer,
  validClaims,
} from './company-issuer.ts';

let acme: CompanyIssuer;
let other: CompanyIssuer;
let unlisted: CompanyIssuer;
let client: CompanyClientKeys;
let theirs: CompanyClientKeys;
let second: CompanyClientKeys;
let world: World;
beforeAll(async () => {
  [acme, other, unlisted] = await Promise.all([startIssuer(), startIssuer(), startIssuer()]);
  [client, theirs, second] = await Promise.all([
    newClient('agent-acme'),
    newClient('agent-other'),
    newClient('second'),
  ]);
  const { clients } = companyOfTests('', second);
  const company = companyOfTests(acme.issuer, client);
  world = await startIdentityProvider({
    companies: [
      { ...company, clients: [...company.clients, ...clients] },
      // It may not be set so in home.yaml: what the ceiling lets through, the grant still does not.
      companyOfTests(other.issuer, theirs, {
        organization: 'other',
        scopes: ['orders:read', 'orders:write'],
        groups: false,
      }),
    ],
  });
});
afterAll(() => Promise.all([world, acme, other, unlisted].map((one) => one?.close())));
afterEach(() => {
  vi.useRealTimers();
});

const home = () => ({ issuer: world.issuer, resource: RESOURCE });
const claims = (changes: object = {}): JWTPayload =>
  JSON.parse(JSON.stringify({ ...validClaims(acme.issuer, home(), client.id), ...changes }));
const seconds = () => Math.floor(Date.now() / 1000);
/** What a client is told, and what the home's log says of why. */
async function told(answer: ReturnType<typeof redeem>) {
  const before = world.problems.length;
  const { status, body } = await answer;
  return { status, error: body.error, body, logged: world.problems.slice(before).join('\n') };
}

describe('a company’s identity assertion', () => {
  it('is worth an access token of five minutes, bound to the key, that says for whom and by whose word', async () => {
    const act = { sub: 'agent-7', iss: 'https://agents.acme.example' };
    const { status, body } = await redeem(world.issuer, client, await acme.sign(claims({ act })));
    expect({ status, ...body }).toEqual({
      status: 200,
      access_token: expect.any(String),
      token_type: 'DPoP',
      expires_in: 300,
      scope: 'market:read orders:read orders:propose',
    });
    const token = decodeJwt(String(body.access_token));
    expect(token).toMatchObject({
      ...{ iss: world.issuer, aud: RESOURCE, sub: 'alice', client_id: client.id, act },
      ...{ org: 'acme', company: acme.issuer, groups: ['traders', 'staff'], client_name: 'Agent at Acme' },
      scope: 'market:read orders:read orders:propose',
      cnf: { jkt: await calculateJwkThumbprint(client.dpop.jwk) },
    });
    expect(Number(token.exp) - Number(token.iat)).toBe(300);
    expect(await world.provider().isRevoked(String(token.jti))).toBe(false);
  });

  it('may name its actor by a client, bind itself to the proof’s key, and be for this home in a list of one', async () => {
    const jkt = await calculateJwkThumbprint(client.dpop.jwk);
    const said = claims({ act: { client_id: 'planner' }, cnf: { jkt }, aud: [world.issuer] });
    const { status, body } = await redeem(world.issuer, client, await acme.sign(said));
    expect(status).toBe(200);
    expect(decodeJwt(String(body.access_token)).act).toEqual({ client_id: 'planner' });
  });

  it('is for the MCP endpoint where it says so, and groups are left out where the home does not take them', async () => {
    const resource = `${RESOURCE}/mcp`;
    const said = { ...validClaims(other.issuer, home(), theirs.id), resource };
    const { status, body } = await redeem(world.issuer, theirs, await other.sign(said), {
      parameters: { resource },
    });
    expect(status).toBe(200);
    const token = decodeJwt(String(body.access_token));
    expect(token).toMatchObject({ aud: resource, org: 'other', company: other.issuer });
    expect(token).not.toHaveProperty('groups');
  });

  it('is told of in the home’s metadata', async () => {
    const metadata = await (await fetch(`${world.issuer}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      grant_types_supported: expect.arrayContaining(['urn:ietf:params:oauth:grant-type:jwt-bearer']),
    });
  });
});

/** What differs from the valid one: claims, header, key, who redeems, or how. */
interface Variant {
  readonly claims?: () => object;
  readonly header?: { readonly typ?: string; readonly alg?: string; readonly kid?: string };
  readonly assertion?: () => Promise<string>;
  readonly as?: () => CompanyClientKeys;
  readonly with?: () => Promise<NonNullable<Parameters<typeof redeem>[3]>>;
}

/* Each differs from the valid one in exactly one thing. The reason is the log's: the client hears the error alone. */
const variants: [name: string, variant: Variant, error: string, reason: string][] = [
  [
    'is signed by nobody (alg none)',
    { assertion: async () => new UnsecuredJWT(claims()).encode() },
    'invalid_grant',
    'Invalid Compact JWS|"alg"',
  ],
  [
    'is signed by another key under the issuer’s key id',
    { assertion: async () => acme.sign(claims(), {}, (await newKey('x')).privateKey) },
    'invalid_grant',
    'signature verification failed',
  ],
  [
    'is signed by a key that the issuer does not have',
    { header: { kid: 'made-up' } },
    'invalid_grant',
    'a key that the issuer does not have',
  ],
  ['is of another type of JWT', { header: { typ: 'JWT' } }, 'invalid_grant', '"typ"'],
  [
    'is of an issuer that nobody listed',
    { assertion: () => unlisted.sign(claims({ iss: unlisted.issuer })) },
    'invalid_grant',
    '"iss"|does not have|signature',
  ],
  [
    'is of another issuer by name alone',
    { claims: () => ({ iss: other.issuer }) },
    'invalid_grant',
    'unexpected "iss"',
  ],
  [
    'is for the token endpoint',
    { claims: () => ({ aud: `${world.issuer}/token` }) },
    'invalid_grant',
    'aud must be',
  ],
  [
    'is for two',
    { claims: () => ({ aud: [world.issuer, 'https://elsewhere.example'] }) },
    'invalid_grant',
    'aud must be',
  ],
  [
    'is for another home',
    { claims: () => ({ aud: 'https://elsewhere.example' }) },
    'invalid_grant',
    'aud must be',
  ],
  [
    'is for another client of the company',
    { claims: () => ({ client_id: second.id }) },
    'invalid_grant',
    'client_id is another',
  ],
  ['comes by another client of the company', { as: () => second }, 'invalid_grant', 'client_id is another'],
  [
    'comes by another company’s client',
    { as: () => theirs, claims: () => ({ client_id: theirs.id }) },
    'invalid_grant',
    '"iss"|does not have|signature',
  ],
  [
    'comes without client authentication',
    {
      with: async () => ({
        parameters: { client_assertion: undefined, client_assertion_type: undefined, client_id: client.id },
      }),
    },
    'invalid_client',
    '',
  ],
  [
    'comes by a client whose proof another key has signed',
    { as: () => ({ ...client, key: theirs.key }) },
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
  ['has ended', { claims: () => ({ iat: seconds() - 290, exp: seconds() - 6 }) }, 'invalid_grant', '"exp"'],
  [
    'was issued in the future',
    { claims: () => ({ iat: seconds() + 30, exp: seconds() + 60 }) },
    'invalid_grant',
    'iat lies ahead',
  ],
  ['is not valid yet', { claims: () => ({ nbf: seconds() + 30 }) }, 'invalid_grant', '"nbf"'],
  [
    'lives for 301 seconds',
    { claims: () => ({ exp: seconds() + 301, iat: seconds() }) },
    'invalid_grant',
    'lives longer than 300 s',
  ],
  [
    'lives for an hour',
    { claims: () => ({ exp: seconds() + 3600 }) },
    'invalid_grant',
    'lives longer than 300 s',
  ],
  ['has no jti', { claims: () => ({ jti: undefined }) }, 'invalid_grant', '"jti"'],
  ['has an empty jti', { claims: () => ({ jti: '' }) }, 'invalid_grant', 'jti is not'],
  ['is about nobody', { claims: () => ({ sub: undefined }) }, 'invalid_grant', '"sub"'],
  [
    'is about somebody whom the home does not know',
    { claims: () => ({ sub: 'u-mallory' }) },
    'invalid_grant',
    'sub is nobody',
  ],
  [
    'is about a name of the language’s own',
    { claims: () => ({ sub: 'constructor' }) },
    'invalid_grant',
    'sub is nobody',
  ],
  [
    'is about somebody who is not here any more',
    { claims: () => ({ sub: 'u-gone' }) },
    'invalid_grant',
    'is not here any more',
  ],
  [
    'is for another resource',
    { claims: () => ({ resource: 'https://elsewhere.example' }) },
    'invalid_grant',
    'resource is not the gateway',
  ],
  ['is for no resource', { claims: () => ({ resource: undefined }) }, 'invalid_grant', 'resource is not as'],
  [
    'is redeemed for another resource',
    { with: async () => ({ parameters: { resource: `${RESOURCE}/mcp` } }) },
    'invalid_target',
    'another resource',
  ],
  [
    'is bound to another key',
    { claims: () => ({ cnf: { jkt: 'A'.repeat(43) } }) },
    'invalid_grant',
    'bound to another key',
  ],
  [
    'is bound in a way that can’t be checked',
    { claims: () => ({ cnf: { kid: 'x' } }) },
    'invalid_grant',
    'cnf.* is not as',
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
      with: async () => ({ proof: await dpopProof(client.dpop, 'POST', 'https://elsewhere.example/token') }),
    },
    'invalid_dpop_proof',
    '',
  ],
  [
    'has a chain of actors',
    { claims: () => ({ act: { sub: 'a', act: { sub: 'b' } } }) },
    'invalid_grant',
    'act.* is not as',
  ],
  [
    'has an actor of another form',
    { claims: () => ({ act: { sub: 'a', may_act_until: 1 } }) },
    'invalid_grant',
    'act.* is not as',
  ],
  [
    'has an actor that is nobody',
    { claims: () => ({ act: { iss: 'https://acme.example' } }) },
    'invalid_grant',
    'act.* is not as',
  ],
  [
    'carries what its owner alone approves',
    { claims: () => ({ authorization_details: [{ type: 'trade_order' }] }) },
    'invalid_grant',
    'authorization_details is not as',
  ],
  [
    'is asked to carry what its owner alone approves',
    { with: async () => ({ parameters: { authorization_details: '[{"type":"trade_order"}]' } }) },
    'invalid_authorization_details',
    '',
  ],
  [
    'grants what an approval alone can give',
    { claims: () => ({ scope: 'orders:write' }) },
    'invalid_scope',
    'none of the scopes',
  ],
  [
    'grants what is beyond the company’s ceiling',
    { claims: () => ({ scope: 'orders:cancel' }) },
    'invalid_scope',
    'none of the scopes',
  ],
  ['grants nothing', { claims: () => ({ scope: undefined }) }, 'invalid_scope', 'none of the scopes'],
  [
    'is asked for what it does not grant',
    { with: async () => ({ parameters: { scope: 'portfolio:read orders:write' } }) },
    'invalid_scope',
    'none of the scopes',
  ],
  [
    'has groups of another form',
    { claims: () => ({ groups: 'traders' }) },
    'invalid_grant',
    'groups is not as',
  ],
  [
    'has more groups than a token takes',
    { claims: () => ({ groups: Array.from({ length: 200 }, (_, at) => `group-number-${at}-of-many`) }) },
    'invalid_grant',
    'groups is not as',
  ],
];

async function attempt({ as = () => client, claims: change, header, assertion, with: how }: Variant) {
  const signed = assertion === undefined ? await acme.sign(claims(change?.()), header) : await assertion();
  return await told(redeem(world.issuer, as(), signed, await how?.()));
}

describe('an identity assertion is refused that', () => {
  it.each(variants)('%s', async (_, variant, error, reason) => {
    const { status, body, logged, ...answer } = await attempt(variant);
    expect(answer).toEqual({ error });
    expect(status).toBe(error === 'invalid_client' ? 401 : 400);
    expect(logged).toMatch(new RegExp(reason));
    if (error === 'invalid_grant')
      expect(body).toEqual({ error, error_description: 'grant request is invalid' });
  });

  it('is none at all', async () => {
    for (const [assertion, error] of [
      ['not.a.jwt', 'invalid_grant'],
      ['', 'invalid_request'],
    ] as const) {
      expect((await told(redeem(world.issuer, client, assertion))).error).toBe(error);
    }
  });
});

describe('its scopes', () => {
  it.each([
    ['those that were asked for alone', {}, 'orders:read', 'orders:read'],
    [
      'those that the issuer granted alone',
      { scope: 'orders:read' },
      'orders:read market:read',
      'orders:read',
    ],
    ['those within the ceiling alone', { scope: 'orders:read orders:cancel' }, undefined, 'orders:read'],
    [
      'never orders:write beside others',
      { scope: 'orders:read orders:write' },
      'orders:read orders:write',
      'orders:read',
    ],
  ])('are %s', async (_, change, scope, expected) => {
    const { body } = await redeem(world.issuer, client, await acme.sign(claims(change)), {
      parameters: { scope },
    });
    expect(body.scope).toBe(expected);
    expect(decodeJwt(String(body.access_token)).scope).toBe(expected);
  });

  it('are never orders:write, whatever the ceiling says', async () => {
    const said = { ...validClaims(other.issuer, home(), theirs.id), scope: 'orders:read orders:write' };
    const { body } = await redeem(world.issuer, theirs, await other.sign(said));
    expect(body.scope).toBe('orders:read');
    const alone = await other.sign({ ...said, jti: randomUUID(), scope: 'orders:write' });
    expect((await redeem(world.issuer, theirs, alone)).body.error).toBe('invalid_scope');
  });
});

describe('an identity assertion is redeemed once', () => {
  it('and not by itself again, nor under its jti, also after the home was down', async () => {
    const said = claims();
    const assertion = await acme.sign(said);
    expect((await redeem(world.issuer, client, assertion)).status).toBe(200);
    for (const again of [assertion, await acme.sign({ ...said, sub: 'u-bob' })]) {
      const { error, logged } = await told(redeem(world.issuer, client, again));
      expect(error).toBe('invalid_grant');
      expect(logged).toContain('it was redeemed before');
    }
    await world.restart();
    expect((await told(redeem(world.issuer, client, assertion))).logged).toContain('it was redeemed before');
  });

  it('by one of many at the same moment', async () => {
    const assertion = await acme.sign(claims());
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => redeem(world.issuer, client, assertion)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 400),
    ]);
  });

  it('while another issuer’s jti is another’s', async () => {
    const { jti } = claims();
    expect((await redeem(world.issuer, client, await acme.sign(claims({ jti })))).status).toBe(200);
    const same = { ...validClaims(other.issuer, home(), theirs.id), jti: String(jti) };
    expect((await redeem(world.issuer, theirs, await other.sign(same))).status).toBe(200);
  });

  it('and may come again where it was refused for anything else', async () => {
    const assertion = await acme.sign(claims());
    const proof = await dpopProof(client.dpop, 'POST', `${world.issuer}/token`);
    const refusals = [
      { proof: undefined },
      { parameters: { resource: `${RESOURCE}/mcp` } },
      { parameters: { scope: 'orders:write' } },
      { parameters: { client_assertion: 'x' } },
    ];
    expect((await redeem(world.issuer, client, await acme.sign(claims()), { proof })).status).toBe(200);
    for (const refused of [...refusals, { proof }]) {
      expect((await redeem(world.issuer, client, assertion, refused)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await redeem(world.issuer, client, assertion)).status).toBe(200);
  });

  it('and is forgotten once it has ended', async () => {
    const said = claims({ exp: seconds() + 10 });
    expect((await redeem(world.issuer, client, await acme.sign(said))).status).toBe(200);
    const kept = () =>
      world.database().prepare('SELECT 1 FROM redeemed_assertions WHERE jti = ?').all(said.jti);
    expect(kept()).toHaveLength(1);
    vi.useFakeTimers({ now: Date.now() + 16_000, toFake: ['Date'] });
    await redeem(world.issuer, client, await acme.sign(claims()));
    expect(kept()).toHaveLength(0);
  });
});

describe('a company’s issuer', () => {
  it('may take other keys, and its old ones count no more', async () => {
    const [old] = acme.state.keys;
    expect((await redeem(world.issuer, client, await acme.sign(claims()))).status).toBe(200);
    acme.state.keys = [await newKey('renewed')];
    // The keys are not read again at once for a key id that nobody knows: whoever sends such could have them read all day.
    vi.useFakeTimers({ now: Date.now() + 11_000, toFake: ['Date'] });
    expect((await redeem(world.issuer, client, await acme.sign(claims()))).status).toBe(200);
    const byOld = await acme.sign(claims(), { kid: 'first' }, old?.privateKey);
    expect((await told(redeem(world.issuer, client, byOld))).logged).toContain(
      'a key that the issuer does not have',
    );
  });

  it('is not asked about what nobody could redeem', async () => {
    const before = acme.state.reads;
    await attempt({ with: async () => ({ proof: undefined }) });
    await attempt({ with: async () => ({ parameters: { client_assertion: 'x' } }) });
    await attempt({ assertion: async () => new UnsecuredJWT(claims()).encode() });
    expect(acme.state.reads).toBe(before);
  });

  it('that gives no answer refuses nothing for good, and is not waited for longer than three seconds', async () => {
    const down = await startIssuer();
    const late = await newClient('agent-late');
    const fresh = await startIdentityProvider({ companies: [companyOfTests(down.issuer, late)] });
    try {
      down.state.isDown = true;
      const at = { issuer: fresh.issuer, resource: RESOURCE };
      const assertion = await down.sign(validClaims(down.issuer, at, late.id));
      const since = performance.now();
      const { status, body } = await redeem(fresh.issuer, late, assertion);
      expect({ status, error: body.error }).toEqual({ status: 503, error: 'temporarily_unavailable' });
      expect(performance.now() - since).toBeLessThan(4000);
      down.state.isDown = false;
      expect((await redeem(fresh.issuer, late, assertion)).status).toBe(200);
    } finally {
      await Promise.all([fresh.close(), down.close()]);
    }
  });
});

it('ends with its person, at once', async () => {
  const { body } = await redeem(world.issuer, client, await acme.sign(claims({ sub: 'u-bob' })));
  const jti = String(decodeJwt(String(body.access_token)).jti);
  expect(await world.provider().isRevoked(jti)).toBe(false);
  createPeople(world.database(), Date.now).remove('bob');
  expect(await world.provider().isRevoked(jti)).toBe(true);
  const again = await acme.sign(claims({ sub: 'u-bob' }));
  expect((await told(redeem(world.issuer, client, again))).logged).toContain('is not here any more');
});

it('nothing of an assertion was in the log', () => {
  expect(world.problems.length).toBeGreaterThan(30);
  expect(world.problems.join('\n')).not.toMatch(/eyJ|u-alice|u-mallory/);
});
