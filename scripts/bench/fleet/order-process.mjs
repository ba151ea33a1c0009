// Runs one gateway's checks in a separate process: verifies tokens and proofs, and claims orders. Forked by orders.mjs.
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createTokenVerifier } from '../../../src/gateway/auth/token-verifier.ts';
import { openPostgresGatewayDatabase, postgresGatewayStores } from '../../../src/store/postgres/gateway-database.ts';
import { changed } from '../../../test/unit/gateway/policy/sound-order.ts';

const ISSUER = 'https://id.example';
const GATEWAY = 'https://gateway.example';
/** Concurrent orders per process. */
const LANES = 8;

const clock = { now: Date.now, sleep: async () => undefined };
const issuer = await generateKeyPair('ES256');
const device = await generateKeyPair('ES256');
const jwk = await exportJWK(device.publicKey);
const jkt = await calculateJwkThumbprint(jwk);
const provider = { metadata: async () => ({ issuer: ISSUER }), key: async () => issuer.publicKey };

/** Creates a request with a token for this order only, and a proof signed with the caller's key. */
async function request() {
  const token = await new SignJWT({ client_id: 'trade-agent', scope: 'orders:write', cnf: { jkt } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(GATEWAY)
    .setSubject(`person-${randomUUID()}`)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(issuer.privateKey);
  const { createHash } = await import('node:crypto');
  const proof = await new SignJWT({
    htm: 'POST',
    htu: `${GATEWAY}/v1/orders`,
    ath: createHash('sha256').update(token).digest('base64url'),
    jti: randomUUID(),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(device.privateKey);
  return { method: 'POST', path: '/v1/orders', authorization: `DPoP ${token}`, dpop: proof };
}

const inMemory = () => {
  const seen = new Set();
  return { remember: async (proof) => !seen.has(proof) && seen.add(proof).size > 0 };
};
const verifierOver = (proofs) => createTokenVerifier({ provider, resource: GATEWAY, proofs, clock });

async function measured(requests, work) {
  const queue = requests.values();
  const before = process.cpuUsage();
  const from = performance.now();
  const lane = async () => {
    for (const one of queue) await work(one);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const { user, system } = process.cpuUsage(before);
  return { processor: (user + system) / 1000 / requests.length, lasted: performance.now() - from };
}

const orderOf = (number) => {
  const draft = changed({ account: `PA-${number}`, qty: '1', client_order_id: `ta-${randomUUID()}` });
  return { draft, placed: { id: randomUUID(), status: 'accepted', client_order_id: draft.client_order_id } };
};

async function claim(stores, verify, request) {
  const { sub, jti } = await verify(request);
  const { draft, placed } = orderOf(sub);
  const key = { sub, clientOrderId: draft.client_order_id };
  const now = Date.now();
  const order = { ...key, digest: 'digest', draft, approval: { issuer: ISSUER, jti } };
  if ((await stores.orders.claim(order, now, undefined)) !== 'claimed') throw new Error('not claimed');
  await stores.orders.place(key, placed, now);
}

const [address, count] = process.argv.slice(2);
const database = await openPostgresGatewayDatabase({ address, tenant: 'bench' });
const stores = await postgresGatewayStores(database);
const requests = (many) => Promise.all(Array.from({ length: many }, request));
const prepared = { verify: await requests(Number(count)), claim: await requests(Number(count)) };
/** Orders until V8 has compiled the hot code. */
const WARM_UP = 1_000;
const warm = await requests(2 * WARM_UP);
const alone = verifierOver(inMemory());
const shared = verifierOver(stores.proofs);
for (const one of warm.slice(0, WARM_UP)) await alone(one);
for (const one of warm.slice(WARM_UP)) await claim(stores, shared, one);

process.on('message', async (what) => {
  process.send(
    what === 'verify'
      ? await measured(prepared.verify, alone)
      : await measured(prepared.claim, (one) => claim(stores, shared, one)),
  );
  if (what === 'verify') return;
  await database.close();
  process.exit(0);
});
process.send('ready');
