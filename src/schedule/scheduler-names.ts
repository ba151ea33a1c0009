/** In a separate file, because the command line's help needs only these names. */
export const schedulers = ['cron', 'systemd', 'launchd'] as const;
export type SchedulerName = (typeof schedulers)[number];
