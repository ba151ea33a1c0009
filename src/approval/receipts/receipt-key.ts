import { createPublicKey, hkdfSync } from 'node:crypto';
import { calculateJwkThumbprint, FlattenedSign, flattenedVerify, type JWK } from 'jose';
import { ed25519Key } from '../signature/software-key.ts';

/** The public half of the key that a gateway signs receipts with (RFC 8037), with its RFC 7638 thumbprint as `kid`. */
export interface ReceiptJwk extends JWK {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
}

/** A gateway's own: what it signs with it, it says. */
export interface ReceiptKey {
  readonly jwk: ReceiptJwk;
  /** JWS with detached payload (RFC 7515 appendix F). */
  sign(payload: string): Promise<DetachedSignature>;
}

export interface DetachedSignature {
  /** Header, base64url: `alg` EdDSA, `typ` {@link RECEIPT_TYPE}, `kid`, and the public key itself (`jwk`). */
  readonly protected: string;
  readonly signature: string;
}

export const RECEIPT_TYPE = 'trade-agent-receipt+jws';

/**
 * The same key for the same secret, on each machine that has it (HKDF-SHA256, RFC 5869).
 * @param sealSecret what only the gateway has
 */
export async function receiptKey(sealSecret: string | Buffer): Promise<ReceiptKey> {
  const seed = Buffer.from(hkdfSync('sha256', sealSecret, '', 'trade-agent receipt key v1', 32));
  const privateKey = ed25519Key(seed);
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const jwk = await publicJwk(x);
  return {
    jwk,
    async sign(payload) {
      const signed = await new FlattenedSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ alg: 'EdDSA', typ: RECEIPT_TYPE, kid: jwk.kid, jwk: { ...jwk } })
        .sign(privateKey);
      return { protected: signed.protected ?? '', signature: signed.signature };
    },
  };
}

async function publicJwk(x: string): Promise<ReceiptJwk> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}

/**
 * Whose signature it is: the key that the header carries, where the signature is by that.
 * @returns undefined where it is no signature of this payload
 */
export async function signerOf(
  { protected: header, signature }: DetachedSignature,
  payload: string,
): Promise<ReceiptJwk | undefined> {
  try {
    // As it was written: bits that no byte is made of would be another text with the same signature.
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
    const { alg, typ, jwk } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    if (alg !== 'EdDSA' || typ !== RECEIPT_TYPE || jwk?.kty !== 'OKP' || jwk.crv !== 'Ed25519')
      return undefined;
    const key = await publicJwk(jwk.x);
    const encoded = Buffer.from(payload).toString('base64url');
    await flattenedVerify({ protected: header, payload: encoded, signature }, { ...key, alg: 'EdDSA' });
    return key;
  } catch {
    return undefined;
  }
}
