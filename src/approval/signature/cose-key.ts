import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** The COSE algorithm EdDSA. */
export const EDDSA = -8;
/** The accepted COSE algorithms (RFC 9053 §2, RFC 8812 §2): ES256, EdDSA with Ed25519, RS256. */
export const SIGNATURE_ALGORITHMS = [-7, EDDSA, -257];

export interface CoseKey {
  /** One of {@link SIGNATURE_ALGORITHMS}. */
  readonly algorithm: number;
  readonly key: KeyObject;
}

/*
 * Authenticators must encode keys in the CTAP2 canonical CBOR form, and each accepted algorithm has a fixed set of
 * members. A key is therefore a fixed sequence of bytes around its numbers. Comparing bytes needs no CBOR decoder, and
 * decoders differ in what they accept.
 */
const ES256_HEAD = Buffer.from('a5010203262001215820', 'hex');
const ES256_Y_HEAD = Buffer.from('225820', 'hex');
const ED25519_HEAD = Buffer.from('a4010103272006215820', 'hex');
const RS256_HEAD = Buffer.from('a401030339010020', 'hex');
/** The public exponent 65537. With an exponent of 1, every message is its own signature. */
const RS256_TAIL = Buffer.from('2143010001', 'hex');
/** The CBOR head of a byte string of up to 65,535 bytes, without its length. */
const LONG_BYTES = 0x59;
/** Bounds of an RSA modulus, in bytes: 2,048 to 8,192 bits. Longer signatures do not fit into the evidence. */
const MODULUS_BYTES = { least: 256, most: 1024 };

/**
 * Reads a public key that an authenticator made (COSE_Key, RFC 9053 §7, RFC 8230 §4). Returns undefined for a key that
 * could never sign, or whose signatures would prove nothing: not canonical, of another algorithm, a point that is not
 * on the curve or of small order, a short RSA modulus, an unusual RSA exponent.
 */
export function readCoseKey(bytes: Uint8Array): CoseKey | undefined {
  const cose = Buffer.from(bytes);
  const read = [readEs256, readEd25519, readRs256].map((one) => one(cose)).find((one) => one !== undefined);
  if (read === undefined) return undefined;
  try {
    return { algorithm: read.algorithm, key: createPublicKey({ key: read.jwk, format: 'jwk' }) };
  } catch {
    // OpenSSL refuses a point that is not on P-256.
    return undefined;
  }
}

interface ReadKey {
  readonly algorithm: number;
  readonly jwk: JsonWebKey;
}

function readEs256(cose: Buffer): ReadKey | undefined {
  const [x, y] = [cose.subarray(10, 42), cose.subarray(45)];
  const isEs256 = hasAt(cose, 0, ES256_HEAD) && hasAt(cose, 42, ES256_Y_HEAD) && y.length === 32;
  if (!isEs256) return undefined;
  return { algorithm: -7, jwk: { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') } };
}

function readEd25519(cose: Buffer): ReadKey | undefined {
  const x = cose.subarray(ED25519_HEAD.length);
  if (!hasAt(cose, 0, ED25519_HEAD) || x.length !== 32 || !isUsableEd25519Point(x)) return undefined;
  return { algorithm: EDDSA, jwk: { kty: 'OKP', crv: 'Ed25519', x: x.toString('base64url') } };
}

function readRs256(cose: Buffer): ReadKey | undefined {
  const start = RS256_HEAD.length + 3;
  if (!hasAt(cose, 0, RS256_HEAD) || cose[RS256_HEAD.length] !== LONG_BYTES || cose.length < start) return undefined;
  const length = cose.readUInt16BE(RS256_HEAD.length + 1);
  const modulus = cose.subarray(start, start + length);
  if (length < MODULUS_BYTES.least || length > MODULUS_BYTES.most || modulus.length !== length) return undefined;
  const isModulus = (modulus[0] ?? 0) >= 0x80 && (modulus[length - 1] ?? 0) % 2 === 1;
  if (!isModulus || !cose.subarray(start + length).equals(RS256_TAIL)) return undefined;
  return { algorithm: -257, jwk: { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' } };
}

function hasAt(cose: Buffer, at: number, expected: Buffer): boolean {
  return cose.subarray(at, at + expected.length).equals(expected);
}

/** The prime of Curve25519, and the constant d of Ed25519 (RFC 8032 §5.1). */
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
/** The y coordinate of two points of order 8. */
const ORDER_8_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
/** The y coordinates of all points of order 1, 2, 4 and 8. Anybody can make signatures that such a key verifies. */
const SMALL_ORDER_Y: readonly bigint[] = [0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y];

/** Returns whether an encoded point is canonical, on the curve, and not of small order. OpenSSL checks none of these. */
function isUsableEd25519Point(encoded: Buffer): boolean {
  // Little-endian; the highest bit is the sign of x.
  const y = BigInt(`0x${Buffer.from(encoded).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= P || SMALL_ORDER_Y.includes(y)) return false;
  // x² = (y² - 1) / (d·y² + 1) must be a square, by Euler's criterion for the product of the two.
  return modularPower(((y * y - 1n) * (D * y * y + 1n)) % P, (P - 1n) / 2n) === 1n;
}

function modularPower(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, ((base % P) + P) % P];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left % 2n === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
