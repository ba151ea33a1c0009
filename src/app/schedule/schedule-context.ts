import { homedir } from 'node:os';
import { join } from 'node:path';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { calendarFile, currentCalendar } from '../../schedule/calendar-cache.ts';
import { machineCommand } from '../../schedule/machine-command.ts';
import type { Moments } from '../../schedule/moments.ts';
import type { Machine } from '../../schedule/open-scheduler.ts';
import type { Timing } from '../../schedule/schedule.ts';
import { openScheduleStore, type ScheduleStore } from '../../schedule/schedule-store.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { App } from '../app.ts';
import { exitCodeMeanings, exits } from '../exit-codes.ts';
import { childEnvironment } from '../sandbox-connection.ts';

/** Where schedules are kept. */
export async function scheduleStore(app: Pick<App, 'home'>): Promise<ScheduleStore> {
  return openScheduleStore(join((await app.home()).data, 'schedules'));
}

/** Who tells the market's hours: the broker of the account that is meant, of the default one where all are. */
export async function hoursFrom(
  app: Pick<App, 'gateway' | 'ofAll' | 'usersGateway'>,
): Promise<GatewayClient> {
  return await (app.ofAll ? app.usersGateway() : app.gateway());
}

/** How a run may end and yet be no failure: it found something, or the phone has yet to say yes, or did not. */
const results = [exits.found, exits.pending, exits.denied, exits.expired] as const;

/** This machine, for schedulers; its commands get no token of the user's. */
export function thisMachine({ env }: Pick<App, 'env'>, folder: string): Machine {
  return {
    platform: process.platform,
    env,
    userHome: homedir(),
    uid: process.getuid?.() ?? 0,
    run: machineCommand(childEnvironment(env)),
    folder: ensurePrivateFolder(folder),
    results: results.map((code) => ({ code, meaning: exitCodeMeanings[code] })),
  };
}

/**
 * The moments of a timing, by the broker's calendar where it needs one.
 * @throws {TradeAgentError} what reading the calendar throws, where none is kept that reaches to today
 */
export async function momentsOf(
  app: App,
  timing: Timing,
  profile: string,
  store: ScheduleStore,
): Promise<Moments> {
  if ('cron' in timing) return momentsBy(timing, []);
  const { days } = await currentCalendar({
    place: calendarFile(store.folder, profile),
    now: app.clock.now(),
    ask: async (range) => (await hoursFrom(app)).calendar(range),
  });
  return momentsBy(timing, days);
}

/** As {@link momentsOf}, by a calendar that is there. */
export async function momentsBy(timing: Timing, calendar: readonly TradingDay[]): Promise<Moments> {
  const { timingMoments } = await import('../../schedule/timing-moments.ts');
  return timingMoments(timing, calendar);
}
