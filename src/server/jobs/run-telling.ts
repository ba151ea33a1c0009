import type { AgentEvent } from '../../agent/events.ts';
import type { Clock } from '../../machine/clock.ts';
import type { RunStore, RunTurn } from '../../store/run-store.ts';

/** What is told within so many milliseconds of the last is one unit of work: a model's words come one by one. */
const GATHERED_MS = 50;

/** What happens once, however often a run is taken up and looks again. */
const onceTold: readonly AgentEvent['type'][] = ['thread', 'tool_call', 'approval', 'order', 'connection'];

/** Writes what a run tells, in its order, as long as it is this turn's to tell. */
export interface RunTelling {
  tell(event: AgentEvent): void;
  /**
   * What was not written yet, once all before it is: for who ends the turn, in the same unit of work.
   * @throws what kept it from being written
   */
  rest(): Promise<AgentEvent[]>;
}

/** @param lost told once, where nothing more can be written: by another's turn, or a database that does not answer */
export async function runTelling(
  runs: Pick<RunStore, 'append' | 'eventsAfter'>,
  turn: RunTurn,
  clock: Clock,
  lost: (reason: unknown) => void,
): Promise<RunTelling> {
  const before = await runs.eventsAfter(turn.id, 0, Number.MAX_SAFE_INTEGER);
  const told = new Set(before.map(({ event }) => JSON.stringify(event)));
  const untold: AgentEvent[] = [];
  let writing: Promise<void> | undefined;
  let failed: { readonly reason: unknown } | undefined;

  const write = async () => {
    // The first at once; what comes while it is written is gathered.
    for (let wait = 0; untold.length > 0 && failed === undefined; wait = GATHERED_MS) {
      if (wait > 0) await clock.sleep(wait);
      if (!(await runs.append(turn, joined(untold.splice(0))))) throw new TurnOver();
    }
  };
  return {
    tell(event) {
      if (onceTold.includes(event.type)) {
        const text = JSON.stringify(event);
        if (told.has(text)) return;
        told.add(text);
      }
      untold.push(event);
      writing ??= write()
        .catch((reason: unknown) => {
          failed ??= { reason };
          lost(reason);
        })
        .finally(() => {
          writing = undefined;
        });
    },
    async rest() {
      while (writing !== undefined) await writing;
      if (failed !== undefined) throw failed.reason;
      return joined(untold.splice(0));
    },
  };
}

/** Another job has taken the run up: whatever this one still does is nobody's. */
export class TurnOver extends Error {
  override name = 'TurnOver';
}

/** Pieces of one text as one. */
function joined(events: readonly AgentEvent[]): AgentEvent[] {
  const all: AgentEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.type === 'text' && last?.type === 'text')
      all[all.length - 1] = { type: 'text', delta: last.delta + event.delta };
    else all.push(event);
  }
  return all;
}
