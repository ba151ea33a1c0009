import { type Schema, tenancy } from '../schema.ts';
import { people } from './state/0002-people.ts';
import { threads } from './state/0003-threads.ts';
import { checkpoints } from './state/0004-checkpoints.ts';
import { checks } from './state/0005-checks.ts';
import { credentials } from './state/0006-credentials.ts';
import { runs } from './state/0007-runs.ts';
import { schedules } from './state/0008-schedules.ts';
import { buckets } from './state/0009-buckets.ts';
import { jobs } from './state/0010-jobs.ts';
import { sharedProposals } from './state/0011-shared-proposals.ts';

const name = 'trade_agent_state';

/** What the agent keeps of many people: threads, what checks remember, secrets, sealed, runs and schedules. */
export const stateSchema: Schema = {
  name,
  migrations: [
    tenancy(name),
    people(),
    threads(name),
    checkpoints(name),
    checks(name),
    credentials(name),
    runs(name),
    schedules(name),
    buckets(name),
    jobs(name),
    sharedProposals(),
  ],
};
