import { type Schema, tenancy } from '../schema.ts';
import { people } from './state/0002-people.ts';
import { threads } from './state/0003-threads.ts';
import { checkpoints } from './state/0004-checkpoints.ts';
import { checks } from './state/0005-checks.ts';
import { credentials } from './state/0006-credentials.ts';
import { schedules } from './state/0008-schedules.ts';

const name = 'trade_agent_state';

/** What the agent keeps of many people: their threads, what checks remember, their secrets, sealed, and when who is to be told what. */
export const stateSchema: Schema = {
  name,
  migrations: [
    tenancy(name),
    people(),
    threads(name),
    checkpoints(name),
    checks(name),
    credentials(name),
    schedules(name),
  ],
};
