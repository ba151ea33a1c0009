import { createPublicKey, hkdfSync, sign } from 'node:crypto';
import { calculateJwkThumbprint, flattenedVerify, type JWK } from 'jose';
import { ed25519PrivateKey } from '../signature/software-key.ts';

/** The public half of a gateway's receipt key (RFC 8037), with its RFC 7638 thumbprint as `kid`. */
export interface ReceiptJwk extends JWK {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
}

/** The key with which a gateway signs its receipts and checkpoints. */
export interface ReceiptKey {
  readonly jwk: ReceiptJwk;
  /**
   * Returns a JWS with detached payload (RFC 7515 appendix F). Synchronous, because checkpoints are signed within a
   * transaction.
   * @param type defaults to {@link RECEIPT_TYPE}
   */
  sign(payload: string, type?: string): DetachedSignature;
  /** Returns an Ed25519 signature of a text that no JWS can contain, such as one with line feeds. */
  signBytes(text: string): Buffer;
}

export interface DetachedSignature {
  /** The header, base64url: `alg` EdDSA, `typ` (what is signed), `kid`, and the public key itself (`jwk`). */
  readonly protected: string;
  readonly signature: string;
}

const RECEIPT_TYPE = 'trade-agent-receipt+jws';

/**
 * Derives the key from a secret (HKDF-SHA256, RFC 5869). Every machine that has the secret derives the same key.
 * @param sealSecret known only to the gateway
 */
export async function deriveReceiptKey(sealSecret: string | Buffer): Promise<ReceiptKey> {
  const seed = Buffer.from(hkdfSync('sha256', sealSecret, '', 'trade-agent receipt key v1', 32));
  const privateKey = ed25519PrivateKey(seed);
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const jwk = await publicJwk(x);
  return {
    jwk,
    sign(payload, typ = RECEIPT_TYPE) {
      const header = protectedHeader(jwk, typ);
      const signature = sign(null, Buffer.from(`${header}.${base64url(payload)}`), privateKey);
      return { protected: header, signature: signature.toString('base64url') };
    },
    signBytes: (text) => sign(null, Buffer.from(text), privateKey),
  };
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

function protectedHeader(jwk: ReceiptJwk, typ: string): string {
  return base64url(JSON.stringify({ alg: 'EdDSA', typ, kid: jwk.kid, jwk }));
}

export async function publicJwk(x: string): Promise<ReceiptJwk> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}

/**
 * Verifies a signature with the key in its header, and returns that key.
 * @returns undefined if the signature is not for this payload and type
 */
export async function verifyDetachedSignature(
  { protected: header, signature }: DetachedSignature,
  payload: string,
  type: string = RECEIPT_TYPE,
): Promise<ReceiptJwk | undefined> {
  try {
    // The last base64url character has unused bits, so several strings could encode the same signature.
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
    const { jwk } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    const key = await publicJwk(jwk.x);
    // Only one header is valid for a key and a type, so that no parameter (`crit`, `b64`, a private `d`) can change
    // what is verified.
    if (header !== protectedHeader(key, type)) return undefined;
    const encoded = base64url(payload);
    await flattenedVerify({ protected: header, payload: encoded, signature }, { ...key, alg: 'EdDSA' });
    return key;
  } catch {
    return undefined;
  }
}
