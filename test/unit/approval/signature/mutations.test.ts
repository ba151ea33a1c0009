import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import { expect, it } from 'vitest';
import { verifyAssertion } from '../../../../src/approval/signature/verify-evidence.ts';
import type { SigningKey } from '../../../../src/store/signing-key-store.ts';

/** `npm run test:assertions` plays a million. */
const COUNT = Number(process.env.ASSERTION_MUTATIONS ?? 3_000);
const ORIGIN = 'http://localhost:4747';
const RP_ID = 'localhost';
const CHALLENGE = Buffer.alloc(32, 9).toString('base64url');
const ID = Buffer.alloc(32, 7).toString('base64url');

/**
 * How the two may differ: ours refuses, for the reason given, what the library accepts. Nothing may be the other way
 * around, and no other mutation may be accepted by one alone.
 */
const explained: Readonly<Record<string, string>> = {
  'bytes of the signature': 'as for DER: the library does not look at the tag of the sequence, among others',
  'bytes of the data': 'as for flags',
  'der spelled otherwise': 'the library decodes ASN.1 leniently; OpenSSL compares with the canonical DER',
  'text spelled otherwise': 'the library decodes base64 with padding and unused bits; the core takes one spelling',
  'client data': 'the library does not look at crossOrigin and topOrigin, and replaces invalid UTF-8',
  flags: 'the library does not compare backup flags with the enrolled key, and takes attested data',
  'data behind': 'the library skips extensions that are not one canonical map',
};

function randomOf(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % below;
  };
}
type Random = ReturnType<typeof randomOf>;

interface Signed {
  data: Buffer;
  client: Buffer;
  signature?: (honest: Buffer) => Buffer;
  /** Applied to the three texts. */
  text?: (text: string) => string;
}

function flip(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
  }
  return copy;
}

const honest = { type: 'webauthn.get', challenge: CHALLENGE, origin: ORIGIN, crossOrigin: false };
const json = (more: object) => Buffer.from(JSON.stringify({ ...honest, ...more }));
const odd = [undefined, null, true, false, 0, '', 'https://evil.example', [], {}, `${ORIGIN}/`, CHALLENGE.slice(1)];

/** Each changes an assertion before it is signed, or says what to change afterwards. */
const mutations: Readonly<Record<string, (signed: Signed, random: Random) => void>> = {
  none: () => {},
  'bytes of the signature': (signed, random) => {
    signed.signature = (bytes) => flip(bytes, random);
  },
  'bytes of the data': (signed, random) => {
    signed.data = flip(signed.data, random);
  },
  'client data': (signed, random) => {
    const member = ['type', 'challenge', 'origin', 'crossOrigin', 'topOrigin', 'other'][random(6)] ?? 'other';
    signed.client = random(3) === 0 ? flip(signed.client, random) : json({ [member]: odd[random(odd.length)] });
  },
  flags: (signed, random) => {
    signed.data[32] = random(256);
  },
  counter: (signed, random) => {
    signed.data.writeUInt32BE([0, 1, 4, 5, 6, 2 ** 31, 2 ** 32 - 1][random(7)] ?? 0, 33);
  },
  'data behind': (signed, random) => {
    const tail = [[0xa0], [0xa1, 0x61, 0x61, 0xf5], [0xb8, 0], [0x80], [0], [0xa1]][random(6)] ?? [];
    const more = Array.from({ length: random(3) }, () => random(256));
    signed.data = Buffer.concat([signed.data, Buffer.from([...tail, ...more])]);
    if (random(4) > 0) signed.data[32] = (signed.data[32] ?? 0) | 0x80;
  },
  'der spelled otherwise': (signed, random) => {
    signed.signature = (der) => {
      const [length = 0, r = 0] = [der[1], der[3]];
      const ways = [
        () => Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)]),
        () => Buffer.concat([der, Buffer.from([random(256)])]),
        () => Buffer.concat([Buffer.from([0x30, length + 3]), der.subarray(2), Buffer.from([2, 1, random(128)])]),
        () => Buffer.concat([Buffer.from([0x30, length + 1, 2, r + 1, 0]), der.subarray(4)]),
        () => der.subarray(0, der.length - 1 - random(8)),
      ];
      return (ways[random(ways.length)] ?? (() => der))();
    };
  },
  'text spelled otherwise': (signed, random) => {
    const ways = [(one: string) => `${one}=`, (one: string) => `${one}A`, (one: string) => `${one}\n`];
    const next = (one: string) => one.slice(0, -1) + String.fromCharCode(one.charCodeAt(one.length - 1) + 1);
    signed.text =
      [...ways, next, (one: string) => one.replace(/[-_]/g, (c) => (c === '-' ? '+' : '/'))][random(5)] ?? next;
  },
};

function keyOf(publicKey: KeyObject): SigningKey {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const part = (text: string) => Buffer.from(text, 'base64url');
  const heads = ['a5010203262001215820', '225820'].map((hex) => Buffer.from(hex, 'hex'));
  const [head = Buffer.alloc(0), middle = Buffer.alloc(0)] = heads;
  return {
    credentialId: ID,
    publicKey: new Uint8Array(Buffer.concat([head, part(x), middle, part(y)])),
    ...{ sub: 'alice', algorithm: -7, counter: 4, method: 'webauthn', deviceType: 'singleDevice', backedUp: false },
    ...{ name: 'phone', transports: [], enrolledAt: 0 },
  } as SigningKey;
}

it(
  'random mutations of assertions are accepted by both verifiers or by neither, but for what is explained',
  async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = keyOf(publicKey);
    const names = Object.keys(mutations);
    const random = randomOf(Number(process.env.ASSERTION_SEED ?? 1));
    const counts = new Map<string, number>();
    const unexplained: string[] = [];
    for (let index = 0; index < COUNT; index++) {
      const name = names[index % names.length] ?? 'none';
      const rpIdHash = createHash('sha256').update(RP_ID).digest();
      const signed: Signed = { data: Buffer.concat([rpIdHash, Buffer.from([5, 0, 0, 0, 5])]), client: json({}) };
      mutations[name]?.(signed, random);
      const digest = createHash('sha256').update(signed.client).digest();
      const made = sign('sha256', Buffer.concat([signed.data, digest]), privateKey);
      const text = signed.text ?? ((one: string) => one);
      const response = {
        authenticatorData: text(signed.data.toString('base64url')),
        clientDataJSON: text(signed.client.toString('base64url')),
        signature: text((signed.signature?.(made) ?? made).toString('base64url')),
      };
      const ours = await verifyAssertion(
        { credentialId: ID, ...response },
        { challenge: (one) => one === CHALLENGE, origin: ORIGIN, rpId: RP_ID, sub: 'alice', method: 'webauthn' },
        { byId: async () => key },
      ).then(
        () => true,
        () => false,
      );
      const theirs = await verifyAuthenticationResponse({
        response: { id: ID, rawId: ID, type: 'public-key', clientExtensionResults: {}, response },
        ...{ expectedChallenge: CHALLENGE, expectedOrigin: ORIGIN, expectedRPID: RP_ID, requireUserVerification: true },
        credential: { id: ID, publicKey: new Uint8Array(key.publicKey), counter: key.counter },
      }).then(
        ({ verified }) => verified,
        () => false,
      );
      const said = `${name}: ${ours ? 'accepted' : 'refused'}, by the library ${theirs ? 'accepted' : 'refused'}`;
      counts.set(said, (counts.get(said) ?? 0) + 1);
      if (ours !== theirs && (ours || explained[name] === undefined))
        unexplained.push(JSON.stringify({ name, ours, response }));
    }
    console.info(
      `${COUNT} mutations\n${[...counts]
        .map(([said, count]) => `${said}: ${count}`)
        .sort()
        .join('\n')}`,
    );
    expect(unexplained.slice(0, 3)).toEqual([]);
    expect(counts.get('none: accepted, by the library accepted')).toBe(Math.ceil(COUNT / names.length));
  },
  6 * 3_600_000,
);
