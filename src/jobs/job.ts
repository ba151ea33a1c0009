import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';

/** What is done: `run` drives a thread to its interrupts, `collect` asks what became of proposals that runs wait for. */
export const JOB_KINDS = ['run', 'collect', 'check', 'notice', 'reconcile'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** Whose ids a job may carry. What else there is to know stands in the rows that they are of. */
const ID_NAMES = [
  'tenant',
  'person',
  'thread',
  'run',
  'schedule',
  'condition',
  'proposal',
  'notice',
] as const;

/** What ids are made of, subjects such as `auth0|1` and addresses too: no sentence, no JSON, nothing that is long as a token is. */
const id = z.string().regex(/^[\w.~:|@/+=-]{1,128}$/);

const jobSchema = z.strictObject({
  kind: z.enum(JOB_KINDS),
  /** What is done one at a time and in order: `tenant|thread`. */
  key: z.string().regex(/^[\w.~:|@/+=-]{1,256}$/),
  ids: z.partialRecord(z.enum(ID_NAMES), id),
});

/**
 * A piece of work, by ids alone: nothing in it is secret, and one that is lost can be made again from the rows.
 */
export interface Job {
  readonly kind: JobKind;
  /** Jobs of one key and kind are done one at a time, in the order they were enqueued: `tenant|thread`. */
  readonly key: string;
  readonly ids: Readonly<Partial<Record<(typeof ID_NAMES)[number], string>>>;
}

/**
 * @throws {TradeAgentError} `internal` for what is no job: another kind, or more than ids. It shows nothing of what was in it
 */
export function parseJob(job: unknown): Job {
  const { data, error } = jobSchema.safeParse(job);
  if (data !== undefined) return data as Job;
  const where = error.issues.map(({ path }) => path.join('.') || 'job').join(', ');
  throw new TradeAgentError('internal', `a job carries ids alone (${where})`);
}

/**
 * A job to be enqueued for a tenant.
 * @throws {TradeAgentError} `internal` as {@link parseJob}, and for another tenant's
 */
export function parseJobOf(tenant: string, given: unknown): Job {
  const job = parseJob(given);
  if (job.ids.tenant !== undefined && job.ids.tenant !== tenant)
    throw new TradeAgentError('internal', 'a job of another tenant');
  return job;
}
