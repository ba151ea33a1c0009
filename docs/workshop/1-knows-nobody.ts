// Step 1: a chat that knows nobody. It understands you, and can say nothing of you: it has no session.
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAgent, createApp, systemClock } from 'trade-agent';

const signal = AbortSignal.timeout(60_000);
const tell = (line: string) => console.error(line);
const app = createApp({ env: process.env, clock: systemClock, fetch, signal, tell });

const agent = await createAgent({
  profile: await app.profile(),
  session: undefined,
  stateDb: join(mkdtempSync(join(tmpdir(), 'workshop-')), 'state.db'),
  databaseKey: randomBytes(32),
});
for (const prompt of ['who am I', 'what do I own', 'buy 5 AAPL']) {
  console.log(`> ${prompt}`);
  for await (const event of agent.run({ prompt }, { approval: 'deny', signal })) {
    if (event.type !== 'result') continue;
    const { status, text, error } = event.result;
    console.log(`${status}: ${error?.message ?? text}`);
  }
}
await agent.close();
await app.close();
