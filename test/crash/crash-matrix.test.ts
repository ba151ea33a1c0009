import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type CrashCase, crashCases, isPatient, quietTimes } from './crash-case.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { verdict } from './oracle.ts';
import { playCase } from './play-case.ts';

/** Every failpoint × `CRASH_SEEDS`. `CRASH_CASE="execute.intent=kill#3"` plays one, `CRASH_CASE=gateway` a part. */

const seeds = Number(process.env.CRASH_SEEDS ?? 1);
const cases = crashCases(seeds, process.env.CRASH_CASE);
const lanes = createLanes(Number(process.env.CRASH_LANES ?? 2 * availableParallelism()));
/** For cases that mostly wait out the gateway's quiet time: many may do so at once. */
const patientLanes = createLanes(Math.min(8, 5 * seeds));
const count = { cases: 0, kills: 0, taps: 0, orders: 0, withExits: 0, wrong: 0 };
const startedAt = Date.now();

const outcomes = new Map<string, Promise<(string | undefined)[]>>();

// All are under way from the start; each test waits for its own.
beforeAll(() => {
  // Those that wait twice come first, or the rest would be waiting for them at the end.
  const longest = ([, list]: [string, CrashCase[]]) => Math.max(...list.map(quietTimes));
  for (const [name, list] of [...cases].sort((a, b) => longest(b) - longest(a))) {
    const where = isPatient(name) ? patientLanes : lanes;
    outcomes.set(name, Promise.all(list.map((plan) => outcome(plan, where))));
  }
});

/** @returns a report where something is wrong */
async function outcome(plan: CrashCase, where: Lanes): Promise<string | undefined> {
  const log: string[] = [];
  const wrong = await where
    .play(async (world) => {
      const played = await playCase(world, plan, log);
      count.kills += played.kills;
      count.taps += played.taps.length;
      count.orders += played.booked.length;
      count.withExits += played.booked.filter(({ legs }) => legs.length > 0).length;
      log.push(`taps ${JSON.stringify(played.taps.map(({ decision, clientOrderId }) => [decision, clientOrderId]))}`);
      return verdict(plan, played);
    })
    .catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  count.cases++;
  if (wrong.length === 0) return undefined;
  count.wrong++;
  const report = [wrong.join('; '), `again: CRASH_CASE="${plan.name}" npm run test:crash`, ...log];
  const text = report.join('\n  ');
  // At once: a long run need not be over to be looked into.
  process.stdout.write(`\n${text}\n`);
  return text;
}

afterAll(async () => {
  await Promise.allSettled([...outcomes.values()]);
  await Promise.all([lanes.close(), patientLanes.close()]);
  const { cases: played, kills, taps, orders, withExits, wrong } = count;
  const late = lanes.begunAnew + patientLanes.begunAnew;
  process.stdout.write(
    `\nCrash matrix: ${outcomes.size} failpoints, ${played} cases, ${kills} kills, ${taps} taps, ${orders} orders in the book (${withExits} with exits), ${late} begun again, ${wrong} wrong; ${Math.round((Date.now() - startedAt) / 1000)} s\n`,
  );
}, 600_000);

describe('a process killed at', () => {
  it.each([...cases.keys()])('%s leaves one order for each approval carried out, and none without', async (name) => {
    const reports = (await (outcomes.get(name) ?? [])).filter((report) => report !== undefined);
    if (reports.length > 0) throw new Error(reports.join('\n'));
  });
});
