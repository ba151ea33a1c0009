// A process that resumes a thread whose approval the phone has given, and ends when the thread has.
import { join } from 'node:path';
import { createAgent } from '../../../src/agent/create-agent.ts';
import type { ApprovalClient } from '../../../src/auth/ciba.ts';
import { tokenFor } from './gateway-stand-in.ts';
import { profileAt, sessionOf } from './session.ts';
import { talkativeModel } from './talkative-model.ts';

const { GATEWAY = '', FOLDER = '', KEY = '', THREAD = '', STEPS = '0' } = process.env;
const phone: ApprovalClient = {
  request: () => Promise.reject(new Error('asked already')),
  poll: async (_id, _signal, details) => ({
    status: 'approved',
    accessToken: tokenFor(details?.digest ?? ''),
    expiresAt: Date.now() + 60_000,
  }),
};
const profile = profileAt(GATEWAY);
const agent = await createAgent({
  profile,
  session: sessionOf(profile),
  approvalClient: phone,
  stateDb: join(FOLDER, 'state.db'),
  auditLog: join(FOLDER, 'audit.jsonl'),
  databaseKey: KEY,
  model: talkativeModel(Number(STEPS)),
});
let status = 'none';
const options = {
  approval: 'wait',
  signal: AbortSignal.timeout(60_000),
  maxTurns: Number(STEPS) + 5,
} as const;
for await (const event of agent.resume(THREAD, options)) {
  if (event.type === 'result') status = event.result.status;
}
await agent.close();
process.exitCode = status === 'done' ? 0 : 1;
