import { type Schema, tenancy } from '../schema.ts';
import { sql as journals } from './gateway/0002-journals.ts';
import { sql as proposals } from './gateway/0003-proposals.ts';
import { sql as mandates } from './gateway/0004-mandates.ts';
import { sql as people } from './gateway/0005-people.ts';
import { sql as gateways } from './gateway/0006-gateways.ts';
import { sql as buckets } from './gateway/0007-buckets.ts';
import { sql as sealedQuestions } from './gateway/0008-sealed-questions.ts';
import { sql as gatewayKeys } from './gateway/0009-gateway-keys.ts';
import { sql as recordCheckpoints } from './gateway/0010-record-checkpoints.ts';
import { sql as writtenOff } from './gateway/0011-written-off.ts';
import { sql as limitsSeen } from './gateway/0012-limits-seen.ts';

/** Its roles are `trade_agent_gateway_app` and `trade_agent_gateway_sweeper`. */
const NAME = 'trade_agent_gateway';

/** The tables of a gateway. Columns are as SQLite's, so that rows are read by the same code (`store/rows/`). */
export const gatewaySchema: Schema = {
  name: NAME,
  migrations: [
    tenancy(NAME),
    journals(NAME),
    proposals(NAME),
    mandates(NAME),
    people(NAME),
    gateways(NAME),
    buckets(NAME),
    sealedQuestions,
    gatewayKeys(NAME),
    recordCheckpoints(NAME),
    writtenOff,
    limitsSeen(NAME),
  ],
};
