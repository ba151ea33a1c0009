import { describe, expect, it } from 'vitest';
import { type OpenStores, openForEach } from './gateway-factory.ts';

/** What every store promises about how far trading goes. */
export function tradingStateContract(open: OpenStores): void {
  const opened = openForEach(open);
  const halts = opened.the('halts');
  const standing = (now = 5000) => halts.current('alice', now);

  describe('the state of trading', () => {
    it('is active unless somebody takes it down', async () => {
      expect(await standing()).toEqual({ state: 'active' });
      expect(await halts.lift('alice', 1000, 2000)).toBe(false);
    });

    it('is reducing until it is lifted, in every process, and for that person alone', async () => {
      expect(await halts.restrict('alice', 'client', undefined, 1000)).toEqual({
        state: 'reducing',
        since: 1000,
        by: 'client',
      });
      expect(await opened.another().halts.current('alice', 9e15)).toMatchObject({ state: 'reducing' });
      expect(await halts.current('bob', 5000)).toEqual({ state: 'active' });
      expect(await halts.haltedAt('alice')).toBeUndefined();
      // Another than was read is not ended.
      expect(await halts.lift('alice', 999, 2000)).toBe(false);
      expect(await halts.lift('alice', 1000, 2000)).toBe(true);
      expect(await standing()).toEqual({ state: 'active' });
    });

    it('ends by itself where it says so', async () => {
      await halts.restrict('alice', 'max_day_loss', 6000, 1000);
      expect(await standing(5999)).toEqual({
        state: 'reducing',
        since: 1000,
        until: 6000,
        by: 'max_day_loss',
      });
      expect(await standing(6000)).toEqual({ state: 'active' });
      await halts.restrict('alice', 'max_day_loss', 9000, 7000);
      expect(await standing(7000)).toMatchObject({ since: 7000, until: 9000 });
    });

    it('is not shortened by a second reducing, and may be lengthened', async () => {
      await halts.restrict('alice', 'client', 6000, 1000);
      await halts.restrict('alice', 'max_day_loss', 5500, 2000);
      expect(await standing()).toMatchObject({ since: 1000, until: 6000, by: 'client' });
      await halts.restrict('alice', 'client', undefined, 3000);
      expect(await standing(9e15)).toEqual({ state: 'reducing', since: 1000, by: 'client' });
      await halts.restrict('alice', 'max_day_loss', 6000, 4000);
      expect(await standing(9e15)).toMatchObject({ state: 'reducing', by: 'client' });
    });

    it('goes down only: a halt stays one, and under it what was reducing goes on', async () => {
      await halts.halt('alice', 'client', 1000);
      expect(await halts.restrict('alice', 'other', undefined, 2000)).toMatchObject({
        state: 'halted',
        since: 1000,
      });
      await halts.lift('alice', 1000, 3000);
      expect(await standing()).toEqual({ state: 'active' });
      await halts.restrict('alice', 'other', undefined, 3500);
      await halts.halt('alice', 'client', 4000);
      // What lifts the one does not lift the other.
      expect(await halts.lift('alice', 3500, 4500)).toBe(false);
      expect(await halts.lift('alice', 4000, 4500)).toBe(true);
      expect(await standing()).toMatchObject({ state: 'reducing', since: 3500 });
    });
  });
}
