import { z } from 'zod';
import { parseMarketTime } from './run-times.ts';
import { schedulerNames } from './scheduler-names.ts';

export const EXCHANGE_ZONE = 'America/New_York';

/** A cron expression, or a time relative to the market's opening or closing. */
export const timingSchema = z.union([
  z.strictObject({ cron: z.string() }),
  z.strictObject({ at: z.string().refine((text) => parseMarketTime(text) !== undefined) }),
]);
export type Timing = z.output<typeof timingSchema>;

/** Matches a schedule's name or ID. */
export const scheduleNamePattern = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** A stored schedule. Its paths are absolute, because cron chooses its own working directory. */
export const scheduleSchema = z.strictObject({
  id: z.string().regex(scheduleNamePattern),
  name: z.string().regex(scheduleNamePattern).nullable(),
  profile: z.string(),
  /** The account's number, or `all`. If absent, each run uses the default account. */
  account: z.string().min(1).max(64).exactOptional(),
  timing: timingSchema,
  when_open: z.boolean(),
  check: z.strictObject({
    rules: z.string().exactOptional(),
    report: z.string().exactOptional(),
    suggest: z.boolean().exactOptional(),
    buyOnly: z.boolean().exactOptional(),
    approval: z.enum(['wait', 'detach', 'deny', 'mandate']),
  }),
  timeout: z.int().positive(),
  with: z.enum(schedulerNames),
  /** The exact entry in the machine's scheduler: files, or lines of the crontab. */
  entry: z.array(z.strictObject({ file: z.string().nullable(), text: z.string() })),
  /** RFC 3339. The schedule is not due before this time. */
  created_at: z.iso.datetime(),
});
export type Schedule = z.output<typeof scheduleSchema>;
