import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditNote } from '../../../src/store/audit.ts';
import { plainSigner, sequencedLines } from '../../fixtures/record-lines.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

const now = Date.parse('2026-11-24T15:00:00Z');
const monday = { day: '2026-11-23', today: '2026-11-24' };
const tuesday = { day: '2026-11-24', today: '2026-11-25' };
const wednesday = { day: '2026-11-25', today: '2026-11-26' };

/** What every store of checkpoints promises. */
export function checkpointStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(async () => {
    await opened.close();
  });
  const note = async () => {
    await opened.stores.audit.note({ event: 'proposed', facts: {} }, now);
    return await sequencedLines(opened.stores.audit);
  };
  /** A record whose days are counted. */
  const begun = async () => {
    const { checkpoints } = opened.stores;
    expect(await checkpoints.last()).toBeUndefined();
    expect(await checkpoints.close(monday, plainSigner)).toBe(false);
    await note();
    return checkpoints;
  };

  describe('checkpoints', () => {
    it('begin with the first look, and close the day before at the next', async () => {
      const checkpoints = await begun();
      expect(await checkpoints.close(monday, plainSigner)).toBe(false);
      expect(await checkpoints.close(tuesday, plainSigner)).toBe(true);
      const { checkpoint } = await opened.stores.audit.tree();
      const last = { day: '2026-11-24', size: 1, checkpoint, anchored: false };
      expect(await checkpoints.last()).toEqual(last);
      expect(await checkpoints.list()).toEqual([last]);
    });

    it('close a day once, of two that look at one moment', async () => {
      const checkpoints = await begun();
      const other = opened.another().checkpoints;
      const closed = await Promise.all([checkpoints.close(tuesday, plainSigner), other.close(tuesday, plainSigner)]);
      expect(closed.filter(Boolean)).toHaveLength(1);
      expect(await checkpoints.list()).toHaveLength(1);
    });

    it('close no day on which nothing was noted', async () => {
      const checkpoints = await begun();
      await checkpoints.close(tuesday, plainSigner);
      expect(await checkpoints.close(wednesday, plainSigner)).toBe(false);
      await note();
      expect(await checkpoints.close(wednesday, plainSigner)).toBe(false);
      expect(await checkpoints.close({ day: '2026-11-26', today: '2026-11-27' }, plainSigner)).toBe(true);
      expect((await checkpoints.list()).map(({ day, size }) => [day, size])).toEqual([
        ['2026-11-24', 1],
        ['2026-11-26', 2],
      ]);
    });

    it('close no day again where a clock is behind, and go on after one that was years ahead', async () => {
      const checkpoints = await begun();
      expect(await checkpoints.close(wednesday, plainSigner)).toBe(true);
      await note();
      expect(await checkpoints.close(tuesday, plainSigner)).toBe(false);
      expect(await checkpoints.close({ day: '2036-01-01', today: '2036-01-02' }, plainSigner)).toBe(true);
      await note();
      expect(await checkpoints.close(wednesday, plainSigner)).toBe(true);
      await note();
      expect(await checkpoints.close(wednesday, plainSigner)).toBe(false);
    });

    it('are vouched for once, the latest alone', async () => {
      const checkpoints = await begun();
      await checkpoints.close(tuesday, plainSigner);
      await note();
      await checkpoints.close(wednesday, plainSigner);
      const [first, last] = await checkpoints.list();
      if (first === undefined || last === undefined) throw new Error('nothing is closed');
      const anchored: AuditNote = { event: 'anchored', facts: { size: last.size } };
      expect(await checkpoints.anchor(first.size, anchored, now)).toBe(false);
      expect(await checkpoints.anchor(last.size, anchored, now)).toBe(true);
      expect(await opened.another().checkpoints.anchor(last.size, anchored, now)).toBe(false);
      expect(await checkpoints.last()).toEqual({ ...last, anchored: true });
      expect((await sequencedLines(opened.stores.audit)).slice(2)).toMatchObject([{ event: 'anchored', size: 2 }]);
    });
  });
}
