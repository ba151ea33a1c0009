import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, type JWTPayload, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPeopleStore } from '../../../../src/store/home/people.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';
import { RESOURCE, startIdentityProvider, type World } from '../../sandbox/identity-provider-fixture.ts';
import { attempt, claimsOf, type Ground, type Parties, startParties, variants } from './assertion-variants.ts';
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

let parties: Parties;
let acme: CompanyIssuer;
let other: CompanyIssuer;
let client: CompanyClientKeys;
let theirs: CompanyClientKeys;
let world: World;
let close: () => Promise<unknown>;
beforeAll(async () => {
  const started = await startParties();
  ({ parties, close } = started);
  ({ acme, other, client, theirs } = parties);
  world = await startIdentityProvider({ companies: started.companies });
});
afterAll(() => Promise.all([world?.close(), close?.()]));
afterEach(() => {
  vi.useRealTimers();
});

const home = () => ({ issuer: world.issuer, resource: RESOURCE });
const ground = (): Ground => ({ ...parties, ...home() });
const claims = (changes: object = {}): JWTPayload => claimsOf(ground(), changes);
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

describe('an identity assertion is refused that', () => {
  it.each(variants)('%s', async (_, variant, error, reason) => {
    const { status, body, logged, ...answer } = await told(attempt(ground(), variant));
    expect(answer).toEqual({ error });
    expect(status).toBe(error === 'invalid_client' ? 401 : 400);
    expect(logged).toMatch(new RegExp(reason));
    if (error === 'invalid_grant') expect(body).toEqual({ error, error_description: 'grant request is invalid' });
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
    ['those that the issuer granted alone', { scope: 'orders:read' }, 'orders:read market:read', 'orders:read'],
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
      expect(logged).toContain('it was already redeemed');
    }
    await world.restart();
    expect((await told(redeem(world.issuer, client, assertion))).logged).toContain('it was already redeemed');
  });

  it('by one of many at the same moment', async () => {
    const assertion = await acme.sign(claims());
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(world.issuer, client, assertion)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 400)]);
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
    const kept = () => world.database().prepare('SELECT 1 FROM redeemed_assertions WHERE jti = ?').all(said.jti);
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
    expect((await told(redeem(world.issuer, client, byOld))).logged).toContain('a key that the issuer does not have');
  });

  it('is not asked about what nobody could redeem', async () => {
    const before = acme.state.reads;
    await attempt(ground(), { with: async () => ({ proof: undefined }) });
    await attempt(ground(), { with: async () => ({ parameters: { client_assertion: 'x' } }) });
    await attempt(ground(), { assertion: async () => new UnsecuredJWT(claims()).encode() });
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
  await createPeopleStore(createSqliteTransactions(world.database()), Date.now).remove('bob');
  expect(await world.provider().isRevoked(jti)).toBe(true);
  const again = await acme.sign(claims({ sub: 'u-bob' }));
  expect((await told(redeem(world.issuer, client, again))).logged).toContain('no longer exists');
});

it('nothing of an assertion was in the log', () => {
  expect(world.problems.length).toBeGreaterThan(30);
  expect(world.problems.join('\n')).not.toMatch(/eyJ|u-alice|u-mallory/);
});
