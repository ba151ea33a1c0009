import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { createAgent } from '../../../src/agent/run/create-agent.ts';
import { openCompanySession, verifyCompanySession } from '../../../src/auth/company/company-session.ts';
import { logout } from '../../../src/auth/logout.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { PASSWORD_SIGN_IN } from '../../../src/sandbox/company/company.ts';
import { getOrCreateDatabaseKey } from '../../../src/secrets/database-key.ts';
import { options, play } from '../agent/world.ts';
import { type CompanyWorld, companyWorld } from './company-world.ts';

const world = await companyWorld();
afterAll(() => world.close());
afterEach(() => {
  vi.useRealTimers();
});

const READ = ['portfolio:read'];
const MINUTE = 60_000;
const account = () => `${world.profile.gateway}/v1/account`;
const travel = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
const RENEWAL = ['POST company/token', 'POST company/token', 'POST home/token'];

/** A machine whose person has just signed in by their company. */
async function signedIn(sub?: string) {
  const machine = await world.machine();
  const user = await machine.login(sub === undefined ? {} : { sub });
  machine.asked.length = 0;
  return { machine, user, session: await machine.open() };
}

const kept = (machine: Awaited<ReturnType<CompanyWorld['machine']>>) =>
  machine.store.get(['session', 'refresh_token', 'access_token', 'dpop_key', 'company_key'], { fresh: true });

describe('a sign-in by one’s company', () => {
  it('is the home’s user of the same person, by a token of five minutes that says by whose word', async () => {
    const { machine, user, session } = await signedIn();
    expect(user).toEqual({ sub: 'alice', name: 'Alice Adams', email: 'alice@acme.example' });
    expect(session.clientId).toBe('trade-agent-acme');
    expect((await session.fetch(account(), {}, READ)).status).toBe(200);
    expect(machine.asked).toEqual([...RENEWAL, 'GET home/v1/account']);
    const { iat = 0, exp = 0, ...claims } = decodeJwt(machine.shown.at(-1) ?? '');
    expect(claims).toMatchObject({ sub: 'alice', client_id: 'trade-agent-acme', org: 'acme' });
    expect(claims).toMatchObject({ company: world.company.issuer, groups: ['staff', 'traders'] });
    expect(exp - iat).toBeLessThanOrEqual(300);
    expect(String(claims.scope)).not.toContain('write');
  });

  it('places an order that her phone approves', async () => {
    const { machine, session } = await signedIn();
    const agent = await createAgent({
      ...{ profile: world.profile, session, env: {} },
      stateDb: join(machine.home.data, 'state.db'),
      databaseKey: await getOrCreateDatabaseKey(machine.store),
    });
    const tap = async () => {
      const [request] = await world.phone.requests('alice', { waitSeconds: 25 });
      return await world.phone.decide(request?.id ?? '', 'approve');
    };
    const [{ result }] = await Promise.all([play(agent.run({ prompt: 'buy 5 AAPL' }, options())), tap()]);
    await agent.close();
    expect(result).toMatchObject({
      status: 'done',
      orders: [{ symbol: 'AAPL', qty: '5', status: 'filled' }],
    });
  });

  it('keeps its refresh token and keys, and no access token', async () => {
    const { machine, session } = await signedIn();
    await session.fetch(account(), {}, READ);
    expect(await kept(machine)).toEqual({
      session: expect.stringContaining('"sub":"alice"'),
      refresh_token: expect.any(String),
      access_token: undefined,
      dpop_key: expect.any(String),
      company_key: expect.any(String),
    });
  });

  it('is nobody’s to the home’s own sign-in, which would send the refresh token elsewhere', async () => {
    const { machine } = await signedIn();
    const { company: _, ...profile } = world.profile;
    expect(await openSession({ ...machine, profile })).toBeUndefined();
  });

  it('may do no more than the company and the home let anybody’s program', async () => {
    const { machine, session } = await signedIn();
    await expect(session.fetch(account(), {}, ['orders:mandate'])).rejects.toMatchObject({
      code: 'insufficient_scope',
      hint: expect.stringContaining('sign-in at the home itself'),
    });
    expect(machine.asked).toEqual([]);
  });
});

describe('its renewal', () => {
  it('asks the company again after five minutes, and nobody before', async () => {
    const { machine, session } = await signedIn();
    await session.fetch(account(), {}, READ);
    const before = await kept(machine);
    await session.fetch(account(), {}, READ);
    expect(machine.asked.slice(RENEWAL.length)).toEqual(['GET home/v1/account', 'GET home/v1/account']);
    machine.asked.length = 0;
    travel(5 * MINUTE + 1000);
    expect((await session.fetch(account(), {}, READ)).status).toBe(200);
    expect(machine.asked).toEqual([...RENEWAL, 'GET home/v1/account']);
    expect((await kept(machine)).refresh_token).not.toBe(before.refresh_token);
  });

  it('is one for many requests at once, and of several processes one at a time', async () => {
    const { machine } = await signedIn();
    const processes = [await machine.open(), await machine.open(), await machine.open()];
    const answers = await Promise.all(
      processes.flatMap((session) => [1, 2, 3].map(() => session.fetch(account(), {}, READ))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(machine.asked.filter((asked) => asked.endsWith('/token'))).toHaveLength(3 * RENEWAL.length);
  });

  it('of somebody who has left is refused in plain words, and their refresh token dropped', async () => {
    const { machine, session, user } = await signedIn('00u-bob');
    expect(user.sub).toBe('bob');
    await session.fetch(account(), {}, READ);
    await world.company.deactivate('00u-bob');
    travel(5 * MINUTE + 1000);
    const host = new URL(world.company.issuer).host;
    await expect(session.fetch(account(), {}, READ)).rejects.toMatchObject({
      code: 'login_required',
      message: `${host} has ended your sign-in`,
    });
    expect(await kept(machine)).toMatchObject({ session: undefined, refresh_token: undefined });
    expect(await openCompanySession({ ...machine, profile: world.profile })).toBeUndefined();
  });

  it('is refused whoever was signed out there, until they sign in again', async () => {
    const { machine, session } = await signedIn();
    await world.company.endSessions('00u-alice');
    await expect(session.fetch(account(), {}, READ)).rejects.toMatchObject({ code: 'login_required' });
    await machine.login();
    expect((await (await machine.open()).fetch(account(), {}, READ)).status).toBe(200);
  });

  it('that the company’s rules refuse leaves the session as it was', async () => {
    const { machine, session } = await signedIn();
    await world.withRule({ groups: ['nobody'] }, async () => {
      await expect(session.fetch(account(), {}, READ)).rejects.toMatchObject({
        code: 'insufficient_scope',
        message: expect.stringContaining('does not let trade-agent act for you at'),
        details: { error: 'access_denied' },
      });
      await expect(verifyCompanySession({ ...machine, profile: world.profile })).rejects.toMatchObject({
        details: { error: 'access_denied' },
      });
    });
    expect((await session.fetch(account(), {}, READ)).status).toBe(200);
    await verifyCompanySession({ ...machine, profile: world.profile });
  });

  const away: [string, 'company' | 'home', string][] = [
    ['the company', 'company', 'could not be renewed'],
    ['the home', 'home', 'the home did not sign you in'],
  ];
  it.each(away)('tells that it is %s that can’t be reached, and loses nothing', async (_, which, what) => {
    let isAway = false;
    const machine = await world.machine(async ({ url, method }, send) => {
      const isIts = url.startsWith(which === 'company' ? world.company.issuer : world.profile.issuer);
      if (isAway && isIts && method === 'POST') throw new TypeError('fetch failed');
      return await send();
    });
    await machine.login();
    const session = await machine.open();
    isAway = true;
    const where = which === 'company' ? world.company.issuer : world.profile.issuer;
    await expect(session.fetch(account(), {}, READ)).rejects.toMatchObject({
      code: 'provider_unreachable',
      message: expect.stringMatching(new RegExp(`${what}: ${where} can't be reached`)),
    });
    isAway = false;
    expect((await session.fetch(account(), {}, READ)).status).toBe(200);
  });
});

describe('signing in is refused', () => {
  const nothingKept = { session: undefined, refresh_token: undefined };

  it('for scopes that the company lets nobody have there; what was signed in is ended again', async () => {
    const machine = await world.machine();
    await world.withRule({ scopes: ['chat:write'] }, async () => {
      await expect(machine.login()).rejects.toMatchObject({
        code: 'insufficient_scope',
        details: { error: 'invalid_scope' },
        hint: expect.stringContaining('client trade-agent-acme'),
      });
    });
    expect(machine.asked.at(-1)).toBe('POST company/revoke');
    expect(await kept(machine)).toMatchObject(nothingKept);
  });

  it('where the company wants a stronger sign-in', async () => {
    const machine = await world.machine();
    await world.withRule({ acr: ['phr'] }, async () => {
      await expect(machine.login({ strength: PASSWORD_SIGN_IN })).rejects.toMatchObject({
        code: 'login_required',
        message: expect.stringContaining('requires a stronger sign-in'),
      });
      await machine.login();
    });
  });

  it('by a key that the company does not know', async () => {
    const machine = await world.machine();
    await machine.store.delete(['company_key']);
    await expect(machine.login()).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining("does not know this machine's key"),
      hint: expect.stringContaining(
        `"trade-agent login --company ${world.company.issuer} --client-id trade-agent-acme --show-key"`,
      ),
    });
  });

  const atHome: [string, string, string, string][] = [
    ['does not know its key', 'invalid_client', 'provider_error', '--show-key" prints to home.yaml'],
    ['takes nobody on the company’s word', 'invalid_grant', 'insufficient_scope', 'under that company\'s "people"'],
    ['lets the company have nothing', 'invalid_scope', 'insufficient_scope', '"scopes" in home.yaml'],
  ];
  it.each(atHome)('where the home %s, saying what to add', async (_, error, code, hint) => {
    const machine = await world.machine(async ({ url, method }, send) =>
      method === 'POST' && url === `${world.profile.issuer}/token`
        ? Response.json({ error }, { status: error === 'invalid_client' ? 401 : 400 })
        : await send(),
    );
    await expect(machine.login()).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
    expect(await kept(machine)).toMatchObject(nothingKept);
  });

  it('where the metadata is of another issuer', async () => {
    const machine = await world.machine(async ({ url }, send) => {
      const answer = await send();
      if (!url.includes('/.well-known/')) return answer;
      return Response.json({ ...((await answer.json()) as object), issuer: 'https://login.evil.example' });
    });
    // By a name that this process has not asked for its metadata yet.
    const issuer = `${world.company.issuer}/`;
    const company = { ...world.profile.company, issuer };
    await expect(machine.login({ profile: { ...world.profile, company } })).rejects.toMatchObject({
      code: 'provider_error',
    });
  });

  it('where the company is to be asked in the clear, beyond this machine', async () => {
    const machine = await world.machine();
    const company = { ...world.profile.company, issuer: 'http://login.acme.example' };
    await expect(machine.login({ profile: { ...world.profile, company } })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('must be an https address'),
    });
    expect(machine.asked).toEqual([]);
  });
});

describe('signing out', () => {
  it.each([
    ['keeps the key that others have entered', false],
    ['forgets it where the machine is given away', true],
  ])('ends the sign-in at the company, and %s', async (_, forgetClients) => {
    const { machine, session } = await signedIn();
    const { profile } = world;
    expect(await logout({ ...machine, profile, forgetClients })).toMatchObject({
      user: { sub: 'alice' },
      revoked: true,
      warning: undefined,
    });
    expect(machine.asked).toEqual(['POST company/revoke']);
    const left = await kept(machine);
    expect(left).toMatchObject({ session: undefined, refresh_token: undefined, dpop_key: undefined });
    expect(left.company_key === undefined).toBe(forgetClients);
    await expect(session.fetch(account(), {}, READ)).rejects.toMatchObject({ code: 'login_required' });
  });
});
