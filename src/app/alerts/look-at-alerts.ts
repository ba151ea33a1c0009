import { existsSync } from 'node:fs';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { SchedulerName } from '../../schedule/scheduler-names.ts';
import { type LookTime, lookTimings } from '../../tools/alerts.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { addSchedule } from '../schedule/add-schedule.ts';
import { alertFile } from './alert-file.ts';

/** The machine's entry for a schedule that looks at alerts: what it is made by, and who agrees to it. */
export interface LookOptions {
  readonly with?: SchedulerName;
  /** Asked before anything is written; everybody agrees where it is absent. */
  readonly agree?: (schedule: Schedule) => Promise<boolean>;
}

/**
 * Has this machine look at the profile's alerts at these times. It only looks and tells: such a schedule suggests no order.
 * One that does so already is left as it is.
 * @throws {TradeAgentError} as `addSchedule`; `not_found` where there are no alerts
 */
export async function lookAtAlerts(app: App, every: LookTime, options: LookOptions = {}) {
  // A new file is made by the first alert: a schedule of a file that is not there would fail at each look.
  const place = await alertFile(app);
  if (!existsSync(place.file)) {
    throw new TradeAgentError('not_found', 'there are no alerts to look at', {
      hint: 'Set one first: "tell me when AAPL falls below 180", or trade-agent alert add.',
    });
  }
  const timing = lookTimings[every];
  const there = place.watching.find((one) => JSON.stringify(one.timing) === JSON.stringify(timing));
  if (there !== undefined) return { schedule: there.name ?? there.id, isNew: false, with: there.with };
  const { schedule } = await addSchedule(
    // A schedule is this machine's: the session that is open stays as it is.
    { ...app, limitToReading: () => undefined },
    {
      ...('cron' in timing ? { cron: timing.cron, whenOpen: true } : { at: timing.at }),
      rules: place.file,
      approval: 'deny',
      ...defined({ with: options.with }),
    },
    options.agree ?? (async () => true),
  );
  return { schedule: schedule.id, isNew: true, with: schedule.with };
}
