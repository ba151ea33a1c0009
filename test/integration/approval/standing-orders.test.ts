import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUtcSeconds, systemClock } from '../../../src/machine/clock.ts';
import { nextDueTime } from '../../../src/trading/mandate/due-times.ts';
import type { RecurringTime } from '../../../src/trading/mandate/standing-order.ts';
import { movableClock } from '../../movable-clock.ts';
import { grantedStanding, kept } from './standing-world.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const DAY = 86_400_000;
const MONDAYS: RecurringTime = { every: 'monday', at: '10:00' };
const clock = movableClock(systemClock);

let world: ProposalWorld;
let alice: Person;
/** Asked for before any time is put forward: afterwards their programs' clocks are behind. */
let waits: string;
let fires: string;
let mandate: string;
beforeAll(async () => {
  world = await startProposalWorld({ clock, credentials: 'key_pair', signature: 'required' });
  alice = await world.as('alice');
  const long = { expires_at: formatUtcSeconds(clock.now() + 80 * DAY) };
  mandate = await grantedStanding(alice, clock.now(), MONDAYS, long);
  waits = await grantedStanding(alice, clock.now(), { price: 'below', at: '0.01' }, long);
  fires = await grantedStanding(alice, clock.now(), { price: 'above', at: '0.02' }, long);
});
afterAll(() => world.close());

const ordersOf = (mandate: string) =>
  kept(world, async (_, database) =>
    database
      .prepare<[string], { state: string }>('SELECT state FROM gateway_orders WHERE mandate = ? ORDER BY created_at')
      .all(mandate)
      .map(({ state }) => state),
  );
const missedOf = (mandate: string) =>
  kept(
    world,
    async (_, database) =>
      database
        .prepare("SELECT 1 FROM record_lines WHERE line LIKE '%standing_missed%' AND line LIKE ?")
        .all(`%${mandate}%`).length,
  );
const standingOf = (mandate: string) => kept(world, (stores) => stores.standing.find('alice', mandate));

/** Sets a standing order back to what it was when a process crashed after proposing and before recording that. */
const crashBeforeRecording = (mandate: string, before: { readonly dueAt: number | null }, meanwhile = async () => {}) =>
  world.restart(async () => {
    await kept(world, async (_, database) =>
      database
        .prepare(
          "UPDATE standing_orders SET state = 'watching', due_at = ?, last = NULL, check_at = 0 WHERE mandate = ?",
        )
        .run(before.dueAt, mandate),
    );
    await meanwhile();
  });

/** Moves on to just after the next Monday at ten. */
async function nextMonday(): Promise<number> {
  const due = nextDueTime(MONDAYS, clock.now());
  clock.advance(due + 1_000 - clock.now());
  return due;
}

const isOneOnItsWay = () =>
  kept(
    world,
    async (_, database) => database.prepare("SELECT 1 FROM gateway_orders WHERE state = 'intent'").get() !== undefined,
  );

/** Looks again after a quarter of a minute, but not while an order is on its way. */
const soon = <T>(look: () => Promise<T>) =>
  expect.poll(
    async () => {
      if (!(await isOneOnItsWay())) clock.advance(15_000);
      return await look();
    },
    { timeout: 8_000, interval: 200 },
  );

describe('a standing order', () => {
  it('is told with when it is due', async () => {
    expect(await alice.send('GET', `/v1/mandates/${mandate}`)).toMatchObject({
      body: {
        standing: { state: 'watching', next_at: new Date(nextDueTime(MONDAYS, clock.now())).toISOString() },
      },
    });
  });
});

describe('a conditional order', () => {
  it('waits while the price is not beyond, and is placed once when it is', async () => {
    clock.advance(15_000);
    await soon(() => ordersOf(fires)).toEqual(['placed']);
    const done = await standingOf(fires);
    expect(done).toMatchObject({ state: 'done', last: { outcome: 'ordered' } });
    expect(await alice.send('GET', `/v1/receipts/${done?.last?.proposal}`)).toMatchObject({
      ...{ status: 200, body: { mandate: { id: fires }, orders: [{ state: 'placed' }] } },
    });
    clock.advance(60_000);
    expect(await ordersOf(fires)).toHaveLength(1);
    expect(await standingOf(waits)).toMatchObject({ state: 'watching' });
    expect(await ordersOf(waits)).toEqual([]);
  });

  it('is recorded as placed after a crash before that was recorded, although it used up its mandate', async () => {
    const placed = (await standingOf(fires))?.last;
    await crashBeforeRecording(fires, { dueAt: null });
    await soon(() => standingOf(fires)).toMatchObject({
      ...{ state: 'done', last: { outcome: 'ordered', proposal: placed?.proposal } },
    });
    expect(await ordersOf(fires)).toEqual(['placed']);
  });
});

describe('a recurring order', () => {
  it('is placed each Monday by the gateway itself, but while trading is halted and once it is revoked', async () => {
    for (let week = 1; week <= 2; week++) {
      await nextMonday();
      await soon(() => ordersOf(mandate)).toEqual(Array(week).fill('placed'));
    }
    const placed = await standingOf(mandate);
    const { dueAt } = placed ?? {};
    await crashBeforeRecording(mandate, { dueAt: (dueAt ?? 0) - 14 * DAY });
    await soon(() => standingOf(mandate)).toMatchObject({
      ...{ dueAt, last: { outcome: 'ordered', proposal: placed?.last?.proposal } },
    });
    expect(await missedOf(mandate)).toBe(0);
    // Down on the third Monday, and up on Tuesday.
    await world.restart(async () => {
      await nextMonday();
      clock.advance(DAY);
    });
    await soon(() => ordersOf(mandate)).toEqual(Array(3).fill('placed'));
    await kept(world, (stores) => stores.halts.halt('alice', 'phone', clock.now()));
    const halted = await nextMonday();
    await soon(() => standingOf(mandate)).toMatchObject({
      last: { outcome: 'refused', code: 'policy_denied' },
      dueAt: nextDueTime(MONDAYS, halted),
    });
    expect(await ordersOf(mandate)).toHaveLength(3);
    await kept(world, async ({ halts }) => {
      const since = await halts.haltedAt('alice');
      expect(await halts.lift('alice', since ?? 0, clock.now())).toBe(true);
    });
    await nextMonday();
    await soon(() => ordersOf(mandate)).toEqual(Array(4).fill('placed'));
    await kept(world, (stores) => stores.mandates.end({ sub: 'alice', id: mandate }, 'revoked', 'phone', clock.now()));
    await nextMonday();
    await soon(() => standingOf(mandate)).toMatchObject({ state: 'stopped' });
    expect(await ordersOf(mandate)).toEqual(Array(4).fill('placed'));
  }, 60_000);
});
