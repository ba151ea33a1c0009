import { z } from 'zod';
import { runRecordSchema } from '../../schedule/run-record.ts';
import { schedulers } from '../../schedule/scheduler-names.ts';
import { time } from './parts.ts';

const schedule = z.object({
  id: z.string(),
  name: z.string().nullable(),
  profile: z.string(),
  account: z.string().nullable().describe('its number, or all; null: the default one at each run'),
  cron: z.string().nullable().describe('a cron expression, New York time'),
  at: z.string().nullable().describe('open+5m, close-30m: by the broker’s calendar'),
  when_open: z.boolean(),
  check: z.object({
    rules: z.string().nullable(),
    report: z.string().nullable(),
    suggest: z.boolean(),
    buy_only: z.boolean(),
    approval: z.string(),
  }),
  timeout_ms: z.int(),
  with: z.enum([...schedulers, 'server']),
  entry: z
    .enum(['installed', 'missing', 'changed', 'unreadable', 'dry_run', 'kept'])
    .describe('kept: at the server, which needs none'),
  zone: z.string(),
  local_zone: z.string(),
  next: z.array(z.object({ exchange: time, local: time })),
  overdue: time.nullable().describe('a moment that went by while nothing ran'),
  last: runRecordSchema.nullable(),
});

/** What the `schedule` commands print. */
export const scheduleResults = {
  schedule: z.object({
    schedule,
    written: z
      .array(z.object({ file: z.string().nullable().describe('null: the crontab'), text: z.string() }))
      .describe('the exact entry'),
    dry_run: z.boolean(),
  }),
  schedules: z.object({ schedules: z.array(schedule) }),
  'schedule-removed': z.object({ id: z.string(), entry_removed: z.boolean() }),
  'schedule-run': z.object({
    id: z.string(),
    status: z.enum(['not_due', 'ran']),
    next: time.nullable().describe('when it is due next; null where it ran or that is not known'),
    run: runRecordSchema.nullable(),
    check: z.looseObject({ status: z.string() }).nullable().describe('as check --output json prints it'),
    checks: z
      .array(z.looseObject({ status: z.string() }))
      .optional()
      .describe('of a schedule for all accounts, one each'),
  }),
  'schedule-logs': z.object({ runs: z.array(runRecordSchema).describe('newest first') }),
} as const satisfies Record<string, z.ZodObject>;
