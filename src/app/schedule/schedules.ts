import type { RunRecord } from '../../schedule/run-record.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { App } from '../app.ts';
import { serverOf } from '../server/require-here.ts';
import { wholeId } from '../whole-id.ts';
import { scheduleStore } from './schedule-context.ts';
import { type ScheduleState, stateOf } from './schedule-state.ts';

/** @param idOrName or how one begins @throws {TradeAgentError} `not_found`, `usage` where several begin so */
export async function findSchedule(app: Pick<App, 'home'>, idOrName: string): Promise<Schedule> {
  const store = await scheduleStore(app);
  const names = () => store.list().flatMap(({ id, name }) => (name === null ? [id] : [id, name]));
  const whole = await wholeId(idOrName, { called: 'schedules', whole: /^$/, list: async () => names() });
  return store.find(whole);
}

/** What a schedule is called, be it this machine's or the server's. @throws as {@link findSchedule} */
export async function namedSchedule(app: App, idOrName: string): Promise<Pick<Schedule, 'id' | 'name'>> {
  if ((await serverOf(app)) === undefined) return findSchedule(app, idOrName);
  return (await import('./at-server.ts')).findAtServer(app, idOrName);
}

/** Every schedule, and how it stands. */
export async function listSchedules(app: App): Promise<ScheduleState[]> {
  if ((await serverOf(app)) !== undefined) return (await import('./at-server.ts')).listAtServer(app);
  const store = await scheduleStore(app);
  const states: ScheduleState[] = [];
  for (const schedule of store.list()) states.push(await stateOf(app, store, schedule));
  return states;
}

/**
 * What became of the last runs, newest first.
 * @param idOrName of one schedule alone
 * @param limit so many at most
 * @throws {TradeAgentError} `not_found`
 */
export async function scheduleLogs(
  app: App,
  idOrName: string | undefined,
  limit: number,
): Promise<RunRecord[]> {
  if ((await serverOf(app)) !== undefined)
    return (await import('./at-server.ts')).logsAtServer(app, idOrName, limit);
  const store = await scheduleStore(app);
  return (idOrName === undefined ? store.list() : [await findSchedule(app, idOrName)])
    .flatMap((schedule) => store.journal(schedule).runs)
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .slice(0, limit);
}
