import { isTradeAgentError } from '../../errors/errors.ts';
import { openScheduler, usualScheduler } from '../../schedule/open-scheduler.ts';
import { schedulePattern } from '../../schedule/schedule.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';
import { scheduleStore, thisMachine } from './schedule-context.ts';
import { findSchedule } from './schedules.ts';

/** What was taken out. */
export interface RemovedSchedule {
  readonly id: string;
  /** False where the machine had no entry of it any more; what a server keeps is removed whole. */
  readonly entryRemoved: boolean;
}

/** Takes out a schedule's entry and nothing else, then the schedule. @throws {TradeAgentError} `not_found`, `busy` */
export async function removeSchedule(app: App, idOrName: string): Promise<RemovedSchedule> {
  if ((await serverOf(app)) !== undefined)
    return (await import('./at-server.ts')).removeAtServer(app, idOrName);
  const store = await scheduleStore(app);
  const machine = thisMachine(app, store.folder);
  const found = await lookFor(app, idOrName);
  if (found.schedule === undefined) {
    // Its file may be gone, with the folder it was in, and the entry still be there, failing at each wake-up.
    const stray =
      schedulePattern.test(idOrName) &&
      (await openScheduler(usualScheduler(machine), machine)
        .remove(idOrName)
        .catch(() => false));
    if (!stray) throw found.error;
    return { id: idOrName, entryRemoved: true };
  }
  const { schedule } = found;
  return await store.alone(schedule.id, app.signal, async () => {
    const entryRemoved = await openScheduler(schedule.with, machine).remove(schedule.id);
    store.remove(schedule.id);
    return { id: schedule.id, entryRemoved };
  });
}

async function lookFor(app: App, idOrName: string) {
  try {
    return { schedule: await findSchedule(app, idOrName) };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    return { schedule: undefined, error };
  }
}
