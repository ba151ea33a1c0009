import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { Algorithm } from './authenticator.ts';

const bytes = (text: string) => Buffer.from(text, 'hex');
const es256 = (x: Buffer, y: Buffer) => Buffer.concat([bytes('a5010203262001215820'), x, bytes('225820'), y]);
const ed25519 = (x: Buffer) => Buffer.concat([bytes('a4010103272006215820'), x]);
function rs256(modulus: Buffer, exponent: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(modulus.length);
  const head = Buffer.concat([bytes('a40103033901002059'), length]);
  return Buffer.concat([head, modulus, Buffer.from([0x21, 0x40 + exponent.length]), exponent]);
}

function modulus(bits: number): Buffer {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' });
  return Buffer.from(n, 'base64url');
}
const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const [px, py] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
const n = modulus(2048);
const exponent = bytes('010001');
const even = Buffer.from(n);
even[255] = (even[255] ?? 0) & 0xfe;

/** Public keys (COSE_Key) that can never sign, or whose signatures prove nothing. */
export const oddKeys: readonly (readonly [what: string, algorithm: Algorithm, cose: Buffer])[] = [
  ['a point off the curve', 'ES256', es256(px, Buffer.from(py.map((byte) => byte ^ 1)))],
  ['a point of zeros', 'ES256', es256(Buffer.alloc(32), Buffer.alloc(32))],
  ['a point that is too short', 'ES256', es256(px, py).subarray(0, -1)],
  ['a point of another curve', 'ES256', Buffer.concat([bytes('a5010203262002215820'), px, bytes('225820'), py])],
  ['a length that is spelled long', 'ES256', Buffer.concat([bytes('a501020326200121590020'), px, bytes('225820'), py])],
  [
    'members in another order',
    'ES256',
    Buffer.concat([bytes('a5030101022620012158'), bytes('20'), px, bytes('225820'), py]),
  ],
  ['a modulus of 512 bits', 'RS256', rs256(modulus(512), exponent)],
  ['a modulus of 2,040 bits', 'RS256', rs256(modulus(2040), exponent)],
  ['a modulus with a leading zero', 'RS256', rs256(Buffer.concat([Buffer.alloc(1), n]), exponent)],
  ['an even modulus', 'RS256', rs256(even, exponent)],
  ['a modulus whose signatures fit into no evidence', 'RS256', rs256(Buffer.alloc(1536, 0xff), exponent)],
  ['the exponent 1', 'RS256', rs256(n, bytes('01'))],
  ['the exponent 3', 'RS256', rs256(n, bytes('03'))],
  ['an exponent with a leading zero', 'RS256', rs256(n, bytes('00010001'))],
  ['a y that no point has', 'EdDSA', ed25519(bytes(`02${'00'.repeat(31)}`))],
  ['a y that is not reduced', 'EdDSA', ed25519(bytes(`f0${'ff'.repeat(30)}7f`))],
  ...[
    ['order 1', `01${'00'.repeat(31)}`],
    ['order 1, with the sign', `01${'00'.repeat(30)}80`],
    ['order 2', `ec${'ff'.repeat(30)}7f`],
    ['order 4', '00'.repeat(32)],
    ['order 4, with the sign', `${'00'.repeat(31)}80`],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, with the sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['order 8, the other', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['order 8, the other, with the sign', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ].map(([what, hex = '']) => [`a point of ${what}`, 'EdDSA', ed25519(bytes(hex))] as const),
];

/** Keys that OpenSSL makes, each of which must be readable. */
export function madeKey(algorithm: Algorithm): Buffer {
  switch (algorithm) {
    case 'ES256':
      return es256(px, py);
    case 'RS256':
      return rs256(n, exponent);
    case 'EdDSA': {
      const jwk = createPublicKey(generateKeyPairSync('ed25519').privateKey).export({ format: 'jwk' });
      return ed25519(Buffer.from(jwk.x ?? '', 'base64url'));
    }
  }
}
