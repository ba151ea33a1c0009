// Makes test/fixtures/state/vN: a state.db as the code of today writes it, for the code of tomorrow to read.
//   node scripts/make-state-fixture.mjs
// To be run once for each version of the schema, before the next one is written; a fixture that is there is kept.
// Its key is no secret: it opens nothing but the fixture.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAgent } from '../src/agent/create-agent.ts';
import { systemClock } from '../src/machine/clock.ts';
import { openStateDatabase } from '../src/store/sqlite/state-database.ts';
import { GatewayStandIn } from '../test/integration/agent/gateway-stand-in.ts';
import { profileAt, sessionOf } from '../test/integration/agent/session.ts';

const key = createHash('sha256').update('trade-agent test fixture: not a secret').digest();
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-fixture-'));
const stateDb = join(folder, 'state.db');
const gateway = await new GatewayStandIn().start();
const phone = gateway.proposals;
const profile = profileAt(gateway.url);

const agent = await createAgent({
  profile,
  session: sessionOf(profile),
  stateDb,
  databaseKey: key,
  env: {},
  clock: { now: () => Date.now(), sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) },
});

/** Runs a prompt to its end and insists on how it ends. */
async function play(thread, prompt, approval, status) {
  let result;
  for await (const event of agent.run(
    { prompt, thread },
    { approval, signal: AbortSignal.timeout(20_000) },
  )) {
    if (event.type === 'result') result = event.result;
  }
  if (result.status !== status) throw new Error(`${thread}: ${JSON.stringify(result)}`);
}

try {
  const madeAt = Date.now();
  phone.auto = () => 'approve';
  await play('finished', 'buy 5 AAPL', 'wait', 'done');
  await play('finished', 'what do I own', 'wait', 'done');
  phone.auto = undefined;
  phone.faults = Array(4).fill('drop_after_accept');
  await play('unknown', 'buy 1 NVDA', 'wait', 'unknown');
  await play('approved', 'buy 3 AAPL', 'detach', 'pending');
  phone.decide('AAPL', 'approve');
  await play('pending', 'sell 2 MSFT', 'detach', 'pending');
  await agent.close();

  const database = openStateDatabase(stateDb, key);
  const version = database.pragma('user_version', { simple: true });
  database.close();
  const target = fileURLToPath(new URL(`../test/fixtures/state/v${version}`, import.meta.url));
  if (existsSync(target)) throw new Error(`${target} is there already: a released fixture never changes`);
  mkdirSync(target, { recursive: true });
  copyFileSync(stateDb, join(target, 'state.db'));
  const facts = {
    schema_version: version,
    key: key.toString('hex'),
    made_at: madeAt,
    audience: profile.audience,
    asked: phone.asked,
    book: gateway.book,
  };
  writeFileSync(join(target, 'facts.json'), `${JSON.stringify(facts, null, 2)}\n`);
  console.log(target);
} finally {
  await gateway.stop();
  rmSync(folder, { recursive: true });
}
