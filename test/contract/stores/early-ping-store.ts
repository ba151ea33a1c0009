import { describe, expect, it } from 'vitest';
import { MAX_EARLY_PING_AGE_MS } from '../../../src/store/early-ping-store.ts';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store promises about pings that arrive before their question is stored. */
export function earlyPingStoreContract(open: OpenStores): void {
  const opened = openForEach(open);

  describe('a ping that comes before its question', () => {
    it('is taken once, at whichever gateway, under any of its digests', async () => {
      const { earlyPings } = opened.stores;
      await earlyPings.add('one', 1000);
      await earlyPings.add('one', 1001);
      await earlyPings.add('two', 1001);
      const elsewhere = opened.another().earlyPings;
      expect(await elsewhere.take(['of another secret', 'one'])).toBe(true);
      expect(await earlyPings.take(['one'])).toBe(false);
      expect(await earlyPings.take(['two', 'three'])).toBe(true);
      expect(await earlyPings.take([])).toBe(false);
    });

    it('that nobody takes is dropped after a while', async () => {
      const { earlyPings } = opened.stores;
      await earlyPings.add('old', 1000);
      await earlyPings.add('young', 1001 + MAX_EARLY_PING_AGE_MS);
      expect(await earlyPings.take(['old'])).toBe(false);
      expect(await earlyPings.take(['young'])).toBe(true);
    });
  });
}
