import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { acquireThread, THREAD_LEASE_MS } from '../../src/agent/run/threads.ts';
import { openStateDatabase } from '../../src/store/sqlite/state-database.ts';
import { createSqliteStateStores } from '../../src/store/sqlite/state-stores.ts';
import { watchCryptography } from './activity.ts';
import { Client, identities } from './client.ts';
import { warmUp } from './history.ts';
import { memoryFolder } from './memory-folder.ts';
import { check } from './oracle.ts';
import { machineClock, SimClock } from './sim-clock.ts';
import { bodies } from './steps.ts';
import { createWorld, makeKeys, type SharedKeys } from './world.ts';

/** Two histories that failed earlier (seeds 338751100 and -327784653), as tests of where the cause now lives. */

let keys: SharedKeys;
beforeAll(async () => {
  watchCryptography();
  keys = await makeKeys();
  await warmUp(keys);
});

/** The checker was wrong: a lease renewed under a clock that was set back ends earlier than when taken. */
it('a lease that is renewed after the clock was set back lasts its time from then on, and no longer', async () => {
  const folder = memoryFolder('trade-agent-lease-');
  const clock = machineClock(new SimClock(Date.parse('2036-01-02T15:00:00Z')));
  const database = openStateDatabase(join(folder, 'state.db'), randomBytes(32));
  const { threads } = createSqliteStateStores(database);
  const owner = { profile: 'test', sub: 'alice' };
  const take = async (holder: string) =>
    (await acquireThread(threads, { title: 'buy 1 AAPL', thread: 't0' }, { owner, holder, clock })).lease;
  const lease = await take('worker 3');
  clock.skew = -20_000;
  expect(await threads.renew('worker 3', ['t0'], clock.now() + THREAD_LEASE_MS)).toEqual(['t0']);
  clock.skew += THREAD_LEASE_MS - 1;
  await expect(take('worker 4')).rejects.toThrow('another run is using thread t0');
  clock.skew += 1;
  const other = await take('worker 4');
  expect([await threads.isHeld(lease), await threads.isHeld(other)]).toEqual([false, true]);
  database.close();
  rmSync(folder, { recursive: true });
});

/** The program dropped an answer whose wait ended at the same moment; the provider gives a token only once. */
it.each(([1, 2, 3, 4, 5, 6] as const).flatMap((point) => [['approve', point] as const, ['deny', point] as const]))(
  'an answer (%s) that was heard as the gateway closed is not asked for again (point %i)',
  async (decision, point) => {
    const world = await createWorld(keys, { interval: 5, hold: 30_000, delivery: 'poll', details: 'rar' });
    const { questions } = world.provider;
    const client = new Client(world, identities[0]);
    void client.propose('key', { kind: 'order', order: bodies[0], ttl: 300 }, false);
    await world.advance(1_000);

    const gateway = world.gateway();
    gateway.pauseAfter(point);
    const [question] = questions.open();
    if (question === undefined) throw new Error('nobody was asked');
    questions.decide(question, decision);
    await world.rest();
    const closing = world.closeGateway();
    gateway.unpause();
    await closing;
    const isHeard = world.network.sent.some(
      ({ answer, heard }) => heard && (answer.includes('"id_token":') || answer.includes('access_denied')),
    );
    const polls = () =>
      world.network.sent.filter(({ body }) => body.includes(question.id) && body.includes('ciba')).length;
    const polled = polls();

    world.startGateway();
    await world.advance(10_000);
    if (isHeard) expect([questions.all.length, polls()]).toEqual([1, polled]);
    for (const again of questions.open()) questions.decide(again, decision);
    await world.advance(10_000);
    expect(await world.proposals()).toMatchObject([{ state: decision === 'approve' ? 'executed' : 'denied' }]);
    client.life.dieAfter(0);
    await check(world);
    await world.close();
  },
);
