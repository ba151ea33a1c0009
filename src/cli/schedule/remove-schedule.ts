import { openScheduler, usualScheduler } from '../../schedule/open-scheduler.ts';
import { schedulePattern } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';
import { scheduleStore, thisMachine } from './schedule-context.ts';

/** Takes out a schedule's entry and nothing else, then the schedule. @throws {TradeAgentError} `not_found`, `busy` */
export async function removeSchedule(context: Context, idOrName: string): Promise<void> {
  const store = await scheduleStore(context);
  const machine = thisMachine(context, store.folder);
  const found = lookFor(store, idOrName);
  if (found.schedule === undefined) {
    // Its file may be gone, with the folder it was in, and the entry still be there, failing at each wake-up.
    const stray =
      schedulePattern.test(idOrName) &&
      (await openScheduler(usualScheduler(machine), machine)
        .remove(idOrName)
        .catch(() => false));
    if (!stray) throw found.error;
    return await tell(context, idOrName, true);
  }
  const { schedule } = found;
  const removed = await store.alone(schedule.id, context.signal, async () => {
    const wasThere = await openScheduler(schedule.with, machine).remove(schedule.id);
    store.remove(schedule.id);
    return wasThere;
  });
  await tell(context, schedule.id, removed);
}

function lookFor(store: ScheduleStore, idOrName: string) {
  try {
    return { schedule: store.find(idOrName) };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    return { schedule: undefined, error };
  }
}

async function tell(context: Context, id: string, entryRemoved: boolean): Promise<void> {
  await context.output.result('schedule-removed', { id, entry_removed: entryRemoved }, () =>
    entryRemoved ? `Schedule ${id} is removed.` : `Schedule ${id} is removed; its entry was gone already.`,
  );
}
