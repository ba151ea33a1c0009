import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditHead, AuditNote } from '../../../src/store/audit.ts';
import type { OpenedStores, OpenStores } from './gateway-factory.ts';

const now = Date.parse('2026-11-24T15:00:00Z');
const monday = { day: '2026-11-23', today: '2026-11-24' };
const tuesday = { day: '2026-11-24', today: '2026-11-25' };
const wednesday = { day: '2026-11-25', today: '2026-11-26' };
const line = (head: AuditHead, previous: string): AuditNote => ({
  event: 'checkpoint',
  facts: { lines: head.seq, head: head.hash, previous },
});

/** What every store of checkpoints promises. */
export function checkpointStoreContract(open: OpenStores): void {
  let opened: OpenedStores;
  let folder: string;
  beforeEach(async () => {
    opened = await open();
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-checkpoints-'));
  });
  afterEach(async () => {
    await opened.close();
    rmSync(folder, { recursive: true });
  });
  const lines = async () => {
    const file = join(folder, 'audit.jsonl');
    await opened.stores.audit.moveToFile(file);
    return readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
  };
  /** A record whose days are counted. */
  const begun = async () => {
    const { checkpoints, audit } = opened.stores;
    expect(await checkpoints.last()).toBeUndefined();
    expect(await checkpoints.close(monday, line, now)).toBe(false);
    await audit.note({ event: 'proposed', facts: {} }, now);
    return checkpoints;
  };

  describe('checkpoints', () => {
    it('begin with the first look, and close the day before at the next', async () => {
      const checkpoints = await begun();
      expect(await checkpoints.close(monday, line, now)).toBe(false);
      expect(await checkpoints.close(tuesday, line, now)).toBe(true);
      const [first, second] = await lines();
      expect(second).toMatchObject({ event: 'checkpoint', lines: 1, head: first?.hash, prev: first?.hash });
      expect(second?.previous).toBe('0'.repeat(64));
      const last = { day: '2026-11-24', seq: 2, hash: second?.hash, anchored: false };
      expect(await checkpoints.last()).toEqual(last);
    });

    it('close a day once, of two that look at one moment', async () => {
      const checkpoints = await begun();
      const other = opened.another().checkpoints;
      const closed = await Promise.all([checkpoints.close(tuesday, line, now), other.close(tuesday, line, now)]);
      expect(closed.filter(Boolean)).toHaveLength(1);
      expect(await lines()).toHaveLength(2);
    });

    it('close no day again where a clock is behind, and go on after one that was years ahead', async () => {
      const checkpoints = await begun();
      expect(await checkpoints.close(wednesday, line, now)).toBe(true);
      expect(await checkpoints.close(tuesday, line, now)).toBe(false);
      expect(await checkpoints.close({ day: '2036-01-01', today: '2036-01-02' }, line, now)).toBe(true);
      expect(await checkpoints.close(wednesday, line, now)).toBe(true);
      expect(await checkpoints.close(wednesday, line, now)).toBe(false);
    });

    it('name the one before, and are vouched for once, the latest alone', async () => {
      const checkpoints = await begun();
      await checkpoints.close(tuesday, line, now);
      const first = await checkpoints.last();
      await checkpoints.close(wednesday, line, now);
      const last = await checkpoints.last();
      if (first === undefined || last === undefined) throw new Error('nothing is closed');
      const note: AuditNote = { event: 'anchored', facts: { checkpoint: last.seq } };
      expect(await checkpoints.anchor(first.seq, note, now)).toBe(false);
      expect(await checkpoints.anchor(last.seq, note, now)).toBe(true);
      expect(await opened.another().checkpoints.anchor(last.seq, note, now)).toBe(false);
      expect(await checkpoints.last()).toEqual({ ...last, anchored: true });
      expect((await lines()).slice(2)).toMatchObject([
        { event: 'checkpoint', previous: first.hash },
        { event: 'anchored', checkpoint: 3 },
      ]);
    });
  });
}
