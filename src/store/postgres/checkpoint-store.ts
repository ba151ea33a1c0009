import { NO_LINE } from '../audit.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { type CheckpointRow, checkpointOf, isDue } from '../rows/checkpoint-row.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** One for all gateways of a tenant: the second of two that close a day finds it closed. */
export function postgresCheckpointStore(database: TenantDatabase): CheckpointStore {
  return {
    async last() {
      const row = await database.read(rowOf);
      return row && checkpointOf(row);
    },
    close: ({ day, today }, line, now) =>
      withHead(database, async (unit, head) => {
        const last = await rowOf(unit);
        if (last === undefined) await write(unit, { day, ...NO_LINE, anchored: 1 });
        if (last === undefined || !isDue(last, { day, today })) return false;
        head.note(line(head.last(), last.hash), now);
        await write(unit, { day, ...head.last(), anchored: 0 });
        return true;
      }),
    anchor: (seq, note, now) =>
      withHead(database, async (unit, head) => {
        const changed = await unit.run(
          'UPDATE record_checkpoint SET anchored = 1 WHERE seq = @seq AND anchored = 0',
          { seq },
        );
        if (changed === 1) head.note(note, now);
        return changed === 1;
      }),
  };
}

function rowOf(unit: Unit): Promise<CheckpointRow | undefined> {
  return unit.one<CheckpointRow>('SELECT day, seq, hash, anchored FROM record_checkpoint');
}

async function write(unit: Unit, { day, seq, hash, anchored }: CheckpointRow): Promise<void> {
  await unit.run(
    `INSERT INTO record_checkpoint (day, seq, hash, anchored) VALUES (@day, @seq, @hash, @anchored)
     ON CONFLICT (tenant) DO UPDATE
     SET day = excluded.day, seq = excluded.seq, hash = excluded.hash, anchored = excluded.anchored`,
    { day, seq, hash, anchored },
  );
}
