import { describe, expect, it } from 'vitest';
import { openBytes, sealBytes } from '../../../src/secrets/aes-gcm.ts';

/** A case of NIST's Cryptographic Algorithm Validation Program (gcmEncryptExtIV256, CAVS 14.0). */
const vector = {
  key: 'dad89d9be9bba138cdcf8752c45b579d7e27c3dbb40f53e771dd8cfd500aa2d5',
  nonce: 'cfb2aec82cfa6c7d89ee72ff',
  text: 'b526ba1050177d05b0f72f8d67',
  context: '6e43784a91851a77667a02198e28dc32',
  sealed: '8b29e66e924ecae84f6d8f7d68',
  tag: '1e365805c8f28b2ed8a5cadfd9079158',
};
const hex = (text: string) => Buffer.from(text, 'hex');

describe('AES-256-GCM', () => {
  it('seals and opens what the published vector does, as nonce, tag and text', () => {
    const { key, nonce, text, context, sealed, tag } = vector;
    const whole = hex(nonce + tag + sealed);
    expect(sealBytes(hex(key), hex(text), hex(context), hex(nonce))).toEqual(whole);
    expect(openBytes(hex(key), whole, hex(context))).toEqual(hex(text));
    for (const at of [0, 12, 28]) {
      const changed = Buffer.from(whole);
      changed[at] = (whole[at] ?? 0) ^ 1;
      expect(() => openBytes(hex(key), changed, hex(context))).toThrow();
    }
  });

  it('opens nothing that is shorter than nonce and tag, and no shortened tag', () => {
    const key = Buffer.alloc(32, 1);
    const sealed = sealBytes(key, Buffer.from('text'), 'here');
    for (const length of [0, 11, 12, 16, 27, 31]) {
      expect(() => openBytes(key, sealed.subarray(0, length), 'here')).toThrow();
    }
    expect(openBytes(key, sealed, 'here').toString()).toBe('text');
    expect(() => openBytes(key, sealed, 'there')).toThrow();
  });

  it('draws another nonce each time', () => {
    const key = Buffer.alloc(32, 1);
    const nonces = Array.from({ length: 100 }, () =>
      sealBytes(key, Buffer.from('text'), '').subarray(0, 12).toString('hex'),
    );
    expect(new Set(nonces).size).toBe(100);
  });
});
