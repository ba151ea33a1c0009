import { z } from 'zod';

/** The names of the exit codes, `running`, and `died` (the process was killed, or the machine went down). */
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

/** A stored run of a schedule. Times are in RFC 3339 format. */
export const runRecordSchema = z.strictObject({
  schedule: z.string(),
  /** The time at which the run was due; null if a person started the run. */
  due: z.iso.datetime().nullable(),
  started_at: z.iso.datetime(),
  ended_at: z.iso.datetime().nullable(),
  status: z.enum(runStatuses),
  exit_code: z.int().nullable(),
  /** Number of earlier missed run times that this run covers; 100 means that many or more. */
  missed: z.int(),
  attempt: z.int(),
  /** Total number of findings. `findings` contains the most severe ones. */
  found: z.int(),
  findings: z.array(
    z.strictObject({
      rule: z.string(),
      severity: z.string(),
      message: z.string(),
      account: z.string().optional(),
    }),
  ),
  approvals: z.array(z.strictObject({ id: z.string(), status: z.string() })),
  /** Number of findings for which no notice could be sent. */
  unsent: z.int(),
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type RunRecord = z.output<typeof runRecordSchema>;
