import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals with AES-256-GCM (NIST SP 800-38D). The layout is nonce (96 bits), tag (128 bits), text. One key may seal at
 * most 2^32 texts, because its nonces are random (§8.3).
 * @param key 32 bytes
 * @param context is authenticated too, so that a text sealed for one context does not open in another
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

/** @throws any error if the bytes were not sealed with this key for this context, or were changed */
export function openBytes(key: Uint8Array, sealed: Uint8Array, context: Uint8Array | string): Buffer {
  const end = NONCE_BYTES + TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(NONCE_BYTES, end));
  return Buffer.concat([decipher.update(sealed.subarray(end)), decipher.final()]);
}
