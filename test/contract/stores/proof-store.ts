import { describe, expect, it } from 'vitest';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store of proofs promises. */
export function proofStoreContract(open: OpenStores): void {
  const opened = openForEach(open);

  describe('a store of proofs', () => {
    it('takes a proof once until its time is over, in this process and another', async () => {
      const { proofs } = opened.stores;
      expect(await proofs.remember('proof', 2000, 1000)).toBe(true);
      expect(await proofs.remember('proof', 2000, 1999)).toBe(false);
      expect(await opened.another().proofs.remember('proof', 2000, 1999)).toBe(false);
      expect(await proofs.remember('proof', 2000, 2000)).toBe(false);
      expect(await proofs.remember('another', 2000, 1999)).toBe(true);
      expect(await proofs.remember('proof', 4000, 3000)).toBe(true);
    });

    it('takes it from one of many at once', async () => {
      const taken = await opened.atOnce(20, ({ proofs }) => proofs.remember('proof', 2000, 1000));
      expect(taken.filter((one) => one === true)).toHaveLength(1);
    });
  });
}
