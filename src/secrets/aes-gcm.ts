import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts and authenticates bytes with AES-256-GCM (NIST SP 800-38D). Returns the nonce (96 bits), the tag (128 bits)
 * and the ciphertext. One key may be used at most 2^32 times, because the nonces are random (§8.3).
 * @param key 32 bytes
 * @param context authenticated together with the bytes, so that bytes sealed for one context can't be opened in another
 * @param nonce random, except in the standard's test vectors
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

/**
 * Decrypts sealed bytes.
 * @throws any error if the bytes were not sealed with this key for this context, or were changed
 */
export function openBytes(key: Uint8Array, sealed: Uint8Array, context: Uint8Array | string): Buffer {
  const end = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(NONCE_BYTES, end));
  return Buffer.concat([decipher.update(sealed.subarray(end)), decipher.final()]);
}
