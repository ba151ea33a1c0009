import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openBytes, sealBytes } from '../../../src/secrets/aes-gcm.ts';

/** Cases of NIST's Cryptographic Algorithm Validation Program (gcmtestvectors, CAVS 14.0), as their files have them. */
function cases(name: string) {
  const text = readFileSync(new URL(`../../fixtures/nist-gcm/${name}.rsp`, import.meta.url), 'utf8');
  return text
    .split('\n\n')
    .filter((part) => part.startsWith('Count'))
    .map((part) => {
      const fields = new Map([...part.matchAll(/^(\w+) = ?(\w*)$/gm)].map(([, field, hex]) => [field, hex]));
      const bytes = (field: string) => Buffer.from(fields.get(field) ?? '', 'hex');
      const sealed = Buffer.concat([bytes('IV'), bytes('Tag'), bytes('CT')]);
      return { bytes, sealed, fails: /^FAIL$/m.test(part) };
    });
}

describe('AES-256-GCM', () => {
  it('seals as the published vectors say', () => {
    const vectors = cases('gcmEncryptExtIV256');
    expect(vectors).toHaveLength(50);
    for (const { bytes, sealed } of vectors)
      expect(sealBytes(bytes('Key'), bytes('PT'), bytes('AAD'), bytes('IV'))).toEqual(sealed);
  });

  it('opens what the published vectors open, and nothing else', () => {
    const vectors = cases('gcmDecrypt256');
    expect(vectors.filter(({ fails }) => fails)).toHaveLength(50);
    expect(vectors).toHaveLength(75);
    for (const { bytes, sealed, fails } of vectors) {
      const open = () => openBytes(bytes('Key'), sealed, bytes('AAD'));
      if (fails) expect(open).toThrow();
      else expect(open()).toEqual(bytes('PT'));
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
