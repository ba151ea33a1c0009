import { z } from 'zod';
import { parseEdge } from './moments.ts';
import { schedulers } from './scheduler-names.ts';

/** The zone all times of a schedule are of: the exchange's. */
export const EXCHANGE_ZONE = 'America/New_York';

/** When a schedule is due: by a cron expression, or so many minutes from the market's opening or closing. */
export const timingSchema = z.union([
  z.strictObject({ cron: z.string() }),
  z.strictObject({ at: z.string().refine((text) => parseEdge(text) !== undefined) }),
]);
export type Timing = z.output<typeof timingSchema>;

/** A name people give a schedule; an id is one of these too. */
export const schedulePattern = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** What a schedule is, as its file keeps it. Paths are absolute: cron starts it in a folder of its own choice. */
export const scheduleSchema = z.strictObject({
  id: z.string().regex(schedulePattern),
  name: z.string().regex(schedulePattern).nullable(),
  profile: z.string(),
  /** The number of the account that it is about, or `all`; the default one at each run where it is left out. */
  account: z.string().min(1).max(64).exactOptional(),
  timing: timingSchema,
  when_open: z.boolean(),
  /** The check it runs, by the options of `trade-agent check`. */
  check: z.strictObject({
    rules: z.string().exactOptional(),
    report: z.string().exactOptional(),
    suggest: z.boolean().exactOptional(),
    buyOnly: z.boolean().exactOptional(),
    approval: z.enum(['wait', 'detach', 'deny', 'mandate']),
  }),
  /** Milliseconds a run may take. */
  timeout: z.int().positive(),
  with: z.enum(schedulers),
  /** The exact entry written for it: file by file, or the lines of the crontab. */
  entry: z.array(z.strictObject({ file: z.string().nullable(), text: z.string() })),
  /** RFC 3339. Nothing before it was ever due. */
  created_at: z.iso.datetime(),
});
export type Schedule = z.output<typeof scheduleSchema>;
