/** The names of the schedulers, in a separate file because the command line's help needs nothing else. */
export const schedulerNames = ['cron', 'systemd', 'launchd'] as const;
export type SchedulerName = (typeof schedulerNames)[number];
