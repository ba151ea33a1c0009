import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient } from '../../../src/approval/ciba/ciba-approval-client.ts';
import type { CibaPort } from '../../../src/approval/ciba/ciba-port.ts';
import { createWorld, type World } from '../auth/identity-provider-world.ts';
import { aQuestion, clientKey, optionsFor, soon } from './asking-fixture.ts';

let world: World;
let asking: CibaPort;
beforeEach(async () => {
  const { d: _, ...publicKey } = clientKey;
  world = await createWorld({ gatewayKeys: [publicKey] });
  asking = another();
});
afterEach(() => world.close());

const another = () =>
  new CibaApprovalClient(
    optionsFor(world.profile, {
      resource: world.profile.audience,
      client: { id: 'gateway' },
      delivery: 'ping',
    }),
  );

async function ask() {
  const question = aQuestion(world.profile.audience);
  const request = await asking.request(question);
  const [shown] = await world.phone.requests('alice');
  if (shown === undefined) throw new Error('the phone shows nothing');
  const expected = { sub: 'alice', details: { ...question.details, code: shown.code }, expiresAt: request.expiresAt };
  const poll = (by = asking, signal = soon()) => by.poll(request.authReqId, expected, signal);
  return { question, request, shown, poll };
}

describe('an approval', () => {
  it('asked for appears on the phone with its order, and its deadline is counted from the request', async () => {
    const before = Date.now();
    const { request, shown, question } = await ask();
    expect(shown.details).toMatchObject({ symbol: 'AAPL', qty: '5', digest: question.details.digest });
    expect(request.expiresAt).toBeGreaterThan(before + 200_000);
    expect(request.expiresAt).toBeLessThanOrEqual(Date.now() + 300_000);
    expect(request.interval).toBeGreaterThanOrEqual(1);
  });

  it('that is given yields a token for just this order, bound to no key', async () => {
    const { shown, question, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    const result = await poll();
    if (result.status !== 'approved') throw new Error(JSON.stringify(result));
    const claims = decodeJwt(result.accessToken);
    expect(claims).toMatchObject({ sub: 'alice', scope: 'orders:write', aud: world.profile.audience });
    expect(claims.authorization_details).toEqual([{ ...question.details, code: shown.code }]);
    expect(claims).not.toHaveProperty('cnf');
    expect(result.expiresAt).toBeGreaterThan(Date.now());
  });

  it('that is refused is denied', async () => {
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'deny');
    expect(await poll()).toEqual({ status: 'denied' });
  });

  it('redeemed already is lost, not denied', async () => {
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await poll()).toMatchObject({ status: 'approved' });
    expect(await poll()).toEqual({ status: 'lost' });
  });

  it('whose token was lost on the way is unreachable first, lost then', async () => {
    world.faults.set('lost_token_response', 1);
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await poll()).toMatchObject({ status: 'unreachable' });
    expect(await poll()).toEqual({ status: 'lost' });
  });

  it('survives a provider that answers 503, with the wait it asks for', async () => {
    world.faults.set('idp_5xx', 1);
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await poll()).toMatchObject({ status: 'unreachable', retryAfter: 1 });
    expect(await poll()).toMatchObject({ status: 'approved' });
  });

  it('is asked for more slowly when the provider says so', async () => {
    world.faults.set('slow_down', 1);
    expect(await (await ask()).poll()).toEqual({ status: 'slow_down' });
  });

  it('survives the loss of the network', async () => {
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    await world.unplug();
    expect(await poll()).toMatchObject({ status: 'unreachable' });
    await world.plug();
    expect(await poll()).toMatchObject({ status: 'approved' });
  });

  it('for another order than the one asked for is refused', async () => {
    world.faults.set('tampered_details', 1);
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await poll()).toEqual({ status: 'failed', error: 'authorization_details_mismatch' });
  });

  it('that is withdrawn goes away from the phone, and is never given', async () => {
    const { request, shown, poll } = await ask();
    await asking.reportOutcome(request.authReqId, { state: 'cancelled', text: 'withdrawn' });
    expect((await world.phone.requests('alice')).map(({ id }) => id)).not.toContain(shown.id);
    await expect(world.phone.decide(shown.id, 'approve')).rejects.toThrow();
    expect(await poll()).toEqual({ status: 'denied' });
  });

  it('that was given stays given when its withdrawal comes late', async () => {
    const { request, shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    await asking.reportOutcome(request.authReqId, { state: 'cancelled', text: 'withdrawn' });
    expect(await poll()).toMatchObject({ status: 'approved' });
    await asking.reportOutcome(request.authReqId, { state: 'executed', text: 'filled 5 at $180.12' });
  });

  it('can be waited for by a gateway that was started again', async () => {
    const { shown, poll } = await ask();
    await world.phone.decide(shown.id, 'approve');
    expect(await poll(another())).toMatchObject({ status: 'approved' });
  });

  it('is waited for no longer once the caller stops', async () => {
    const { poll } = await ask();
    const stop = new AbortController();
    const polled = poll(asking, stop.signal);
    stop.abort(new Error('enough'));
    await expect(polled).rejects.toThrow('enough');
  });

  it('is refused with the provider’s reason when the order is not acceptable', async () => {
    await expect(asking.request(aQuestion('http://127.0.0.1:1/another-gateway'))).rejects.toMatchObject({
      code: 'provider_error',
      details: { error: 'invalid_authorization_details' },
    });
  });

  it('can’t be asked for while the provider is away, and can once it is back', async () => {
    await world.unplug();
    const question = aQuestion(world.profile.audience);
    await expect(asking.request(question)).rejects.toMatchObject({ code: 'provider_unreachable' });
    await world.plug();
    expect((await asking.request(question)).authReqId).toEqual(expect.any(String));
  });
});
