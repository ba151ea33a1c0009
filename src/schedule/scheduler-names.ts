/** In a file of its own: the command line's help needs only this. */
export const schedulers = ['cron', 'systemd', 'launchd'] as const;
export type SchedulerName = (typeof schedulers)[number];
