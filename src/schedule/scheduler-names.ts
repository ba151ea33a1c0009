/** The names of the schedulers, in a separate file because the command line's help needs nothing else. */
export const schedulers = ['cron', 'systemd', 'launchd'] as const;
export type SchedulerName = (typeof schedulers)[number];
