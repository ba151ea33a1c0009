import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kms } from '../../../src/secrets/kms/kms.ts';

/** A key management service with one wrapping key. */
export interface OpenedKms {
  readonly kms: Kms;
  /** Adds a wrapping key, as whoever runs it does. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** What everything that wraps data keys promises. */
export function kmsContract(open: () => Promise<OpenedKms>): void {
  let opened: OpenedKms;
  let kms: Kms;
  beforeEach(async () => {
    opened = await open();
    kms = opened.kms;
  });
  afterEach(() => opened.close());

  const unusable = {
    name: 'TradeAgentError',
    code: 'credential_store_unavailable',
    hint: expect.any(String),
  };
  const dataKey = randomBytes(32);

  describe('a key management service', () => {
    it('gives back what it wrapped, and shows nothing of it', async () => {
      const wrapped = await kms.wrap(dataKey, 'acme|1');
      for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const)
        expect(wrapped).not.toContain(dataKey.toString(form));
      expect(await kms.unwrap(wrapped, 'acme|1')).toEqual(dataKey);
    });

    it('wraps the same another way each time', async () => {
      expect(await kms.wrap(dataKey, 'acme|1')).not.toBe(await kms.wrap(dataKey, 'acme|1'));
    });

    it('unwraps nothing for another place', async () => {
      const wrapped = await kms.wrap(dataKey, 'acme|1');
      await expect(kms.unwrap(wrapped, 'other|1')).rejects.toMatchObject(unusable);
      await expect(kms.unwrap(wrapped, '')).rejects.toMatchObject(unusable);
    });

    it('unwraps nothing that was changed, cut or made up', async () => {
      const wrapped = await kms.wrap(dataKey, 'acme|1');
      const at = wrapped.length - 6;
      const changed = `${wrapped.slice(0, at)}${wrapped[at] === 'A' ? 'B' : 'A'}${wrapped.slice(at + 1)}`;
      for (const wrong of [changed, wrapped.slice(0, -8), '', 'nonsense', dataKey.toString('base64')])
        await expect(kms.unwrap(wrong, 'acme|1'), wrong).rejects.toMatchObject(unusable);
    });

    it('wraps by its newest key, and unwraps what an older one wrapped', async () => {
      const before = await kms.wrap(dataKey, 'acme|1');
      await opened.rotate();
      const after = await kms.wrap(dataKey, 'acme|1');
      const keyOf = (wrapped: string) => wrapped.slice(0, wrapped.lastIndexOf(':'));
      expect(keyOf(after)).not.toBe(keyOf(before));
      expect(await kms.unwrap(before, 'acme|1')).toEqual(dataKey);
      expect(await kms.unwrap(after, 'acme|1')).toEqual(dataKey);
    });
  });
}
