import type { Clock } from '../../machine/clock.ts';

/**
 * Between one and the next, milliseconds: each reads its row a few times, and a dead gateway may have had thousands. All at once
 * they would keep everybody's requests from the database for longer than those wait.
 */
const APART_MS = 2;

/** Begins what was taken over from others, one after the other. */
export interface TakingUp {
  /** In the order in which they are to be begun, after those there are. */
  add(ids: readonly string[]): void;
  has(id: string): boolean;
  /** There is news of one: it is begun out of its turn, if it is one of these. */
  now(id: string): void;
  /** What was not begun is another's by now. */
  forget(): void;
}

export function createTakingUp(clock: Pick<Clock, 'sleep'>, begin: (id: string) => void): TakingUp {
  const later = new Set<string>();
  let isUnderWay = false;
  const now = (id: string) => {
    if (later.delete(id)) begin(id);
  };
  const inTurn = async () => {
    isUnderWay = true;
    for (const id of later) {
      now(id);
      await clock.sleep(APART_MS);
    }
    isUnderWay = false;
  };
  return {
    add(ids) {
      for (const id of ids) later.add(id);
      if (!isUnderWay) void inTurn();
    },
    has: (id) => later.has(id),
    now,
    forget: () => later.clear(),
  };
}
