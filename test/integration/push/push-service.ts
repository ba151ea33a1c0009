import { createECDH, createPublicKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, jwtVerify } from 'jose';
import type { PushMessage } from '../../../src/home/phone/push/push-message.ts';
import { decryptPush, type Receiver } from './decrypt-push.ts';

/** How the service answers one request: a status, one with headers, or never. */
type PushAnswer = number | { readonly status: number; readonly headers: Record<string, string> } | 'hang';

export type PushService = Awaited<ReturnType<typeof openPushService>>;

/**
 * A push service (RFC 8030) on loopback, with the browsers behind it: it verifies the sender and decrypts.
 * @param origin by which senders know it, where that is another than its own
 */
export async function openPushService(origin?: string) {
  const browsers = new Map<string, Receiver>();
  const received: Awaited<ReturnType<typeof read>>[] = [];
  /** What it found wrong with requests: none may be. */
  const complaints: string[] = [];
  let answers: PushAnswer[] = [];
  let calls = 0;
  const server = createServer(async (request, response) => {
    calls += 1;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = answers.shift() ?? 201;
    if (answer === 'hang') return;
    const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
    try {
      const browser = (request.url ?? '').slice('/push/'.length);
      const push = await read(request, Buffer.concat(chunks), browser, browsers.get(browser), origin ?? url());
      if (status < 300) received.push(push);
      response.writeHead(status, headers).end();
    } catch (error) {
      complaints.push(String(error));
      response.writeHead(400).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url(),
    received,
    complaints,
    /** How often it was called, also where it took nothing. */
    calls: () => calls,
    /** A browser of this name subscribes, as `PushSubscription.toJSON()` tells it. */
    subscribe(browser: string) {
      const ecdh = createECDH('prime256v1');
      const publicKey = ecdh.generateKeys();
      const auth = randomBytes(16);
      browsers.set(browser, { privateKey: ecdh.getPrivateKey(), publicKey, auth });
      const keys = { p256dh: publicKey.toString('base64url'), auth: auth.toString('base64url') };
      return { endpoint: `${origin ?? url()}/push/${browser}`, keys };
    },
    /** The next answers, in turn; then 201. */
    answer: (...next: PushAnswer[]) => {
      answers = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A push as its browser gets it, decrypted, and what the service was told beside it. */
async function read(
  request: IncomingMessage,
  body: Buffer,
  browser: string,
  receiver: Receiver | undefined,
  origin: string,
) {
  const { headers, method } = request;
  if (method !== 'POST') throw new Error(`${method} is no push`);
  if (headers['content-encoding'] !== 'aes128gcm') throw new Error('not encrypted by RFC 8188');
  // RFC 8030 §5.2, §5.3 and §5.4.
  if (!/^\d+$/.test(headers.ttl?.toString() ?? '')) throw new Error('no TTL');
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(headers.topic?.toString() ?? 'none')) throw new Error('not a topic');
  if (body.length > 4096) throw new Error('too large');
  if (receiver === undefined) throw new Error(`nobody subscribed as ${browser}`);
  const vapid = await verifyVapid(headers.authorization ?? '', origin);
  const text = decryptPush(body, receiver);
  return {
    browser,
    text,
    message: JSON.parse(text) as PushMessage,
    ttl: Number(headers.ttl),
    topic: headers.topic?.toString(),
    urgency: headers.urgency?.toString(),
    vapid,
  };
}

/** RFC 8292 §2 and §3: a JWT for this service's origin, for at most a day, signed by the key beside it. */
async function verifyVapid(authorization: string, origin: string) {
  const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=([A-Za-z0-9_-]+)$/.exec(authorization) ?? [];
  const point = Buffer.from(key, 'base64url');
  if (point.length !== 65 || point[0] !== 4) throw new Error('no VAPID key');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  };
  createPublicKey({ key: jwk, format: 'jwk' });
  const { payload } = await jwtVerify(token, await importJWK(jwk, 'ES256'), {
    audience: origin,
    algorithms: ['ES256'],
    requiredClaims: ['exp'],
  });
  if ((payload.exp ?? 0) * 1000 > Date.now() + 24 * 3600 * 1000) throw new Error('a VAPID token for too long');
  if (!/^(mailto:|https:)/.test(payload.sub ?? '')) throw new Error('nobody to write to');
  return { sub: payload.sub, key };
}
