import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Mount } from '../../../src/gateway/mounts/mount.ts';
import { startWorld, type World } from './support/world.ts';

/** Does what it is told to by whoever comes through its door. */
const mount: Mount = {
  path: '/elsewhere',
  name: 'a mount',
  scopes: { 'market:read': ['market:read'], 'orders:propose': ['messages:propose'] },
  maxBodyBytes: 100,
  async serve(request, caller) {
    expect([...request.headers.keys()]).not.toEqual(expect.arrayContaining(['authorization']));
    expect(Object.values(caller).join()).not.toMatch(/eyJ/);
    const { path, ...init } = (await request.json()) as { path: string } & RequestInit;
    if (path === '/wait') world.clock.advance(3_600_000);
    return caller.fetch(path === '/wait' ? '/v1/clock' : path, init);
  },
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ mounts: [mount] });
  // Alice's token at the broker is known from now on: the stand-in exchanges those of /v1 alone.
  expect((await world.get('/v1/clock', await world.reader('market:read'))).status).toBe(200);
});
afterAll(() => world.close());

const aud = () => `${world.url}/elsewhere`;
const token = (scope: string, claims: Record<string, unknown> = {}) => world.reader(scope, { aud: aud(), ...claims });
const tell = async (bearer: string, body: object) =>
  fetch(aud(), {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  });

describe('what a gateway has mounted', () => {
  it('acts for its caller at /v1, by the scopes that its own stand for', async () => {
    expect((await tell(await token('market:read'), { path: '/v1/clock' })).status).toBe(200);
    const refused = await tell(await token('orders:propose'), { path: '/v1/clock' });
    await world.refuses(refused, 403, 'insufficient_scope');
  });

  it('can’t trade, whatever the token of its caller says', async () => {
    const scope = 'orders:write messages:write orders:cancel market:read';
    const bearer = await token(scope, {
      authorization_details: [{ type: 'trade_order' }],
      approval_evidence: {},
    });
    const headers = { 'content-type': 'application/json' };
    const draft = JSON.stringify(world.draft());
    const placed = await tell(bearer, {
      path: '/v1/orders',
      method: 'POST',
      headers,
      body: draft.slice(0, 2),
    });
    await world.refuses(placed, 403, 'insufficient_scope');
    const cancelled = await tell(bearer, { path: '/v1/orders/x', method: 'DELETE' });
    await world.refuses(cancelled, 403, 'insufficient_scope');
  });

  it('takes no token of /v1, and /v1 none of it, nor either one that is for both', async () => {
    const scope = 'market:read';
    const crossed = await tell(await world.reader(scope), { path: '/v1/clock' });
    expect(crossed.headers.get('www-authenticate')).toContain('oauth-protected-resource/elsewhere"');
    expect(await crossed.json()).toMatchObject({ status: 401, code: 'token_audience' });
    await world.refuses(world.get('/v1/clock', await token(scope)), 401, 'token_audience');
    const both = await token(scope, { aud: [world.url, aud()] });
    expect(await (await tell(both, { path: '/v1/clock' })).json()).toMatchObject({ code: 'token_audience' });
    await world.refuses(world.get('/v1/clock', both), 401, 'token_audience');
    expect(
      (await world.get('/v1/clock', await world.reader(scope, { aud: [world.url, 'https://other.example'] }))).status,
    ).toBe(200);
  });

  it('reads no longer a body than it is for', async () => {
    const long = await tell(await token('market:read'), { path: '/v1/clock', pad: 'x'.repeat(200) });
    await world.refuses(long, 413, 'body_too_large');
  });

  it('acts for nobody any more once the token is over', async () => {
    await world.refuses(tell(await token('market:read'), { path: '/wait' }), 401, 'token_expired');
  });
});
