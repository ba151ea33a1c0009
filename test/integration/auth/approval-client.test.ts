import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalClient } from '../../../src/auth/approval-client.ts';
import type { ApprovalClient } from '../../../src/auth/ciba.ts';
import { openFileStore } from '../../../src/auth/credential-store/file-store.ts';
import { approvalPublicKey } from '../../../src/auth/key-rotation.ts';
import { openSession } from '../../../src/auth/token-session.ts';
import { createWorld, type World } from './identity-provider-world.ts';
import { anOrder } from './order-details.ts';

let world: World;
let client: ApprovalClient;
beforeEach(async () => {
  world = await createWorld();
  await world.login();
  client = createApprovalClient(world);
});
afterEach(() => world.close());

const soon = () => AbortSignal.timeout(20_000);

async function ask(via = client) {
  const order = anOrder(world.profile.audience);
  const request = await via.request(order.details, order.message, 300);
  const [shown] = await world.phone.requests('alice');
  if (shown === undefined) throw new Error('the phone shows nothing');
  return { ...order, request, shown };
}

const registrations = () =>
  world.asked.filter(({ method, path }) => method === 'POST' && path === '/register').length;
const clientIds = () =>
  world.database
    .prepare<[], { id: string }>(`SELECT id FROM oidc_entities WHERE model = 'Client'`)
    .all()
    .map(({ id }) => id);

describe('an approval', () => {
  it('asked for appears on the phone with its order and code, and its deadline is counted from the request', async () => {
    const before = Date.now();
    const { request, shown, details, message } = await ask();
    expect(shown.details).toMatchObject({ symbol: 'AAPL', qty: '5', digest: details.digest });
    expect(message.endsWith(shown.code)).toBe(true);
    expect(request.expiresAt).toBeGreaterThan(before + 200_000);
    expect(request.expiresAt).toBeLessThanOrEqual(Date.now() + 300_000);
    expect(request.interval).toBeGreaterThanOrEqual(1);
  });

  it('that is given yields a token for just this order, bound to the session’s key', async () => {
    const { request, shown, details } = await ask();
    const poll = client.poll(request.authReqId, soon());
    await world.phone.decide(shown.id, 'approve');
    const result = await poll;
    if (result.status !== 'approved') throw new Error(JSON.stringify(result));
    const claims = decodeJwt(result.accessToken);
    expect(claims).toMatchObject({ sub: 'alice', scope: 'orders:write', aud: world.profile.audience });
    expect(claims.authorization_details).toEqual([details]);
    expect(result.expiresAt).toBeGreaterThan(Date.now());

    const session = await openSession(world);
    await session?.fetch(`${world.profile.gateway}/v1/clock`, {}, ['market:read']);
    const read = decodeJwt(world.received[0]?.authorization?.split(' ')[1] ?? '');
    expect(claims.cnf).toEqual(read.cnf);
  });

  it('that is refused is denied', async () => {
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'deny');
    expect(await client.poll(request.authReqId, soon())).toEqual({ status: 'denied' });
  });

  it('redeemed already is lost, not denied', async () => {
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await client.poll(request.authReqId, soon())).toMatchObject({ status: 'approved' });
    expect(await client.poll(request.authReqId, soon())).toEqual({ status: 'lost' });
  });

  it('whose token was lost on the way is unreachable first, lost then', async () => {
    world.faults.set('lost_token_response', 1);
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await client.poll(request.authReqId, soon())).toMatchObject({ status: 'unreachable' });
    expect(await client.poll(request.authReqId, soon())).toEqual({ status: 'lost' });
  });

  it('survives a provider that answers 503, with the wait it asks for', async () => {
    world.faults.set('idp_5xx', 1);
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await client.poll(request.authReqId, soon())).toMatchObject({
      status: 'unreachable',
      retryAfter: 1,
    });
    expect(await client.poll(request.authReqId, soon())).toMatchObject({ status: 'approved' });
  });

  it('is asked for more slowly when the provider says so', async () => {
    world.faults.set('slow_down', 1);
    const { request } = await ask();
    expect(await client.poll(request.authReqId, soon())).toEqual({ status: 'slow_down' });
  });

  it('survives the loss of the network', async () => {
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    await world.unplug();
    expect(await client.poll(request.authReqId, soon())).toMatchObject({ status: 'unreachable' });
    await world.plug();
    expect(await client.poll(request.authReqId, soon())).toMatchObject({ status: 'approved' });
  });

  it('for another order than the one asked for is refused', async () => {
    world.faults.set('tampered_details', 1);
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await client.poll(request.authReqId, soon())).toEqual({
      status: 'failed',
      error: 'authorization_details_mismatch',
    });
  });

  it('for another order is refused also by a process that did not ask, once it is told what was asked', async () => {
    world.faults.set('tampered_details', 1);
    const { request, shown, details } = await ask();
    await world.phone.decide(shown.id, 'approve');
    const other = createApprovalClient({
      ...world,
      store: openFileStore({ folder: world.home.config, profile: 'sandbox' }),
    });
    expect(await other.poll(request.authReqId, soon(), details)).toMatchObject({ status: 'failed' });
  });

  it('can be waited for by another process', async () => {
    const { request, shown } = await ask();
    await world.phone.decide(shown.id, 'approve');
    const other = createApprovalClient({
      ...world,
      store: openFileStore({ folder: world.home.config, profile: 'sandbox' }),
    });
    expect(await other.poll(request.authReqId, soon())).toMatchObject({ status: 'approved' });
  });

  it('is waited for no longer once the caller stops', async () => {
    const { request, shown } = await ask();
    const stop = new AbortController();
    const poll = client.poll(request.authReqId, stop.signal);
    stop.abort(new Error('enough'));
    await expect(poll).rejects.toThrow('enough');
    await world.phone.decide(shown.id, 'deny');
  });

  it('is given up for this poll when the provider holds it too long', async () => {
    const impatient = createApprovalClient({ ...world, pollTimeoutSeconds: 0.3 });
    const { request } = await ask(impatient);
    expect(await impatient.poll(request.authReqId, soon())).toEqual({
      status: 'unreachable',
      reason: 'it did not answer in time',
    });
  });

  it('is refused with the provider’s reason when the order is not acceptable', async () => {
    const { details, message } = anOrder('http://127.0.0.1:1/another-gateway');
    await expect(client.request(details, message, 300)).rejects.toMatchObject({
      code: 'provider_error',
      details: { error: 'invalid_authorization_details' },
    });
  });

  it('needs somebody to be signed in', async () => {
    await world.store.delete(['session']);
    const { details, message } = anOrder(world.profile.audience);
    await expect(client.request(details, message, 300)).rejects.toMatchObject({ code: 'login_required' });
  });

  it('can’t be asked for while the provider is away', async () => {
    await world.unplug();
    const { details, message } = anOrder(world.profile.audience);
    await expect(client.request(details, message, 300)).rejects.toMatchObject({
      code: 'provider_unreachable',
    });
    await world.plug();
    expect((await client.request(details, message, 300)).authReqId).toEqual(expect.any(String));
  });
});

describe('the approval client', () => {
  it('registers itself once, by its name, with a public key only', async () => {
    const { shown } = await ask();
    expect(shown.client_name).toMatch(/^trade-agent on /);
    await ask();
    expect(registrations()).toBe(1);
    const { payload } = world.database
      .prepare<[], { payload: string }>(`SELECT payload FROM oidc_entities WHERE model = 'Client'`)
      .get() ?? { payload: '' };
    const kept = JSON.parse((await world.store.get(['approval_client'])).approval_client ?? '') as {
      key: { d: string };
    };
    expect(payload).toContain('"x"');
    expect(payload).not.toContain(kept.key.d);
  });

  it('registers once for many processes that need it at the same time', async () => {
    const { details, message } = anOrder(world.profile.audience);
    const clients = Array.from({ length: 4 }, () =>
      createApprovalClient({
        ...world,
        store: openFileStore({ folder: world.home.config, profile: 'sandbox' }),
      }),
    );
    await Promise.all(clients.map((one) => one.request(details, message, 300)));
    expect(registrations()).toBe(1);
  });

  it('registers anew, once, when the provider has forgotten it', async () => {
    await ask();
    const [forgotten = ''] = clientIds();
    world.database.prepare(`DELETE FROM oidc_entities WHERE model = 'Client'`).run();
    const { request } = await ask();
    expect(registrations()).toBe(2);
    expect(clientIds()).not.toContain(forgotten);
    expect(request.authReqId).toEqual(expect.any(String));
    const kept = JSON.parse(
      (await world.store.get(['approval_client'], { fresh: true })).approval_client ?? '',
    );
    expect(clientIds()).toEqual([kept.client_id]);
  });

  it('adopts the registration another process made in the meantime', async () => {
    await ask();
    world.database.prepare(`DELETE FROM oidc_entities WHERE model = 'Client'`).run();
    const other = createApprovalClient({
      ...world,
      store: openFileStore({ folder: world.home.config, profile: 'sandbox' }),
    });
    await ask(other);
    await ask();
    expect(registrations()).toBe(2);
  });

  it('that the profile names is used as it is, and never registered', async () => {
    const profile = { ...world.profile, approval_client: { client_id: 'given' } };
    const named = createApprovalClient({ ...world, profile });
    const { details, message } = anOrder(world.profile.audience);
    await expect(named.request(details, message, 300)).rejects.toMatchObject({
      code: 'provider_error',
      message: expect.stringContaining('given'),
    });
    expect(registrations()).toBe(0);
    expect(await approvalPublicKey(profile, world.store)).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x: expect.any(String),
      y: expect.any(String),
      kid: expect.any(String),
      alg: 'ES256',
      use: 'sig',
    });
  });
});
