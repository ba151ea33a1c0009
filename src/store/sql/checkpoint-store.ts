import { NO_LINE } from '../audit.ts';
import type { CheckpointStore, RecordCheckpoint } from '../checkpoint-store.ts';
import { one, run, type SqlDatabase, type Work } from './sql-database.ts';

const find = () => one<CheckpointRow>('SELECT day, seq, hash, anchored FROM record_checkpoint');

function* write({ day, seq, hash, anchored }: CheckpointRow): Work<void> {
  const values = { day, seq, hash, anchored };
  const changed = yield* run(
    'UPDATE record_checkpoint SET day = @day, seq = @seq, hash = @hash, anchored = @anchored',
    values,
  );
  if (changed === 0)
    yield* run(
      'INSERT INTO record_checkpoint (day, seq, hash, anchored) VALUES (@day, @seq, @hash, @anchored)',
      values,
    );
}

/** One for all gateways of a tenant: the second of two that close a day finds it closed. */
export function checkpointStore(database: SqlDatabase): CheckpointStore {
  return {
    async last() {
      const row = await database.read(find);
      return row && checkpointOf(row);
    },
    close: ({ day, today }, line, now) =>
      database.record(function* (head) {
        const last = yield* find();
        if (last === undefined) yield* write({ day, ...NO_LINE, anchored: 1 });
        if (last === undefined || !isDue(last, { day, today })) return false;
        head.note(line(head.last(), last.hash), now);
        yield* write({ day, ...head.last(), anchored: 0 });
        return true;
      }),
    anchor: (seq, note, now) =>
      database.record(function* (head) {
        const changed = yield* run(
          'UPDATE record_checkpoint SET anchored = 1 WHERE seq = @seq AND anchored = 0',
          { seq },
        );
        if (changed === 1) head.note(note, now);
        return changed === 1;
      }),
  };
}

/** As both databases have it. */
interface CheckpointRow {
  readonly day: string;
  readonly seq: number;
  readonly hash: string;
  readonly anchored: number;
}

function checkpointOf({ anchored, ...row }: CheckpointRow): RecordCheckpoint {
  return { ...row, anchored: anchored === 1 };
}

/** Whether a day is to be closed: clocks that differ by less than a day close each once, and one that was years ahead stops none. */
function isDue(
  { day: last }: Pick<CheckpointRow, 'day'>,
  { day, today }: { readonly day: string; readonly today: string },
): boolean {
  return last < day || last > today;
}
