import { describe, expect, it } from 'vitest';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store promises about whether there were limits. */
export function limitsStoreContract(open: OpenStores): void {
  const opened = openForEach(open);

  describe('whether there were limits', () => {
    it('is no at first, and yes once they were seen, however often', async () => {
      const { limits } = opened.stores;
      expect(await limits.hadLimits()).toBe(false);
      await limits.remember(1000);
      await limits.remember(1000);
      expect(await limits.hadLimits()).toBe(true);
      expect(await opened.another().limits.hadLimits()).toBe(true);
    });

    it('is forgotten where their owner wants none', async () => {
      const { limits } = opened.stores;
      await limits.forget();
      await limits.remember(1000);
      await limits.forget();
      expect(await limits.hadLimits()).toBe(false);
      await limits.remember(1000);
      expect(await limits.hadLimits()).toBe(true);
    });
  });
}
