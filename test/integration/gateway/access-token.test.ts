import { createHmac, randomUUID } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
let draft: OrderDraft;
beforeAll(async () => {
  world = await startWorld();
  draft = world.draft();
});
afterAll(() => world.close());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/* Each other way that a token can be wrong is tried at every route in test/integration/hostile. */
describe('the access token', () => {
  it('is needed', async () => {
    const response = await world.place(draft, undefined);
    // RFC 6750 §3.1: without credentials no error code.
    expect(response.headers.get('www-authenticate')).not.toContain('error=');
    await world.refuses(response, 401, 'token_missing');
  });

  it('does not make the gateway fetch the keys for every unknown key id', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    await world.place(draft, await world.approve(draft));
    const before = world.issuer.jwksRequests.count;
    for (let i = 0; i < 5; i++) {
      const token = await world.approve(draft, { key: privateKey, header: { kid: randomUUID() } });
      await world.place(draft, token);
    }
    expect(world.issuer.jwksRequests.count).toBe(before);
    world.broker.book.length = 0;
    world.broker.submissions.length = 0;
    draft = world.draft();
  });

  it('is refused with an HMAC keyed with the issuer’s public key (HS256)', async () => {
    const [, payload] = (await world.approve(draft)).split('.');
    const input = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: 'main' })}.${payload}`;
    const key = await exportSPKI(world.issuer.keys.publicKey);
    const signature = createHmac('sha256', key).update(input).digest('base64url');
    await world.refuses(world.place(draft, `${input}.${signature}`), 401, 'token_algorithm');
  });

  it.each([
    ['an actor that is nobody', { act: {} }],
    ['an actor that is no object', { act: 'agent-server' }],
    ['groups that are no names', { groups: [{ name: 'traders' }] }],
  ])('is refused with %s', async (_, claims) => {
    const token = await world.approve(draft, { claims });
    await world.refuses(world.place(draft, token), 401, 'token_claims');
  });

  const timeCases: [string, (now: number) => Record<string, unknown>, string][] = [
    ['it expired', (now) => ({ exp: now - 6 }), 'token_expired'],
    ['it is not valid yet', (now) => ({ nbf: now + 7 }), 'token_not_yet_valid'],
    ['it was issued in the future', (now) => ({ iat: now + 7 }), 'token_not_yet_valid'],
  ];
  it.each(timeCases)('is refused when %s', async (_, claims, code) => {
    const token = await world.approve(draft, { claims: claims(Math.floor(world.clock.now() / 1000)) });
    await world.refuses(world.place(draft, token), 401, code);
  });

  it('is refused once its time has passed, by the injected clock', async () => {
    const token = await world.approve(draft);
    world.clock.advance(306_000);
    await world.refuses(world.place(draft, token), 401, 'token_expired');
    draft = world.draft();
  });

  it('puts the error into both challenges, and nothing of the token into the answer', async () => {
    const claims = { aud: 'http://127.0.0.1:1', sub: 'planted-subject' };
    const token = await world.approve(draft, { claims });
    const response = await world.place(draft, token);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toMatch(/DPoP error="invalid_token".*algs="ES256/);
    expect(challenge).toContain('Bearer error="invalid_token"');
    const text = await response.text();
    for (const part of token.split('.')) expect(text + challenge).not.toContain(part);
    expect(text).not.toContain('planted-subject');
  });

  it('is refused as unverifiable, not as wrong, while the issuer is down', async () => {
    const fresh = await startWorld();
    fresh.issuer.down = true;
    await fresh.refuses(fresh.order(), 503, 'provider_unreachable');
  });

  it.each([['RS256'], ['PS256'], ['EdDSA']])('is accepted signed with %s', async (alg) => {
    const fresh = await startWorld();
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    fresh.issuer.published.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
    const header = { alg, kid: alg };
    const token = await fresh.issuer.mint({ key: privateKey, header, claims: { scope: 'market:read' } });
    expect((await fresh.get('/v1/clock', token)).status).toBe(200);
  });
});

describe('the scope', () => {
  it('of a reading token places no order', async () => {
    const token = await world.reader('openid market:read portfolio:read orders:read orders:cancel');
    const response = await world.place(draft, token);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="orders:write"');
    await world.refuses(response, 403, 'insufficient_scope', { required_scopes: ['orders:write'] });
  });

  it('orders:write without an approval places no order', async () => {
    const response = await world.place(draft, await world.reader('orders:write'));
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_authorization_details"');
    await world.refuses(response, 403, 'approval_missing');
  });
});
