import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CrashWorld, createCrashWorld } from './crash-world.ts';
import { createPerson, type Person } from './person.ts';
import type { Ended, Program } from './program.ts';

/*
 * A process that is not dead but stands still (SIGSTOP, a laptop's sleep) keeps its leases until they run out on the
 * real clock; then another takes over, and it wakes up.
 */

const THREAD = 'stopped';
/** How long the process stands at its failpoint by itself, so that the signal finds it there. */
const STAND_MS = 5_000;

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

/** A run that was stopped where the failpoint is. */
async function stoppedAt(failpoint: string): Promise<Program> {
  const run = world.agent(
    ['run', 'buy 2 F', '--thread', THREAD, '--output', 'json'],
    `${failpoint}=delay:${STAND_MS}`,
    { endless: true },
  );
  await expect.poll(() => run.said(), { timeout: 30_000, interval: 20 }).toContain(`failpoint ${failpoint}`);
  run.child.kill('SIGSTOP');
  return run;
}

/** Resumes until no other run holds the thread or the approval. */
async function takeOver(limitMs: number): Promise<Ended> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const ended = await world.agent(['resume', THREAD, '--output', 'json']).ended;
    if (statusOf(ended) === 'done') return ended;
    if (Date.now() > deadline) throw new Error(`nobody could take over: ${ended.stdout}`);
    await sleep(1_000);
  }
}

async function awaken(run: Program): Promise<Ended> {
  run.child.kill('SIGCONT');
  return run.ended;
}

describe('a process that stood still for longer than its lease', () => {
  it('with the token in its memory finds its order placed by another, and places none', async () => {
    const run = await stoppedAt('poll.answered');
    await takeOver(60_000);
    const ended = await awaken(run);
    const book = await world.book();
    expect(book).toHaveLength(1);
    // Either it sees what the other did, or it is told that its thread was taken.
    if (ended.code === 0) {
      const { orders } = JSON.parse(ended.stdout);
      expect(orders).toMatchObject([{ client_order_id: book[0]?.client_order_id }]);
    } else expect(ended.code).toBe(12);
    expect(world.gateway.proposals()).toHaveLength(1);
  }, 120_000);

  // Two minutes, the life of an approval's lease.
  it.runIf(Number(process.env.CRASH_SEEDS ?? 1) >= 20)(
    'with its order about to go out sends what is no second order',
    async () => {
      const run = await stoppedAt('execute.intent');
      await takeOver(180_000);
      await awaken(run);
      expect(await world.book()).toHaveLength(1);
      expect(world.gateway.proposals()).toHaveLength(1);
      expect(statusOf(await world.agent(['resume', THREAD, '--output', 'json']).ended)).toBe('done');
    },
    300_000,
  );
});
