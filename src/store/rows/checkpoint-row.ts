import type { RecordCheckpoint } from '../checkpoint-store.ts';

/** As both databases have it. */
export interface CheckpointRow {
  readonly day: string;
  readonly seq: number;
  readonly hash: string;
  readonly anchored: number;
}

export function checkpointOf({ anchored, ...row }: CheckpointRow): RecordCheckpoint {
  return { ...row, anchored: anchored === 1 };
}

/** Whether a day is to be closed: clocks that differ by less than a day close each once, and one that was years ahead stops none. */
export function isDue(
  { day: last }: Pick<CheckpointRow, 'day'>,
  { day, today }: { readonly day: string; readonly today: string },
): boolean {
  return last < day || last > today;
}
