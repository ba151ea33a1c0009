import { createHash, randomUUID } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startProposalWorld } from '../../approval/world.ts';
import { AUDIENCE, logOut, push, SESSION_REVOKED, startCompany } from './company.ts';

const DAY_S = 24 * 3600;
const now = () => Math.floor(Date.now() / 1000);

const company = await startCompany();
const world = await startProposalWorld({ companies: [company.listed] });
const home = world.sandbox.ready.issuer;
let session = await company.signIn(home, 'acme-alice');
afterAll(async () => {
  await world.close();
  await company.close();
});

/** Whatever came, nothing of it was revoked. */
const isStillIn = async () => expect(await session.send('GET', '/v1/proposals')).toMatchObject({ status: 200 });

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** One way to forge or damage a Security Event Token, and RFC 8935's word for it. */
const forged: readonly (readonly [string, () => Promise<string>, string])[] = [
  [
    'of no algorithm',
    async () => {
      const [, payload] = (await company.event()).split('.');
      return `${part({ alg: 'none', typ: 'secevent+jwt' })}.${payload}.`;
    },
    'invalid_key',
  ],
  [
    'of an HMAC',
    () => company.event({}, { alg: 'HS256' }, new TextEncoder().encode('a secret of thirty-two characters')),
    'invalid_key',
  ],
  [
    'by another key under the same name',
    async () => company.event({}, {}, (await generateKeyPair('ES256')).privateKey),
    'authentication_failed',
  ],
  [
    'by a key that the issuer does not have',
    async () => company.event({}, { kid: 'other' }, (await generateKeyPair('ES256')).privateKey),
    'invalid_key',
  ],
  ['of another issuer', () => company.event({ iss: 'https://login.other.example' }), 'invalid_issuer'],
  ['of no issuer', () => company.event({ iss: undefined }), 'invalid_issuer'],
  ['for another audience', () => company.event({ aud: 'https://other.example' }), 'invalid_audience'],
  ['for nobody', () => company.event({ aud: undefined }), 'invalid_audience'],
  ['from eight days ago', () => company.event({ iat: now() - 8 * DAY_S }), 'invalid_request'],
  ['from the future', () => company.event({ iat: now() + 60 }), 'invalid_request'],
  ['without a time', () => company.event({ iat: undefined }), 'invalid_request'],
  ['without an id', () => company.event({ jti: undefined }), 'invalid_request'],
  ['with an empty id', () => company.event({ jti: '' }), 'invalid_request'],
  ['that is an ID token', () => company.event({}, { typ: 'JWT' }), 'invalid_request'],
  ['that is an ID-JAG', () => company.assertion(home, 'acme-alice'), 'invalid_request'],
  ['that is a logout token', () => company.logout({ aud: AUDIENCE }), 'invalid_request'],
  ['without events', () => company.event({ events: undefined }), 'invalid_request'],
  ['with no event', () => company.event({ events: {} }), 'invalid_request'],
  ['whose event is no object', () => company.event({ events: { [SESSION_REVOKED]: true } }), 'invalid_request'],
  ['about nobody', () => company.event({ sub_id: undefined }), 'invalid_request'],
  [
    'about somebody of another issuer',
    () => company.event({ sub_id: { format: 'iss_sub', iss: 'https://other.example', sub: 'acme-alice' } }),
    'invalid_request',
  ],
  [
    'about an e-mail address',
    () => company.event({ sub_id: { format: 'email', email: 'alice@acme.example' } }),
    'invalid_request',
  ],
  ['about an opaque id', () => company.event({ sub_id: { format: 'opaque', id: 'acme-alice' } }), 'invalid_request'],
  ['that has expired', () => company.event({ exp: now() - 60 }), 'invalid_request'],
  ['that is no JWT', async () => 'nothing', 'invalid_request'],
  ['that is empty', async () => '', 'invalid_request'],
  ['longer than any', () => company.event({ padding: 'x'.repeat(40_000) }), 'invalid_request'],
];

describe('a security event token', () => {
  it.each(forged)('%s is refused, and nothing is revoked', async (_, forge, err) => {
    const { status, body } = await push(home, await forge());
    expect([status, body]).toEqual([400, { err, description: expect.any(String) }]);
    await isStillIn();
  });

  it('of another content type is refused, and nothing is revoked', async () => {
    for (const type of ['application/jwt', 'application/json', 'text/plain; application/secevent+jwt']) {
      expect(await push(home, await company.event(), type)).toMatchObject({
        status: 400,
        body: { err: 'invalid_request' },
      });
    }
    await isStillIn();
  });

  it('says nothing of itself where it is refused', async () => {
    const { body } = await push(home, await company.event({ aud: 'a-secret-audience' }));
    expect(JSON.stringify(body)).not.toContain('a-secret-audience');
  });

  it('of an unknown kind, or a stream’s own, is taken and means nothing', async () => {
    for (const type of ['caep/event-type/device-compliance-change', 'ssf/event-type/verification']) {
      const events = { [`https://schemas.openid.net/secevent/${type}`]: { state: 'x' } };
      const token = await company.event({ events, sub_id: { format: 'opaque', id: 'stream' } });
      expect(await push(home, token)).toEqual({ status: 202, body: undefined });
    }
    await isStillIn();
  });

  it('for somebody whom nobody here is, touches nobody', async () => {
    const sub_id = { format: 'iss_sub', iss: company.issuer, sub: 'acme-carol' };
    expect(await push(home, await company.event({ sub_id }))).toMatchObject({ status: 202 });
    await isStillIn();
  });

  it('is taken by POST alone', async () => {
    expect((await fetch(`${home}/signals/events`)).status).toBe(405);
    expect((await fetch(`${home}/backchannel-logout`)).status).toBe(405);
  });
});

/** One way to forge or damage a logout token. */
const forgedLogouts: readonly (readonly [string, () => Promise<string>])[] = [
  ['with a nonce', () => company.logout({ nonce: 'n' })],
  ['without its event', () => company.logout({ events: { [SESSION_REVOKED]: {} } })],
  ['of a session alone', () => company.logout({ sub: undefined })],
  ['of nobody', () => company.logout({ sub: undefined, sid: undefined })],
  ['for a client that is not of this company', () => company.logout({ aud: 'trade-agent' })],
  ['of another type', () => company.logout({}, { typ: 'JWT' })],
  ['that is a security event', () => company.event({ aud: 'trade-agent-acme' })],
  ['that has expired', () => company.logout({ exp: now() - 60 })],
  ['that never expires', () => company.logout({ exp: undefined })],
  ['from an hour ago', () => company.logout({ iat: now() - 3600 })],
  ['from the future', () => company.logout({ iat: now() + 60 })],
  ['without an id', () => company.logout({ jti: undefined })],
];

describe('a logout token', () => {
  it.each(forgedLogouts)('%s is refused, and nothing is revoked', async (_, forge) => {
    const { status, body, headers } = await logOut(home, await forge());
    expect([status, body]).toEqual([400, { error: 'invalid_request', error_description: expect.any(String) }]);
    expect(headers.get('cache-control')).toBe('no-store');
    await isStillIn();
  });

  it('that is missing is refused', async () => {
    expect((await fetch(`${home}/backchannel-logout`, { method: 'POST', body: new URLSearchParams() })).status).toBe(
      400,
    );
  });
});

describe('the same again', () => {
  it('is answered as the first time, and does nothing; another token of its jti is refused', async () => {
    for (const [send, make, taken] of [
      [push, company.event, 202],
      [logOut, company.logout, 200],
    ] as const) {
      const jti = randomUUID();
      const token = await make({ jti });
      expect((await send(home, token)).status).toBe(taken);
      expect((await session.send('GET', '/v1/proposals')).status).toBe(401);
      session = await company.signInAgain(home);
      expect((await send(home, token)).status).toBe(taken);
      await isStillIn();
      // Signed again, it is another token: its digest says so.
      const other = await make({ jti });
      expect(createHash('sha256').update(other).digest('hex')).not.toBe(
        createHash('sha256').update(token).digest('hex'),
      );
      expect((await send(home, other)).status).toBe(400);
      await isStillIn();
    }
  });
});

it('whoever sends too many is told to wait, with what else is there', async () => {
  // A slow machine sends fewer than the limit allows at first.
  await vi.waitFor(async () => {
    const answers = await Promise.all(Array.from({ length: 320 }, () => push(home, 'nothing')));
    expect(answers.map(({ status }) => status)).toContain(429);
  }, 30_000);
  await isStillIn();
});
