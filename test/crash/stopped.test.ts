import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { THREAD_LEASE_MS } from '../../src/agent/run/threads.ts';
import { type CrashWorld, createCrashWorld } from './crash-world.ts';
import { createPerson, type Person } from './person.ts';
import type { Ended, Program } from './program.ts';

/* A process that is not dead but stands still (SIGSTOP, a laptop's sleep), and wakes up when its time is over. */

const THREAD = 'stopped';
/** How long the process stands at its failpoint by itself, so that the signal finds it there. */
const STAND_MS = 5_000;
/** Just over the time for which the gateway sends nothing again where it is in doubt. */
const QUIET_MS = 31_000;

let world: CrashWorld;
let person: Person;
beforeEach(async () => {
  world = await createCrashWorld();
  person = createPerson(world, () => 'approve');
  person.look();
});
afterEach(async () => {
  await person.leave();
  await world.close();
});

const statusOf = ({ stdout }: Ended): unknown => JSON.parse(stdout).status;

/** Waits until a process says that it stands at a failpoint. */
const standsAt = (failpoint: string, said: () => string) =>
  expect.poll(said, { timeout: 30_000, interval: 20 }).toContain(`failpoint ${failpoint}`);

const resumed = () => world.agent(['resume', THREAD, '--output', 'json']).ended;

/** Resumes until no other run holds the thread: nobody can before the lease is over, which is looked at once. */
async function takeOver(limitMs: number): Promise<Ended> {
  const deadline = Date.now() + limitMs;
  const leased = Date.now() + THREAD_LEASE_MS;
  expect(statusOf(await resumed())).not.toBe('done');
  await sleep(leased - Date.now());
  for (;;) {
    const ended = await resumed();
    if (statusOf(ended) === 'done') return ended;
    if (Date.now() > deadline) throw new Error(`nobody could take over: ${ended.stdout}`);
    await sleep(1_000);
  }
}

/** Its lease has run out on the real clock, and another run has taken the thread. */
describe('an agent that stood still for longer than its lease', () => {
  it('knows of no second order, and tells of the one or that its thread was taken', async () => {
    const failpoint = 'wait.answered';
    const run: Program = world.agent(
      ['run', 'buy 2 F', '--thread', THREAD, '--output', 'json'],
      `${failpoint}=delay:${STAND_MS}`,
      { endless: true },
    );
    await standsAt(failpoint, () => run.said());
    run.child.kill('SIGSTOP');
    await takeOver(60_000);
    run.child.kill('SIGCONT');
    const ended = await run.ended;
    const book = await world.book();
    expect(book).toHaveLength(1);
    if (ended.code === 0) {
      const { orders } = JSON.parse(ended.stdout);
      expect(orders).toMatchObject([{ client_order_id: book[0]?.client_order_id }]);
    } else expect(ended.code).toBe(12);
    expect(world.gateway.proposals()).toMatchObject([{ state: 'executed', asked: 1 }]);
  }, 120_000);
});

describe('a gateway that stood still with an order about to go out', () => {
  it.runIf(Number(process.env.CRASH_SEEDS ?? 1) >= 20)(
    'sends it once when it wakes up, with nobody there',
    async () => {
      world.arm(`gateway.before_submit=delay:${STAND_MS}`);
      await world.agent(['run', 'buy 2 F', '--thread', THREAD, '--approval', 'detach']).ended;
      await standsAt('gateway.before_submit', () => world.sandboxSaid());
      world.signalSandbox('SIGSTOP');
      await sleep(QUIET_MS);
      world.signalSandbox('SIGCONT');
      await expect.poll(() => world.gateway.proposals(), { timeout: 60_000 }).toMatchObject([{ state: 'executed' }]);
      expect(await world.book()).toHaveLength(1);
    },
    180_000,
  );
});
