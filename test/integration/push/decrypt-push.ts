import { createDecipheriv, createECDH, createHmac } from 'node:crypto';

/** A browser's half of a subscription. */
export interface Receiver {
  /** P-256, 32 bytes. */
  readonly privateKey: Buffer;
  /** 65 bytes. */
  readonly publicKey: Buffer;
  /** 16 bytes. */
  readonly auth: Buffer;
}

const hmac = (key: Buffer, ...parts: readonly Buffer[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const text = (value: string) => Buffer.from(value, 'latin1');

/** RFC 5869, for no more than one block. */
function hkdf(salt: Buffer, secret: Buffer, info: Buffer, length: number): Buffer {
  return hmac(hmac(salt, secret), info, Buffer.of(1)).subarray(0, length);
}

/**
 * Decrypts a push message as a browser does, written from the RFCs alone: the body by RFC 8188 (one record), its key by
 * RFC 8291 §3.4.
 * @throws {Error} where any bit of it is not as it was sent
 */
export function decryptPush(body: Buffer, receiver: Receiver): string {
  const salt = body.subarray(0, 16);
  const recordSize = body.readUInt32BE(16);
  const keyLength = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + keyLength);
  const record = body.subarray(21 + keyLength);
  if (keyLength !== 65 || record.length > recordSize) throw new Error('not one record of one sender');

  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(receiver.privateKey);
  const shared = ecdh.computeSecret(senderKey);
  const keyInfo = Buffer.concat([text('WebPush: info\0'), receiver.publicKey, senderKey]);
  const secret = hkdf(receiver.auth, shared, keyInfo, 32);
  const key = hkdf(salt, secret, text('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(salt, secret, text('Content-Encoding: nonce\0'), 12);

  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  // RFC 8188 §2: the last record's delimiter is 2; what follows is padding.
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('no delimiter');
  return padded.subarray(0, end).toString('utf8');
}
