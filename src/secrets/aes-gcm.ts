import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM (NIST SP 800-38D), laid out as nonce (96 bits), tag (128 bits), text. One key may seal 2^32 times, since
 * nonces are drawn at random (§8.3).
 * @param key 32 bytes
 * @param context authenticated with it: sealed for one place, it does not open as another's
 * @param nonce drawn, but by the standard's own test vectors
 */
export function sealBytes(
  key: Uint8Array,
  text: Uint8Array,
  context: Uint8Array | string,
  nonce: Uint8Array = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

/** @throws anything where it is not as this key sealed it, for this context */
export function openBytes(key: Uint8Array, sealed: Uint8Array, context: Uint8Array | string): Buffer {
  const end = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(NONCE_BYTES, end));
  return Buffer.concat([decipher.update(sealed.subarray(end)), decipher.final()]);
}
