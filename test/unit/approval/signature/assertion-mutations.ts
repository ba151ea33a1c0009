import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Algorithm } from './authenticator.ts';

/** Assertions that a real key signed after one thing about them was changed. */

export const ORIGIN = 'http://localhost:4747';
export const RP_ID = 'localhost';
export const CHALLENGE = Buffer.alloc(32, 9).toString('base64url');
export const CREDENTIAL_ID = Buffer.alloc(32, 7).toString('base64url');
/** The count of the signature before this one. */
export const COUNTER = 4;

/** Returns a whole number from 0 up to below this one. */
type Random = (below: number) => number;

export interface MutatedAssertion {
  readonly mutation: string;
  readonly algorithm: number;
  /** COSE_Key. */
  readonly publicKey: Buffer;
  readonly response: {
    readonly authenticatorData: string;
    readonly clientDataJSON: string;
    readonly signature: string;
  };
}

export interface Signer {
  readonly name: Algorithm;
  readonly algorithm: number;
  readonly cose: Buffer;
  readonly sign: (data: Buffer) => Buffer;
}

/** What a mutation may change: the data before it is signed, or the signature, the texts and the key afterwards. */
interface Draft {
  data: Buffer;
  client: Buffer;
  cose: Buffer;
  sign: (data: Buffer) => Buffer;
  text: (text: string) => string;
}

const hex = (text: string) => Buffer.from(text, 'hex');
const decoded = (text = '') => Buffer.from(text, 'base64url');
function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return length;
}
const rsaKey = (n: Buffer, e: Buffer) =>
  Buffer.concat([hex('a40103033901002059'), lengthOf(n), n, Buffer.from([0x21, 0x40 + e.length]), e]);

/** Returns a signer of each accepted algorithm, with new keys. */
export function createSigners(): readonly Signer[] {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const partsOf = (key: KeyObject) => key.export({ format: 'jwk' });
  const { x, y } = partsOf(ec.publicKey);
  const { n } = partsOf(rsa.publicKey);
  const signing = (key: KeyObject, hash: string | null) => (data: Buffer) => sign(hash, data, key);
  return [
    {
      name: 'ES256',
      algorithm: -7,
      cose: Buffer.concat([hex('a5010203262001215820'), decoded(x), hex('225820'), decoded(y)]),
      sign: signing(ec.privateKey, 'sha256'),
    },
    {
      name: 'EdDSA',
      algorithm: -8,
      cose: Buffer.concat([hex('a4010103272006215820'), decoded(partsOf(ed.publicKey).x)]),
      sign: signing(ed.privateKey, null),
    },
    {
      name: 'RS256',
      algorithm: -257,
      cose: rsaKey(decoded(n), hex('010001')),
      sign: signing(rsa.privateKey, 'sha256'),
    },
  ];
}

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

/** Flips one to three bits, so that the bytes differ. */
function flip(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
  }
  return copy.equals(bytes) ? flip(bytes, random) : copy;
}

const honest = { type: 'webauthn.get', challenge: CHALLENGE, origin: ORIGIN, crossOrigin: false };
const clientData = (more: object) => Buffer.from(JSON.stringify({ ...honest, ...more }));
const odd = [undefined, null, true, false, 0, '', 'https://evil.example', [], {}, `${ORIGIN}/`, CHALLENGE.slice(1)];
const members = ['type', 'challenge', 'origin', 'crossOrigin', 'topOrigin', 'other'];
const tokenBindings = [{ status: 'supported' }, { status: 'present', id: 'x' }, { status: 'other' }, { id: 'x' }];
const tails = [[0xa0], [0xa1, 0x61, 0x61, 0xf5], [0xb8, 0], [0x80], [0], [0xa1]];

/** The order of Ed25519's base point (RFC 8032 §5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const littleEndian = (value: bigint) => hex(value.toString(16).padStart(64, '0')).reverse();

function spelledOtherwise(name: Algorithm, made: Buffer, random: Random): Buffer {
  if (name === 'RS256') {
    return pick(
      [Buffer.concat([Buffer.alloc(1), made]), made.subarray(1), Buffer.concat([made, Buffer.alloc(1)])],
      random,
    );
  }
  if (name === 'EdDSA') {
    const s = BigInt(`0x${Buffer.from(made.subarray(32)).reverse().toString('hex')}`);
    return pick(
      [
        Buffer.concat([made.subarray(0, 32), littleEndian(s + L)]),
        Buffer.concat([made, Buffer.alloc(1)]),
        made.subarray(1),
      ],
      random,
    );
  }
  const [length = 0, r = 0] = [made[1], made[3]];
  return pick(
    [
      Buffer.concat([Buffer.from([0x30, 0x81]), made.subarray(1)]),
      Buffer.concat([made, Buffer.from([random(256)])]),
      Buffer.concat([Buffer.from([0x30, length + 3]), made.subarray(2), Buffer.from([2, 1, random(128)])]),
      Buffer.concat([Buffer.from([0x30, length + 1, 2, r + 1, 0]), made.subarray(4)]),
      made.subarray(0, made.length - 1 - random(8)),
    ],
    random,
  );
}

/** The same key in another encoding. */
function keySpelledOtherwise(name: Algorithm, cose: Buffer, random: Random): Buffer {
  const behind = Buffer.concat([cose, Buffer.alloc(1)]);
  const more = Buffer.concat([Buffer.from([(cose[0] ?? 0) + 1]), cose.subarray(1), hex('6161f5')]);
  if (name === 'RS256') {
    const n = cose.subarray(11, 267);
    const others = [rsaKey(Buffer.concat([Buffer.alloc(1), n]), hex('010001')), rsaKey(n, hex('00010001'))];
    return pick([behind, more, ...others], random);
  }
  if (name === 'EdDSA') {
    const x = cose.subarray(10);
    return pick([behind, more, Buffer.concat([hex('a4032701012006215820'), x])], random);
  }
  const [x, y] = [cose.subarray(10, 42), cose.subarray(45)];
  const others = [
    Buffer.concat([hex('a5032601022001215820'), x, hex('225820'), y]),
    Buffer.concat([hex('a501020326200121590020'), x, hex('225820'), y]),
    Buffer.concat([hex('a5010203262001215820'), x, Buffer.from([0x22, (y[31] ?? 0) % 2 === 0 ? 0xf4 : 0xf5])]),
    Buffer.concat([Buffer.from([4]), x, y]),
  ];
  return pick([behind, more, ...others], random);
}

/** The DigestInfo of SHA-256 (RFC 8017 §9.2). */
const SHA256_INFO = hex('3031300d060960864801650304020105000420');

/** With the exponent 1, the padded digest is its own signature. */
function selfSigned(data: Buffer): Buffer {
  const info = Buffer.concat([SHA256_INFO, createHash('sha256').update(data).digest()]);
  return Buffer.concat([hex('0001'), Buffer.alloc(253 - info.length, 0xff), Buffer.alloc(1), info]);
}

const shortRsa = generateKeyPairSync('rsa', { modulusLength: 512 });
const cubeRsa = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
const modulusOf = (key: KeyObject) => decoded(key.export({ format: 'jwk' }).n);
/** The neutral element of Ed25519: with it as key and as R, and 0 as S, every message is signed. */
const NEUTRAL = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);

type ForgedKey = Pick<Draft, 'cose' | 'sign'>;
/** Keys for which anybody can make signatures, and keys that are too short. */
const weakKeys: Readonly<Record<Algorithm, readonly ForgedKey[]>> = {
  ES256: [
    {
      cose: Buffer.concat([hex('a5010203262001215820'), Buffer.alloc(32), hex('225820'), Buffer.alloc(32)]),
      sign: () => hex('3006020100020100'),
    },
    {
      cose: Buffer.concat([hex('a5010203262001215820'), Buffer.alloc(32), hex('225820'), Buffer.alloc(32)]),
      sign: () => hex('3006020101020101'),
    },
  ],
  EdDSA: [
    {
      cose: Buffer.concat([hex('a4010103272006215820'), NEUTRAL]),
      sign: () => Buffer.concat([NEUTRAL, Buffer.alloc(32)]),
    },
  ],
  RS256: [
    { cose: rsaKey(modulusOf(cubeRsa.publicKey), hex('01')), sign: selfSigned },
    {
      cose: rsaKey(modulusOf(shortRsa.publicKey), hex('010001')),
      sign: (data) => sign('sha256', data, shortRsa.privateKey),
    },
    { cose: rsaKey(modulusOf(cubeRsa.publicKey), hex('03')), sign: (data) => sign('sha256', data, cubeRsa.privateKey) },
  ],
};

const mutations: Readonly<Record<string, (draft: Draft, random: Random, signer: Signer) => void>> = {
  none: () => {},
  'bits of the signature': (draft, random, { sign: honestly }) => {
    draft.sign = (data) => flip(honestly(data), random);
  },
  'signature in another encoding': (draft, random, { name, sign: honestly }) => {
    draft.sign = (data) => spelledOtherwise(name, honestly(data), random);
  },
  'bits of the authenticator data': (draft, random) => {
    draft.data = flip(draft.data, random);
  },
  flags: (draft, random) => {
    draft.data[32] = random(256);
  },
  counter: (draft, random) => {
    draft.data.writeUInt32BE(pick([0, 1, 4, 5, 6, 2 ** 31, 2 ** 32 - 1], random), 33);
  },
  extensions: (draft, random) => {
    const more = Array.from({ length: random(3) }, () => random(256));
    draft.data = Buffer.concat([draft.data, Buffer.from([...pick(tails, random), ...more])]);
    if (random(4) > 0) draft.data[32] = (draft.data[32] ?? 0) | 0x80;
  },
  'client data': (draft, random) => {
    draft.client =
      random(3) === 0 ? flip(draft.client, random) : clientData({ [pick(members, random)]: pick(odd, random) });
  },
  'token binding': (draft, random) => {
    draft.client = clientData({ tokenBinding: pick([...tokenBindings, ...odd], random) });
  },
  'base64url in another encoding': (draft, random) => {
    const next = (one: string) => one.slice(0, -1) + String.fromCharCode(one.charCodeAt(one.length - 1) + 1);
    const standard = (one: string) => one.replace(/[-_]/g, (c) => (c === '-' ? '+' : '/'));
    draft.text = pick([(one: string) => `${one}=`, (one) => `${one}A`, (one) => `${one}\n`, next, standard], random);
  },
  'bits of the key': (draft, random) => {
    draft.cose = flip(draft.cose, random);
  },
  'key in another encoding': (draft, random, { name }) => {
    draft.cose = keySpelledOtherwise(name, draft.cose, random);
  },
  'weak key': (draft, random, { name }) => {
    Object.assign(draft, pick(weakKeys[name], random));
  },
};

export const mutationNames: readonly string[] = Object.keys(mutations);

/** Makes the assertion number `index`: the mutations take turns, and the algorithms within each of them. */
export function mutatedAssertion(index: number, signers: readonly Signer[], random: Random): MutatedAssertion {
  const mutation = mutationNames[index % mutationNames.length] as string;
  const signer = signers[Math.floor(index / mutationNames.length) % signers.length] as Signer;
  const rpIdHash = createHash('sha256').update(RP_ID).digest();
  const draft: Draft = {
    data: Buffer.concat([rpIdHash, Buffer.from([5, 0, 0, 0, 5])]),
    client: clientData({}),
    cose: signer.cose,
    sign: signer.sign,
    text: (text) => text,
  };
  mutations[mutation]?.(draft, random, signer);
  const digest = createHash('sha256').update(draft.client).digest();
  const signature = draft.sign(Buffer.concat([draft.data, digest]));
  return {
    mutation: `${mutation}, ${signer.name}`,
    algorithm: signer.algorithm,
    publicKey: draft.cose,
    response: {
      authenticatorData: draft.text(draft.data.toString('base64url')),
      clientDataJSON: draft.text(draft.client.toString('base64url')),
      signature: draft.text(signature.toString('base64url')),
    },
  };
}
