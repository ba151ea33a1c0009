import { homedir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../app/sandbox-connection.ts';
import { ensurePrivateFolder } from '../../machine/home.ts';
import { currentCalendar } from '../../schedule/calendar-cache.ts';
import { machineCommand } from '../../schedule/machine-command.ts';
import { parseEdge } from '../../schedule/market-edge.ts';
import { edgeMoments, type Moments } from '../../schedule/moments.ts';
import type { Machine } from '../../schedule/open-scheduler.ts';
import type { Timing } from '../../schedule/schedule.ts';
import { openScheduleStore, type ScheduleStore } from '../../schedule/schedule-store.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { Context } from '../context.ts';

export async function scheduleStore(context: Pick<Context, 'home'>): Promise<ScheduleStore> {
  return openScheduleStore(join((await context.home()).data, 'schedules'));
}

/** This machine, for schedulers; its commands get no token of the user's. */
export function thisMachine({ env }: Pick<Context, 'env'>, folder: string): Machine {
  return {
    platform: process.platform,
    env,
    userHome: homedir(),
    uid: process.getuid?.() ?? 0,
    run: machineCommand(childEnvironment(env)),
    folder: ensurePrivateFolder(folder),
  };
}

/**
 * The moments of a timing, by the broker's calendar where it needs one.
 * @throws {TradeAgentError} what reading the calendar throws, where none is kept that reaches to today
 */
export async function momentsOf(
  context: Context,
  timing: Timing,
  profile: string,
  store: ScheduleStore,
): Promise<Moments> {
  if ('cron' in timing) return momentsBy(timing, []);
  const { days } = await currentCalendar({
    folder: store.folder,
    profile,
    now: context.clock.now(),
    ask: async (range) => (await context.gateway()).calendar(range),
  });
  return momentsBy(timing, days);
}

/** As {@link momentsOf}, by a calendar that is there. */
export async function momentsBy(timing: Timing, calendar: readonly TradingDay[]): Promise<Moments> {
  if ('cron' in timing) {
    const { cronMoments } = await import('../../schedule/cron-expression.ts');
    return cronMoments(timing.cron);
  }
  const edge = parseEdge(timing.at);
  if (edge === undefined) throw new TypeError('a stored moment of a trading day is always one');
  return edgeMoments(edge, calendar);
}
