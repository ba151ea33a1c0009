import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/machine/clock.ts';
import { createRecoveryCodeStore } from '../../../src/store/home/recovery-codes.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import {
  details,
  refusal,
  registerApprovalClient,
  signIn,
  startIdentityProvider,
  type World,
} from '../sandbox/identity-provider-fixture.ts';
import { gatewayAsking, proposalDetails } from '../sandbox/proposal-fixture.ts';
import { createHttpBrowser, ledTo, pairByHttp, signInByHttp } from './http-browser.ts';

let world: World;
const worlds: World[] = [];
/** Each test has buckets of its own. */
beforeEach(async () => {
  // However long a test takes, no try comes back meanwhile.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  world = await startIdentityProvider({
    clientAddress: (request) => String(request.headers['x-test-address'] ?? '192.0.2.1'),
    fetch: async () => new Response(null, { status: 204 }),
  });
  worlds.push(world);
});
afterAll(async () => {
  vi.useRealTimers();
  for (const one of worlds) await one.close();
});

const send = async (path: string, form: Record<string, string>, headers: Record<string, string> = {}) => {
  const response = await fetch(`${world.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  });
  const { error } = (await response.json().catch(() => ({}))) as { error?: string };
  return { status: response.status, error, retryAfter: Number(response.headers.get('retry-after')) };
};
type Answer = Awaited<ReturnType<typeof send>>;

/** Tries until it hears 429. */
async function until429(attempt: () => Promise<Answer>): Promise<{ tries: number; answer: Answer }> {
  for (let tries = 1; tries <= 200; tries++) {
    const answer = await attempt();
    if (answer.status === 429) return { tries, answer };
  }
  throw new Error('nothing was limited');
}

describe('too many wrong tries at', () => {
  const wrong: readonly [path: string, form: Record<string, string>, headers?: Record<string, string>][] = [
    ['/token', { grant_type: 'refresh_token', client_id: 'trade-agent', refresh_token: 'x'.repeat(43) }],
    ['/token', { grant_type: 'x', client_id: 'nobody' }],
    [
      '/bc-authorize',
      {
        scope: 'openid',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: 'e30.e30.x',
      },
    ],
    ['/revoke', { token: 'x', client_id: 'nobody' }],
    ['/register', {}],
    ['/bc-outcome', { auth_req_id: 'x', state: 'executed' }],
    ['/phone/api/tickets', {}, { authorization: 'Bearer wrong' }],
    ['/me/v1/connected-accounts/connect', {}, { authorization: 'Bearer wrong' }],
    ['/userinfo', {}, { authorization: 'Bearer wrong' }],
  ];
  it.each(wrong)('%s are answered 429, and the right one is let in all the same', async (path, form, headers) => {
    const { tries, answer } = await until429(() => send(path, form, headers));
    expect(tries).toBeGreaterThan(50);
    expect(answer).toMatchObject({ error: 'too_many_requests', retryAfter: expect.any(Number) });
    expect(answer.retryAfter).toBeGreaterThan(0);
    // From the very same address: the person's sign-in, the gateway's question and its word about it.
    await signIn(world);
    const gateway = await gatewayAsking(world);
    const { auth_req_id } = await gateway.ask(proposalDetails());
    expect((await gateway.tell(auth_req_id, 'cancelled')).status).toBe(204);
    await registerApprovalClient(world);
    // And somebody else hears what is wrong, not that it was tried too often.
    expect((await send(path, form, { ...headers, 'x-test-address': '192.0.2.2' })).status).not.toBe(429);
  });

  it('the token endpoint by a client that proved who it is are its own alone', async () => {
    const one = await registerApprovalClient(world);
    const other = await registerApprovalClient(world);
    const poll = async (client: typeof one) => refusal(client.poll(randomUUID()));
    const heard = new Set<string>();
    for (let i = 0; i < 120; i++) heard.add(await poll(one));
    expect([...heard]).toEqual(['invalid_grant', 'too_many_requests']);
    expect(await poll(other)).toBe('invalid_grant');
    // What is in order counts for nothing: a client may wait for its person as long as it takes.
    const asked = await one.ask(details());
    const [shown] = await world.phone.requests('alice');
    await world.phone.decide(shown?.id ?? '', 'approve');
    expect((await one.poll(asked.auth_req_id)).access_token).toBeTypeOf('string');
  });
});

describe('too many', () => {
  it('device sign-ins begun are refused to the address that begins them', async () => {
    const begin = (address: string) =>
      send('/device/code', { client_id: 'trade-agent', scope: 'openid' }, { 'x-test-address': address });
    const { tries, answer } = await until429(() => begin('2001:db8:1:2::1'));
    expect(tries).toBe(101);
    expect(answer.retryAfter).toBe(10);
    // One machine has its whole network's addresses; the next network is somebody else's.
    expect((await begin('2001:db8:1:2:ffff::7')).status).toBe(429);
    expect((await begin('2001:db8:1:3::1')).status).toBe(200);
    await signIn(world);
  });

  it('questions of one client are refused to it, not to another, nor to the gateway', async () => {
    const nagging = await registerApprovalClient(world);
    for (let i = 0; i < 20; i++) await nagging.ask(details());
    expect(await refusal(nagging.ask(details()))).toBe('too_many_requests');
    const other = await registerApprovalClient(world);
    await other.ask(details());
    await (await gatewayAsking(world)).ask(proposalDetails());
  });

  it('questions are counted when they were answered, too', async () => {
    const nagging = await registerApprovalClient(world);
    const heard: string[] = [];
    for (let i = 0; i < 62; i++) {
      const asked = await nagging.ask(details()).catch((error: { error: string; status: number }) => error);
      if ('error' in asked) heard.push(`${asked.status} ${asked.error}`);
      for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
    }
    expect(new Set(heard)).toEqual(new Set(['429 too_many_requests']));
  });
});

describe('wrong codes', () => {
  const guess = (browser: ReturnType<typeof createHttpBrowser>, address: string, code = 'BCDF-GHJK') =>
    browser.submit('/device', '/device', { user_code: code }, { 'x-test-address': address });
  const paired = async (user: string) =>
    (await pairByHttp((await world.phone.pairing(user)).url, { name: `${user}’s phone` })).browser;

  it('of a device are for people of the home to try, and use up their own tries at their own address', async () => {
    // A stranger is sent to the sign-in, whatever the code: there is nothing to guess at.
    const stranger = createHttpBrowser(world.issuer);
    for (let i = 0; i < 50; i++) {
      expect(ledTo(await guess(stranger, '192.0.2.9'))).toMatch(/^\/signin\?next=/);
    }
    const [alice, bob] = [await paired('alice'), await paired('bob')];
    for (let i = 0; i < 20; i++) expect((await guess(alice, '192.0.2.9')).status).toBe(404);
    const refused = await guess(alice, '192.0.2.9');
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 15]);
    expect((await guess(alice, '192.0.2.8')).status).toBe(404);
    expect((await guess(bob, '192.0.2.9')).status).toBe(404);
  });

  it('of recovery are counted by address and person', async () => {
    const database = createSqliteTransactions(world.database());
    const code = await createRecoveryCodeStore({ database, clock: systemClock }).issue('alice');
    const browser = createHttpBrowser(world.issuer);
    const recover = (address: string, username: string, given: string) =>
      browser.submit('/signin', '/signin/recovery', { username, code: given }, { 'x-test-address': address });
    for (let i = 0; i < 10; i++) expect((await recover('192.0.2.9', 'alice', 'wrong')).status).toBe(401);
    const refused = await recover('192.0.2.9', 'alice', 'wrong');
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 90]);
    expect((await recover('192.0.2.9', 'bob', 'wrong')).status).toBe(401);
    expect(ledTo(await recover('192.0.2.8', 'alice', code))).toBe('/phone');
    // One address tries only so many names.
    const statuses = new Set<number>();
    for (let i = 0; i < 60; i++) statuses.add((await recover('192.0.2.9', `name-${i}`, 'wrong')).status);
    expect([...statuses]).toEqual([401, 429]);
    expect((await recover('192.0.2.7', 'bob', 'wrong')).status).toBe(401);
    vi.setSystemTime(Date.now() + 901_000);
    expect((await recover('192.0.2.9', 'alice', 'wrong')).status).toBe(401);
  });

  it('of a passkey are answered 429 from one address, and the right one gets in from there', async () => {
    const { authenticator } = await pairByHttp((await world.phone.pairing('alice')).url);
    const stranger = createHttpBrowser(world.issuer);
    const tries = new Set<number>();
    const assertion = JSON.stringify(authenticator.assert('bm90LWFza2VkLWZvcg'));
    for (let i = 0; i < 35; i++) {
      tries.add((await stranger.submit('/signin', '/signin/passkey', { assertion })).status);
    }
    expect([...tries]).toEqual([401, 429]);
    await signInByHttp(world.issuer, authenticator);
  });
});
