import { z } from 'zod';

/** How a run ended: the words of the exit codes. `died`: it was killed, or the machine went down. */
const runStatuses = [
  'running',
  'clear',
  'found',
  'pending',
  'denied',
  'expired',
  'blocked',
  'market_closed',
  'unknown',
  'busy',
  'timed_out',
  'interrupted',
  'failed',
  'died',
] as const;
export type RunStatus = (typeof runStatuses)[number];

/** One run of a schedule, as it is kept. Times are RFC 3339. */
export const runRecordSchema = z.strictObject({
  schedule: z.string(),
  /** The moment it ran for; null where a person started it. */
  due: z.iso.datetime().nullable(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  status: z.enum(runStatuses),
  exit_code: z.int().nullable(),
  /** Moments before `due` that nobody ran, which this run stands for too; 100 is that many or more. */
  missed: z.int(),
  /** Which attempt at `due` it was. */
  attempt: z.int(),
  /** How many findings there were; the worst are listed. */
  found: z.int(),
  findings: z.array(
    z.strictObject({
      rule: z.string(),
      severity: z.string(),
      message: z.string(),
      /** Of several accounts, which one and at which broker. */
      account: z.string().optional(),
    }),
  ),
  /** Approvals it asked for. */
  approvals: z.array(z.strictObject({ id: z.string(), status: z.string() })),
  /** Notices of findings that could not be sent. */
  unsent: z.int(),
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type RunRecord = z.output<typeof runRecordSchema>;
