import { describe, expect, it } from 'vitest';
import { readCoseKey } from '../../../../src/approval/signature/cose-key.ts';
import { madeKey, oddKeys } from './odd-keys.ts';

describe('a public key', () => {
  it.each([
    ['ES256', -7],
    ['EdDSA', -8],
    ['RS256', -257],
  ] as const)('is read: %s', (algorithm, id) => {
    for (let index = 0; index < 20; index++) expect(readCoseKey(madeKey(algorithm))?.algorithm).toBe(id);
  });

  it.each(oddKeys)('is not read with %s (%s)', (_what, _algorithm, cose) => {
    expect(readCoseKey(cose)).toBeUndefined();
  });

  it('is not read with a byte behind, or cut anywhere', () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const cose = madeKey(algorithm);
      expect(readCoseKey(Buffer.concat([cose, Buffer.alloc(1)]))).toBeUndefined();
      for (let length = 0; length < cose.length; length++) {
        expect(readCoseKey(cose.subarray(0, length)), `${algorithm} ${length}`).toBeUndefined();
      }
    }
  });
});
