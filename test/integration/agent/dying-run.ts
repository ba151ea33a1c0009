// A process that resumes a thread whose approval the phone has given, to be killed on the way.
import { join } from 'node:path';
import { createApprovalStore } from '../../../src/agent/approval-store.ts';
import { createAgent } from '../../../src/agent/create-agent.ts';
import { openStateDatabase } from '../../../src/agent/state-database.ts';
import { createTokenSeal } from '../../../src/agent/token-seal.ts';
import type { ApprovalClient } from '../../../src/auth/ciba.ts';
import { systemClock } from '../../../src/trading/clock.ts';
import { tokenFor } from './gateway-stand-in.ts';
import { profileAt, sessionOf } from './session.ts';

const { GATEWAY = '', FOLDER = '', KEY = '', THREAD = '' } = process.env;
const stateDb = join(FOLDER, 'state.db');
const key = Buffer.from(KEY, 'hex');
const database = openStateDatabase(stateDb, key);
const store = createApprovalStore(database, createTokenSeal(key), systemClock, { note: () => undefined });
const digest = store.list({ profile: 'test', thread: THREAD })[0]?.digest ?? '';
database.close();

const phone: ApprovalClient = {
  request: () => Promise.reject(new Error('asked already')),
  poll: async () => ({ status: 'approved', accessToken: tokenFor(digest), expiresAt: Date.now() + 60_000 }),
};
const profile = profileAt(GATEWAY);
const agent = await createAgent({
  profile,
  session: sessionOf(profile),
  approvalClient: phone,
  stateDb,
  auditLog: join(FOLDER, 'audit.jsonl'),
  databaseKey: key,
});
for await (const _event of agent.resume(THREAD, { approval: 'wait', signal: new AbortController().signal }));
