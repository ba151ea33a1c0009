import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authorize,
  CLIENT,
  exchangeCode,
  PASSWORDS,
  REDIRECT_URI,
  startWorld,
  type World,
} from './paper-broker-world.ts';

let world: World;
let database: Database.Database;
beforeEach(async () => {
  database = new Database(':memory:');
  world = await startWorld({ database });
});
afterEach(async () => {
  await world.close();
  database.close();
});

interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  scope: string;
  token_type: string;
}
const tokensOf = async (answer: Response) => (await answer.json()) as Tokens;
const login = async () => {
  const { code = '', verifier } = await authorize(world.url, 'alice');
  return tokensOf(await exchangeCode(world.url, code, verifier));
};
const refresh = (refresh_token: string, changes: Record<string, string> = {}) =>
  fetch(`${world.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token, ...CLIENT, ...changes }),
  });
const works = async (access_token: string) =>
  (await fetch(`${world.url}/v2/account`, { headers: { authorization: `Bearer ${access_token}` } })).ok;

describe("the broker's login page", () => {
  const query = {
    response_type: 'code',
    client_id: CLIENT.client_id,
    redirect_uri: REDIRECT_URI,
    scope: 'account:write trading',
    state: '"><script>alert(1)</script>',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  };
  const page = (changes: Record<string, string> = {}) =>
    fetch(`${world.url}/oauth/authorize?${new URLSearchParams({ ...query, ...changes })}`, {
      redirect: 'manual',
    });

  it('says who asks for what, and carries the parameters escaped', async () => {
    const answer = await page();
    const text = await answer.text();
    expect(answer.status).toBe(200);
    expect(text).toContain('place and cancel orders');
    expect(text).toContain('SANDBOX · simulated');
    expect(text).not.toContain('<script');
    expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not registered', { redirect_uri: 'http://127.0.0.1:9/callback/other' }],
  ])('never redirects for %s', async (_name, changes) => {
    const answer = await page(changes);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  it.each([
    ['unsupported_response_type', { response_type: 'token' }],
    ['invalid_scope', { scope: 'everything' }],
    ['invalid_request', { code_challenge_method: 'plain' }],
    ['invalid_request', { code_challenge: '' }],
  ])('sends %s back to the client', async (error, changes) => {
    const answer = await page(changes);
    const target = new URL(answer.headers.get('location') ?? '');
    expect(answer.status).toBe(303);
    expect(target.searchParams.get('error')).toBe(error);
    expect(target.searchParams.get('state')).toBe(query.state);
  });
});

describe('authorization', () => {
  it('gives a code with the state, and the code gives tokens for what was asked', async () => {
    const { status, location, code = '', verifier } = await authorize(world.url, 'alice');
    expect(status).toBe(303);
    expect(location?.searchParams.get('state')).toBe('state-of-the-test');
    const tokens = await tokensOf(await exchangeCode(world.url, code, verifier));
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'account:write trading' });
    expect(await works(tokens.access_token)).toBe(true);
  });

  it('sends access_denied back when the person denies, without a password', async () => {
    const denied = { decision: 'deny', username: '', password: '' };
    const { location } = await authorize(world.url, 'alice', denied);
    expect(location?.searchParams.get('error')).toBe('access_denied');
  });

  it("refuses a wrong password, another user's, and an unknown user alike", async () => {
    const wrong = await authorize(world.url, 'alice', { password: 'wrong' });
    const others = await authorize(world.url, 'alice', { password: PASSWORDS.bob });
    const unknown = await authorize(world.url, 'alice', { username: 'mallory', password: '' });
    for (const { status, code, text } of [wrong, others, unknown]) {
      expect({ status, code }).toEqual({ status: 401, code: undefined });
      expect(text).toContain('User name or password is wrong.');
    }
  });

  it('makes a name wait after ten wrong passwords, even with the right one', async () => {
    for (let i = 0; i < 10; i++) await authorize(world.url, 'alice', { password: `wrong ${i}` });
    expect((await authorize(world.url, 'alice')).status).toBe(429);
    expect((await authorize(world.url, 'bob')).status).toBe(303);
    await world.clock.advance(15 * 60_000);
    expect((await authorize(world.url, 'alice')).status).toBe(303);
  });
});

describe('a code', () => {
  it('is good once; a second use takes back what the first gave', async () => {
    const { code = '', verifier } = await authorize(world.url, 'alice');
    const tokens = await tokensOf(await exchangeCode(world.url, code, verifier));
    const second = await exchangeCode(world.url, code, verifier);
    expect(second.status).toBe(400);
    expect(await second.json()).toEqual({ error: 'invalid_grant' });
    expect(await works(tokens.access_token)).toBe(false);
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
  });

  it('is good for a minute', async () => {
    const { code = '', verifier } = await authorize(world.url, 'alice');
    await world.clock.advance(60_000);
    expect((await exchangeCode(world.url, code, verifier)).status).toBe(400);
  });

  it.each([
    ['verifier', { code_verifier: 'x'.repeat(43) }, 400],
    ['redirect URI', { redirect_uri: 'http://127.0.0.1:9/other' }, 400],
    ['client secret', { client_secret: 'wrong' }, 401],
    ['client', { client_id: 'nobody' }, 401],
  ])('is no good with another %s', async (_name, changes, status) => {
    const { code = '', verifier } = await authorize(world.url, 'alice');
    expect((await exchangeCode(world.url, code, verifier, changes)).status).toBe(status);
  });

  it.each([
    ['is also taken from a client that shows its secret by Basic', {}, 200],
    ['is no good from a client that shows its secret twice', CLIENT, 401],
  ])('%s', async (_, again, status) => {
    const { code = '', verifier } = await authorize(world.url, 'alice');
    const asked = {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: REDIRECT_URI,
    };
    const answer = await fetch(`${world.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${CLIENT.client_id}:${CLIENT.client_secret}`)}` },
      body: new URLSearchParams({ ...asked, ...again }),
    });
    expect(answer.status).toBe(status);
    if (status === 401) expect(await answer.json()).toEqual({ error: 'invalid_client' });
  });
});

describe('tokens', () => {
  it('end: access after 15 minutes, refreshed by rotation', async () => {
    const first = await login();
    await world.clock.advance(15 * 60_000);
    expect(await works(first.access_token)).toBe(false);
    const second = await tokensOf(await refresh(first.refresh_token));
    expect(await works(second.access_token)).toBe(true);
    expect(second.refresh_token).not.toBe(first.refresh_token);
  });

  it('fall as a family when a used refresh token comes back', async () => {
    const first = await login();
    const second = await tokensOf(await refresh(first.refresh_token));
    expect((await refresh(first.refresh_token)).status).toBe(400);
    expect(await works(second.access_token)).toBe(false);
    expect((await refresh(second.refresh_token)).status).toBe(400);
  });

  it('cannot be refreshed to more than was granted', async () => {
    const { code = '', verifier } = await authorize(world.url, 'alice', { scope: 'account:write' });
    const tokens = await tokensOf(await exchangeCode(world.url, code, verifier));
    expect((await refresh(tokens.refresh_token, { scope: 'trading' })).status).toBe(400);
    expect((await refresh(tokens.refresh_token)).status).toBe(200);
  });

  it('are revoked with all that came from the same consent', async () => {
    const tokens = await login();
    const other = await login();
    const answer = await fetch(`${world.url}/oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokens.refresh_token, ...CLIENT }),
    });
    expect(answer.status).toBe(200);
    expect(await works(tokens.access_token)).toBe(false);
    expect(await works(other.access_token)).toBe(true);
  });

  it('and codes and passwords lie nowhere in the database', async () => {
    const { code = '', verifier } = await authorize(world.url, 'alice');
    const tokens = await tokensOf(await exchangeCode(world.url, code, verifier));
    const bytes = database.serialize().toString('latin1');
    expect(bytes).toContain('PA3ALICE01');
    const { access_token, refresh_token } = tokens;
    for (const secret of [code, access_token, refresh_token, PASSWORDS.alice, CLIENT.client_secret]) {
      expect(bytes).not.toContain(secret);
    }
  });
});
