import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const CLIENT = 'trade-agent-gateway';

const world = await startIdentityProvider();
afterAll(async () => {
  await world.close();
});

/** `undefined` leaves a claim out. */
type Changes = (issuer: string) => Record<string, unknown>;

const now = () => Math.floor(Date.now() / 1000);

/** Right in all but what is changed. */
async function assertion(changes: Changes) {
  const claims = {
    iss: CLIENT,
    sub: CLIENT,
    aud: world.issuer,
    iat: now(),
    exp: now() + 60,
    jti: randomUUID(),
    ...changes(world.issuer),
  };
  return await new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', kid: 'gateway' })
    .sign(world.gatewayKey.privateKey);
}

async function post(path: string, form: Record<string, string>): Promise<string> {
  const response = await fetch(`${world.issuer}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  return ((await response.json()) as { error: string }).error;
}

/** What each endpoint says to a client that it has recognised. */
const endpoints: readonly [path: string, form: Record<string, string>, recognised: string][] = [
  ['/token', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'none' }, 'invalid_grant'],
  ['/bc-authorize', { scope: 'openid' }, 'invalid_request'],
  ['/bc-outcome', { auth_req_id: 'none', state: 'executed' }, 'not_found'],
];

describe.each(endpoints)('a client’s assertion at %s', (path, form, recognised) => {
  const answer = async (changes: Changes) =>
    post(path, { ...form, client_assertion_type: TYPE, client_assertion: await assertion(changes) });

  it.each<[string, Changes]>([
    ['as our own clients make it', () => ({})],
    ['for the issuer, in a list of one', (issuer) => ({ aud: [issuer] })],
    ['that lives for five minutes', () => ({ exp: now() + 300 })],
    ['by a clock that is 4 seconds ahead', () => ({ iat: now() + 4, exp: now() + 64 })],
  ])('is taken %s', async (_, changes) => {
    expect(await answer(changes)).toBe(recognised);
  });

  // CIBA Core §7.1: at its endpoint the issuer and both addresses must be taken, elsewhere the issuer alone.
  it.each<[string, Changes]>([
    ['for the endpoint', (issuer) => ({ aud: `${issuer}${path}` })],
    ['for the token endpoint', (issuer) => ({ aud: `${issuer}/token` })],
  ])(`is ${path === '/bc-authorize' ? 'taken' : 'refused'} %s`, async (_, changes) => {
    expect(await answer(changes)).toBe(path === '/bc-authorize' ? recognised : 'invalid_client');
  });

  it.each<[string, Changes]>([
    ['for both endpoints', (issuer) => ({ aud: [`${issuer}/token`, `${issuer}/bc-authorize`] })],
    ['for the issuer and somebody else', (issuer) => ({ aud: [issuer, 'https://other.example'] })],
    ['for the issuer with a slash', (issuer) => ({ aud: `${issuer}/` })],
    ['for nobody', () => ({ aud: undefined })],
    ['that doesn’t say when it was made', () => ({ iat: undefined })],
    ['that doesn’t end', () => ({ exp: undefined })],
    ['that lives for 301 seconds', () => ({ exp: now() + 301 })],
    ['that lives for a year', () => ({ exp: now() + 31_536_000 })],
    ['made in advance', () => ({ iat: now() + 3600, exp: now() + 3660 })],
    ['made a minute ahead', () => ({ iat: now() + 60, exp: now() + 120 })],
    ['that is over', () => ({ iat: now() - 120, exp: now() - 60 })],
    ['without a jti', () => ({ jti: undefined })],
  ])('is refused %s', async (_, changes) => {
    expect(await answer(changes)).toBe('invalid_client');
  });
});

it('nothing went wrong inside', () => {
  expect(world.problems).toEqual([]);
});
