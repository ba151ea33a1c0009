// A process that resumes a thread, and ends when the thread has.
import { join } from 'node:path';
import { createAgent } from '../../../src/agent/run/create-agent.ts';
import { profileAt, sessionOf } from './session.ts';
import { talkativeModel } from './talkative-model.ts';

const { GATEWAY = '', FOLDER = '', KEY = '', THREAD = '', STEPS } = process.env;
const profile = profileAt(GATEWAY);
const agent = await createAgent({
  profile,
  session: sessionOf(profile),
  stateDb: join(FOLDER, 'state.db'),
  databaseKey: KEY,
  env: {},
  ...(STEPS === undefined ? {} : { model: talkativeModel(Number(STEPS)) }),
});
let status = 'none';
const options = {
  approval: 'wait',
  signal: AbortSignal.timeout(60_000),
  maxTurns: Number(STEPS ?? 0) + 5,
} as const;
for await (const event of agent.resume(THREAD, options)) {
  if (event.type === 'result') status = event.result.status;
}
await agent.close();
process.exitCode = status === 'done' ? 0 : 1;
