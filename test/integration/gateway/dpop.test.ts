import { request } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { dpopKey } from './support/dpop-key.ts';
import { startWorld, type World } from './support/world.ts';

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
const place = (proof: string | undefined) =>
  world.place(draft, undefined, {
    authorization: `DPoP ${token}`,
    ...(proof === undefined ? {} : { dpop: proof }),
  });

/** Reads the clock by a token bound to the key, each time with the same proof. */
async function reading({ at = world.clock.now(), jti }: { at?: number; jti?: string } = {}) {
  const reader = await world.reader('market:read', { cnf: { jkt: key.jkt } });
  const of = { method: 'GET', url: `${world.url}/v1/clock`, token: reader, at };
  const proof = await key.proof(of, jti === undefined ? {} : { claims: { jti } });
  return () => world.get('/v1/clock', undefined, { authorization: `DPoP ${reader}`, dpop: proof });
}

/* Each other way that a proof can be wrong is tried at every route in test/integration/hostile. */
describe('a token bound to a key', () => {
  it('needs a proof', async () => {
    const response = await place(undefined);
    const challenge = response.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('DPoP error="invalid_dpop_proof"');
    expect(challenge).not.toContain('Bearer');
    await world.refuses(response, 401, 'dpop_proof_missing');
  });

  it.each([-62_000, 62_000])('is refused with a proof of %i ms from now', async (ms) => {
    const proof = await key.proof({ ...target(), at: world.clock.now() + ms });
    await world.refuses(place(proof), 401, 'dpop_proof_stale');
  });

  it('is refused with a proof for an address that only starts alike', async () => {
    const proof = await key.proof({ ...target(), url: `${world.url}/v1/orders/x` });
    await world.refuses(place(proof), 401, 'dpop_proof_url');
  });

  it.each([-45, 45])('is taken with a proof of a clock that is off by %s seconds, once', async (seconds) => {
    const read = await reading({ at: world.clock.now() + seconds * 1000 });
    expect((await read()).status).toBe(200);
    await world.refuses(read(), 401, 'dpop_proof_replayed');
  });

  it('is refused with a proof whose header holds the private key', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const proof = await key.proof(target(), { key: privateKey, jwk: await exportJWK(privateKey) });
    await world.refuses(place(proof), 401, 'dpop_proof_malformed');
  });

  it('is refused with a replayed proof, across a restart of the gateway too', async () => {
    const read = await reading();
    expect((await read()).status).toBe(200);
    world.restart();
    await world.refuses(read(), 401, 'dpop_proof_replayed');
  });

  it('does not let a forged proof use up the real one', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await key.proof(target(), { key: privateKey, claims: { jti: 'shared' } });
    await world.refuses(place(forged), 401, 'dpop_proof_signature');
    expect((await (await reading({ jti: 'shared' }))()).status).toBe(200);
  });

  it('forgets proofs once they are too old to be accepted anyway', async () => {
    world.clock.advance(120_000);
    expect((await (await reading())()).status).toBe(200);
    const kept = world.database.prepare('SELECT count(*) AS n FROM gateway_dpop_proofs').get();
    expect(kept).toEqual({ n: 1 });
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
  await world.refuses(response, 401, 'token_not_bound');
});
