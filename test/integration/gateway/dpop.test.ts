import { request } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { dpopKey } from './support/dpop-key.ts';
import { expectRefusal, startWorld, type World } from './support/world.ts';

type Key = Awaited<ReturnType<typeof dpopKey>>;
let world: World;
let key: Key;
let draft: OrderDraft;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  key = await dpopKey();
});
afterAll(() => world.close());
beforeEach(async () => {
  draft = world.draft();
  token = await world.approve(draft, { claims: { cnf: { jkt: key.jkt } } });
});

const target = () => ({ method: 'POST', url: `${world.url}/v1/orders`, token, at: world.clock.now() });
const place = (proof: string | undefined, scheme = 'DPoP') =>
  world.place(draft, undefined, {
    authorization: `${scheme} ${token}`,
    ...(proof === undefined ? {} : { dpop: proof }),
  });

describe('a token bound to a key', () => {
  it('is refused as Bearer, with and without a proof', async () => {
    await expectRefusal(world, await place(undefined, 'Bearer'), 401, 'token_bound');
    await expectRefusal(world, await place(await key.proof(target()), 'Bearer'), 401, 'token_bound');
  });

  it('needs a proof', async () => {
    const response = await place(undefined);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('DPoP error="invalid_dpop_proof"');
    expect(challenge).not.toContain('Bearer');
    await expectRefusal(world, response, 401, 'dpop_proof_missing');
  });

  const wrong: [string, string, () => Promise<string>][] = [
    ['for another path', 'dpop_proof_url', () => key.proof({ ...target(), url: `${world.url}/v1/account` })],
    [
      'for another host',
      'dpop_proof_url',
      () => key.proof({ ...target(), url: 'http://127.0.0.1:1/v1/orders' }),
    ],
    [
      'for an address that only starts alike',
      'dpop_proof_url',
      () => key.proof({ ...target(), url: `${world.url}/v1/orders/x` }),
    ],
    ['for no URL at all', 'dpop_proof_url', () => key.proof({ ...target(), url: 'orders' })],
    ['for another method', 'dpop_proof_method', () => key.proof({ ...target(), method: 'GET' })],
    [
      'for the method in small letters',
      'dpop_proof_method',
      () => key.proof({ ...target(), method: 'post' }),
    ],
    ['without ath', 'dpop_proof_token', () => key.proof(target(), { claims: { ath: undefined } })],
    ['for another token', 'dpop_proof_token', () => key.proof({ ...target(), token: 'another' })],
    ['without jti', 'dpop_proof_malformed', () => key.proof(target(), { claims: { jti: undefined } })],
    ['without iat', 'dpop_proof_stale', () => key.proof(target(), { claims: { iat: undefined } })],
    ['that is too old', 'dpop_proof_stale', () => key.proof({ ...target(), at: world.clock.now() - 62_000 })],
    ['from the future', 'dpop_proof_stale', () => key.proof({ ...target(), at: world.clock.now() + 62_000 })],
    ['of another type', 'dpop_proof_malformed', () => key.proof(target(), { header: { typ: 'JWT' } })],
    ['without a key', 'dpop_proof_malformed', () => key.proof(target(), { header: { jwk: undefined } })],
    ['that is no JWT', 'dpop_proof_malformed', async () => 'proof'],
  ];
  it.each(wrong)('is refused with a proof %s', async (_, code, proof) => {
    await expectRefusal(world, await place(await proof()), 401, code);
  });

  it.each([-45, 45])('is taken with a proof of a clock that is off by %s seconds, once', async (seconds) => {
    const reader = await world.reader('market:read', { cnf: { jkt: key.jkt } });
    const at = world.clock.now() + seconds * 1000;
    const proof = await key.proof({ method: 'GET', url: `${world.url}/v1/clock`, token: reader, at });
    const headers = { authorization: `DPoP ${reader}`, dpop: proof };
    expect((await world.get('/v1/clock', undefined, headers)).status).toBe(200);
    await expectRefusal(world, await world.get('/v1/clock', undefined, headers), 401, 'dpop_proof_replayed');
  });

  it('is refused with a sound proof by another key', async () => {
    const other = await dpopKey();
    await expectRefusal(world, await place(await other.proof(target())), 401, 'dpop_key_mismatch');
  });

  it('is refused when another key signed the proof that names the right one', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const proof = await key.proof(target(), { key: privateKey });
    await expectRefusal(world, await place(proof), 401, 'dpop_proof_signature');
  });

  it('is refused with an unsigned proof', async () => {
    const [, payload] = (await key.proof(target())).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk })).toString(
      'base64url',
    );
    await expectRefusal(world, await place(`${header}.${payload}.AAAA`), 401, 'dpop_proof_algorithm');
  });

  it('is refused with two proofs', async () => {
    const proofs = `${await key.proof(target())}, ${await key.proof(target())}`;
    await expectRefusal(world, await place(proofs), 401, 'dpop_proof_malformed');
  });

  it('is refused with a proof whose header holds the private key', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const proof = await key.proof(target(), { key: privateKey, jwk: await exportJWK(privateKey) });
    await expectRefusal(world, await place(proof), 401, 'dpop_proof_malformed');
  });

  it('is refused with a replayed proof, across a restart of the gateway too', async () => {
    const reader = await world.reader('market:read', { cnf: { jkt: key.jkt } });
    const proof = await key.proof({
      method: 'GET',
      url: `${world.url}/v1/clock`,
      token: reader,
      at: world.clock.now(),
    });
    const headers = { authorization: `DPoP ${reader}`, dpop: proof };
    expect((await world.get('/v1/clock', undefined, headers)).status).toBe(200);
    await expectRefusal(world, await world.get('/v1/clock', undefined, headers), 401, 'dpop_proof_replayed');
    world.restart();
    await expectRefusal(world, await world.get('/v1/clock', undefined, headers), 401, 'dpop_proof_replayed');
  });

  it('does not let a forged proof use up the real one', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await key.proof(target(), { key: privateKey, claims: { jti: 'shared' } });
    await expectRefusal(world, await place(forged), 401, 'dpop_proof_signature');
    const reader = await world.reader('market:read', { cnf: { jkt: key.jkt } });
    const at = world.clock.now();
    const proof = await key.proof(
      { method: 'GET', url: `${world.url}/v1/clock`, token: reader, at },
      { claims: { jti: 'shared' } },
    );
    const response = await world.get('/v1/clock', undefined, {
      authorization: `DPoP ${reader}`,
      dpop: proof,
    });
    expect(response.status).toBe(200);
  });

  it('forgets proofs once they are too old to be accepted anyway', async () => {
    const count = () =>
      world.database.prepare('SELECT count(*) AS n FROM gateway_dpop_proofs').get() as { n: number };
    world.clock.advance(120_000);
    const reader = await world.reader('market:read', { cnf: { jkt: key.jkt } });
    const proof = await key.proof({
      method: 'GET',
      url: `${world.url}/v1/clock?x`,
      token: reader,
      at: world.clock.now(),
    });
    await world.get('/v1/clock', undefined, { authorization: `DPoP ${reader}`, dpop: proof });
    expect(count().n).toBe(1);
  });

  it('is not told by the Host header which URL a proof is for', async () => {
    const proof = await key.proof({ ...target(), url: 'http://evil.example/v1/orders' });
    const { port } = new URL(world.url);
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          method: 'POST',
          path: '/v1/orders',
          headers: {
            host: 'evil.example',
            'content-type': 'application/json',
            authorization: `DPoP ${token}`,
            dpop: proof,
          },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.on('error', reject);
      sent.end(JSON.stringify(draft));
    });
    expect(status).toBe(401);
    expect(world.broker.book).toEqual([]);
  });

  it('places the approved order with a sound proof', async () => {
    const response = await place(await key.proof(target()));
    expect(response.status).toBe(201);
    expect(world.broker.book).toHaveLength(1);
    world.broker.book.length = 0;
    world.broker.submissions.length = 0;
  });
});

it('a token bound to no key is refused by the DPoP scheme', async () => {
  const unbound = await world.approve(draft);
  const proof = await key.proof({ ...target(), token: unbound });
  const response = await world.place(draft, undefined, { authorization: `DPoP ${unbound}`, dpop: proof });
  await expectRefusal(world, response, 401, 'token_not_bound');
});
