import { createHmac, randomUUID } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { expectRefusal, startWorld, type World } from './support/world.ts';

let world: World;
let draft: OrderDraft;
beforeAll(async () => {
  world = await startWorld();
  draft = world.draft();
});
afterAll(() => world.close());

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the access token', () => {
  it('is needed', async () => {
    const response = await world.place(draft, undefined);
    // RFC 6750 §3.1: without credentials no error code.
    expect(response.headers.get('www-authenticate')).not.toContain('error=');
    await expectRefusal(world, response, 401, 'token_missing');
  });

  it.each([
    ['another scheme', 'Basic YWxpY2U6cHc='],
    ['no token', 'Bearer'],
    ['two tokens', 'Bearer a b'],
  ])('is refused with %s in the Authorization header', async (_, authorization) => {
    await expectRefusal(
      world,
      await world.place(draft, undefined, { authorization }),
      401,
      'token_malformed',
    );
  });

  it('is refused when it is no JWT', async () => {
    await expectRefusal(world, await world.place(draft, 'opaque-token'), 401, 'token_malformed');
  });

  it('is refused with another signature', async () => {
    const [header, payload] = (await world.approve(draft)).split('.');
    const [, , signature] = (await world.approve(draft)).split('.');
    await expectRefusal(
      world,
      await world.place(draft, `${header}.${payload}.${signature}`),
      401,
      'token_signature',
    );
  });

  it('is refused when another key signed it under the same key id', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    await expectRefusal(
      world,
      await world.place(draft, await world.approve(draft, { key: privateKey })),
      401,
      'token_signature',
    );
  });

  it('is refused when signed by a key the issuer does not publish', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await world.approve(draft, { key: privateKey, header: { kid: 'elsewhere' } });
    await expectRefusal(world, await world.place(draft, token), 401, 'token_key_unknown');
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

  it('is refused unsigned (alg none)', async () => {
    const [, payload] = (await world.approve(draft)).split('.');
    const unsigned = `${base64url({ alg: 'none', typ: 'at+jwt', kid: 'main' })}.${payload}.`;
    await expectRefusal(world, await world.place(draft, unsigned), 401, 'token_algorithm');
    const signed = `${base64url({ alg: 'none', typ: 'at+jwt', kid: 'main' })}.${payload}.AAAA`;
    await expectRefusal(world, await world.place(draft, signed), 401, 'token_algorithm');
  });

  it('is refused with an HMAC keyed with the issuer’s public key (HS256)', async () => {
    const [, payload] = (await world.approve(draft)).split('.');
    const input = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: 'main' })}.${payload}`;
    const key = await exportSPKI(world.issuer.keys.publicKey);
    const signature = createHmac('sha256', key).update(input).digest('base64url');
    await expectRefusal(world, await world.place(draft, `${input}.${signature}`), 401, 'token_algorithm');
  });

  it.each([
    ['an ID token', 'JWT'],
    ['a DPoP proof', 'dpop+jwt'],
    ['a logout token', 'logout+jwt'],
    ['a token without typ', undefined],
  ])('is not replaced by %s', async (_, typ) => {
    const token = await world.approve(draft, { header: { typ } });
    await expectRefusal(world, await world.place(draft, token), 401, 'token_type');
  });

  const claimCases: [string, Record<string, unknown>, string][] = [
    ['another issuer', { iss: 'http://127.0.0.1:1' }, 'token_issuer'],
    ['no issuer', { iss: undefined }, 'token_issuer'],
    ['another audience', { aud: 'http://127.0.0.1:1' }, 'token_audience'],
    ['an audience that only starts alike', { aud: 'http://127.0.0.1' }, 'token_audience'],
    ['no audience', { aud: undefined }, 'token_audience'],
    ['no subject', { sub: undefined }, 'token_claims'],
    ['an empty subject', { sub: '' }, 'token_claims'],
    ['a subject that is no string', { sub: 7 }, 'token_claims'],
    ['no jti', { jti: undefined }, 'token_claims'],
    ['no expiry', { exp: undefined }, 'token_claims'],
    ['no time of issue', { iat: undefined }, 'token_claims'],
    ['an actor that is nobody', { act: {} }, 'token_claims'],
    ['an actor that is no object', { act: 'agent-server' }, 'token_claims'],
    ['groups that are no names', { groups: [{ name: 'traders' }] }, 'token_claims'],
    ['a binding other than by key thumbprint', { cnf: { 'x5t#S256': 'abc' } }, 'token_claims'],
  ];
  it.each(claimCases)('is refused with %s', async (_, claims, code) => {
    await expectRefusal(world, await world.place(draft, await world.approve(draft, { claims })), 401, code);
  });

  const timeCases: [string, (now: number) => Record<string, unknown>, string][] = [
    ['it expired', (now) => ({ exp: now - 6 }), 'token_expired'],
    ['it is not valid yet', (now) => ({ nbf: now + 7 }), 'token_not_yet_valid'],
    ['it was issued in the future', (now) => ({ iat: now + 7 }), 'token_not_yet_valid'],
  ];
  it.each(timeCases)('is refused when %s', async (_, claims, code) => {
    const token = await world.approve(draft, { claims: claims(Math.floor(world.clock.now() / 1000)) });
    await expectRefusal(world, await world.place(draft, token), 401, code);
  });

  it('is refused once its time has passed, by the injected clock', async () => {
    const token = await world.approve(draft);
    world.clock.advance(306_000);
    await expectRefusal(world, await world.place(draft, token), 401, 'token_expired');
    draft = world.draft();
  });

  it('puts the error into both challenges, and nothing of the token into the answer', async () => {
    const token = await world.approve(draft, {
      claims: { aud: 'http://127.0.0.1:1', sub: 'planted-subject' },
    });
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
    const token = await fresh.approve(fresh.draft());
    await expectRefusal(fresh, await fresh.place(fresh.draft(), token), 503, 'provider_unreachable');
    await fresh.close();
  });

  it.each([['RS256'], ['PS256'], ['EdDSA']])('is accepted signed with %s', async (alg) => {
    const fresh = await startWorld();
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    fresh.issuer.published.push({ ...(await exportJWK(publicKey)), kid: alg, alg });
    const token = await fresh.issuer.mint({
      key: privateKey,
      header: { alg, kid: alg },
      claims: { scope: 'market:read' },
    });
    expect((await fresh.get('/v1/clock', token)).status).toBe(200);
    await fresh.close();
  });
});

describe('the scope', () => {
  it('of a reading token places no order', async () => {
    const token = await world.reader('openid market:read portfolio:read orders:read orders:cancel');
    const response = await world.place(draft, token);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="orders:write"');
    await expectRefusal(world, response, 403, 'insufficient_scope', { required_scopes: ['orders:write'] });
  });

  it('must be there as a word of its own', async () => {
    const token = await world.approve(draft, { claims: { scope: 'xorders:write orders:writes' } });
    await expectRefusal(world, await world.place(draft, token), 403, 'insufficient_scope');
  });

  it('orders:write without an approval places no order', async () => {
    const response = await world.place(draft, await world.reader('orders:write'));
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_authorization_details"');
    await expectRefusal(world, response, 403, 'approval_missing');
  });

  it('lacking, an approval places no order', async () => {
    const token = await world.approve(draft, { claims: { scope: 'orders:read' } });
    await expectRefusal(world, await world.place(draft, token), 403, 'insufficient_scope');
  });
});
