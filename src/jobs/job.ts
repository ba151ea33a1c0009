import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';

/** `run` drives a thread to its interrupts, `collect` asks for the outcomes of proposals that runs wait for. */
export const JOB_KINDS = ['run', 'collect', 'check', 'notice', 'reconcile'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** The ids a job may contain; everything else is in the rows they identify. */
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

/** Ids, including subjects such as `auth0|1` and addresses: no sentence, no JSON, nothing as long as a token. */
const id = z.string().regex(/^[\w.~:|@/+=-]{1,128}$/);

const jobSchema = z.strictObject({
  kind: z.enum(JOB_KINDS),
  /** `tenant|thread`. */
  key: z.string().regex(/^[\w.~:|@/+=-]{1,256}$/),
  ids: z.partialRecord(z.enum(ID_NAMES), id),
});

/** Work described by ids only: nothing in it is secret, and a lost job can be recreated from the rows. */
export interface Job {
  readonly kind: JobKind;
  /** Jobs of one key and kind are done one at a time, in the order they were enqueued: `tenant|thread`. */
  readonly key: string;
  readonly ids: Readonly<Partial<Record<(typeof ID_NAMES)[number], string>>>;
}

/** @throws {TradeAgentError} `internal` for an unknown kind, or more than ids; without quoting it */
export function parseJob(job: unknown): Job {
  const { data, error } = jobSchema.safeParse(job);
  if (data !== undefined) return data as Job;
  const where = error.issues.map(({ path }) => path.join('.') || 'job').join(', ');
  throw new TradeAgentError('internal', `a job carries ids alone (${where})`);
}

/** @throws {TradeAgentError} `internal` as {@link parseJob}, and for another tenant's job */
export function parseJobOf(tenant: string, given: unknown): Job {
  const job = parseJob(given);
  if (job.ids.tenant !== undefined && job.ids.tenant !== tenant)
    throw new TradeAgentError('internal', 'a job of another tenant');
  return job;
}
