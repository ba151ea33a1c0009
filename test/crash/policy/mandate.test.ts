import { afterAll, describe, expect, it } from 'vitest';
import { type CrashCase, isPatient, mandatedCase, mandatedFailpoints } from '../crash-case.ts';
import type { CrashWorld } from '../crash-world.ts';
import type { Failpoint } from '../failpoints.ts';
import { createLanes } from '../lanes.ts';
import { saidLate, TooLate } from '../patience.ts';
import { createPerson } from '../person.ts';
import { begin, die, runOf, settle } from '../play-case.ts';

/** `CRASH_CASE="mandate gateway.claimed=kill#2"` plays one case. */

const seeds = Number(process.env.CRASH_SEEDS ?? 1);
const only = /^mandate (.+)=kill#(\d+)$/.exec(process.env.CRASH_CASE ?? '');
const SOME: readonly Failpoint[] = ['execute.intent', 'broker.committed'];
const places = seeds > 1 ? mandatedFailpoints : SOME;
const cases =
  only === null
    ? places.flatMap((place) => Array.from({ length: seeds }, (_, seed) => mandatedCase(place, seed + 1)))
    : [mandatedCase(only[1] as Failpoint, Number(only[2]))];
// Those that wait out the gateway's quiet time hardly use a processor.
const lanes = createLanes(seeds > 1 ? 2 : 1, 16);
const patientLanes = createLanes(6, 16);
const count = { cases: 0, kills: 0, orders: 0 };
afterAll(async () => {
  await Promise.all([lanes.close(), patientLanes.close()]);
  process.stdout.write(`\nUnder mandates: ${JSON.stringify(count)}\n`);
}, 60_000);

describe('one order, one reservation and one slot are left by a death at', () => {
  it.concurrent.each(cases.map((plan) => [plan.name, plan] as const))(
    '%s',
    async (_, plan) => {
      const where = plan.deaths.some(({ at }) => isPatient(at)) ? patientLanes : lanes;
      const log: string[] = [];
      await where
        .play((world) => play(world, plan, log))
        .catch((error: unknown) => {
          throw new Error([String(error), ...log].join('\n  '), { cause: error });
        });
    },
    3_600_000,
  );
});

async function play(world: CrashWorld, plan: CrashCase, log: string[]): Promise<void> {
  const [order] = plan.orders;
  if (order === undefined) throw new Error('there is no order');
  const mandate = await granted(world, order.symbol);
  const play = await begin(world, plan, (line) => log.push(line));
  const { person, thread, agent, proposals } = play;
  try {
    person.look();
    const { kills } = await die(play);
    // Where it died before anything was kept, the same is asked for again: as whoever looks after the agent does.
    const resume = () => agent(['resume', thread, '--approval', 'mandate']);
    const first = await resume().ended;
    const answer = await settle([first.code === 2 ? agent(runOf(plan, thread)) : resume()], resume);
    if (play.isShort() && play.saysLate()) throw new TooLate();
    expect(answer.approvals).toMatchObject([{ status: 'executed', order: { symbol: order.symbol } }]);

    const lost = await agent(runOf(plan, `${thread}-lost`)).ended;
    expect(lost.code, lost.stdout).toBe(8);
    expect(lost.stdout).toContain('MANDATE_SLOT_USED');

    const booked = await play.booked();
    expect(booked).toMatchObject([{ symbol: order.symbol, side: order.side }]);
    const { orders, slots } = world.gateway.underMandate(mandate);
    expect(orders).toMatchObject([{ client_order_id: booked[0]?.client_order_id, state: 'placed' }]);
    expect(slots).toEqual([booked[0]?.client_order_id]);
    expect(Number(orders[0]?.notional)).toBeGreaterThan(0);
    const [row, ...more] = proposals();
    expect([row?.state, row?.clientOrderId, more]).toEqual(['executed', booked[0]?.client_order_id, []]);
    expect(person.asked).toEqual([]);
    const events = world.gateway.audit().flatMap((line) => (line.proposal === row?.id ? [line.event] : []));
    for (const once of ['proposed', 'approved_by_mandate'])
      expect(
        events.filter((event) => event === once),
        events.join(', '),
      ).toHaveLength(1);
    expect(events).toContain('executing');
    expect((await world.gateway.verify()).ok).toBe(true);
    count.cases += 1;
    count.kills += kills;
    count.orders += booked.length;
    expect(kills).toBe(plan.deaths.length);
  } finally {
    play.end();
    await person.leave().catch(() => undefined);
    await world.agent(['mandates', 'revoke', mandate]).ended;
  }
}

/** A mandate for one order of the symbol each day, which the person approved. */
async function granted(world: CrashWorld, symbol: string): Promise<string> {
  const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const terms = ['--per-order', '100', '--total', '300', '--orders', '3', '--every', 'day', '--until', until];
  const person = createPerson(world, () => 'approve');
  person.look();
  const added = await world.agent([
    ...['mandates', 'add', symbol, ...terms],
    ...['--time-in-force', 'day,gtc', '--output', 'json'],
  ]).ended;
  await person.leave();
  if (saidLate(added.stdout)) throw new TooLate();
  if (added.code !== 0) throw new Error(`no mandate: ${added.stdout}${added.stderr}`);
  return (JSON.parse(added.stdout) as { mandate: { id: string } }).mandate.id;
}
