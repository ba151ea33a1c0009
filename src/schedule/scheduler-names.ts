/** What may start a schedule. A file of its own: the command line's help needs it, and nothing else of this folder. */
export const schedulers = ['cron', 'systemd', 'launchd'] as const;
export type SchedulerName = (typeof schedulers)[number];
