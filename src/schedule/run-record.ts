import { z } from 'zod';

/** How a run ended: the words of the exit codes. `died`: it was killed, or the machine went down. */
export const runStatuses = [
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
  findings: z.array(z.strictObject({ rule: z.string(), severity: z.string(), message: z.string() })),
  /** Approvals it asked for. */
  approvals: z.array(z.strictObject({ id: z.string(), status: z.string() })),
  /** Notices of findings that could not be sent. */
  unsent: z.int(),
  error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
});
export type RunRecord = z.output<typeof runRecordSchema>;

const byExitCode: Readonly<Record<number, RunStatus>> = {
  0: 'clear',
  3: 'found',
  5: 'pending',
  6: 'denied',
  7: 'expired',
  8: 'blocked',
  9: 'market_closed',
  10: 'unknown',
  12: 'busy',
  124: 'timed_out',
  130: 'interrupted',
};

/** The status of a run that ended with an exit code. */
export function statusOf(exitCode: number): RunStatus {
  return byExitCode[exitCode] ?? 'failed';
}

/**
 * Whether the next wake-up tries the same moment again. What a person has to put right first (wrong rules, no login)
 * is not tried again, and what became of an order is a result.
 */
export function isTriedAgain(exitCode: number): boolean {
  return [1, 11, 12, 124, 130].includes(exitCode);
}
