import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatUtcSeconds, systemClock } from '../../../src/machine/clock.ts';
import { type MandateEnvelope, mandateDigest } from '../../../src/trading/mandate/envelope.ts';
import type { RecurringTime } from '../../../src/trading/mandate/standing-order.ts';
import { addDays, newYorkDate, newYorkInstant, nthWeekday } from '../../../src/trading/new-york-time.ts';
import { movableClock } from '../../movable-clock.ts';
import { grantedStanding, kept } from './standing-world.ts';
import { type ProposalWorld, startProposalWorld } from './world.ts';

const DAY = 86_400_000;
const clock = movableClock(systemClock);
/** The next Thanksgiving, a Thursday; the exchange closes at 13:00 on the Friday after it. */
const thanksgiving = [0, 1]
  .map((years) => nthWeekday(new Date().getUTCFullYear() + years, 11, 4, 4))
  .find((date) => newYorkInstant(date, '00:00') > clock.now() + 2 * DAY);
const day = (after: number) => addDays(thanksgiving ?? '', after);

let world: ProposalWorld;
/** Of a mandate that was asked for and signed: the others here are of the same terms, but for their times. */
let signed: MandateEnvelope;
beforeAll(async () => {
  world = await startProposalWorld({ clock, credentials: 'key_pair', marketHours: 'exchange' });
  const alice = await world.as('alice');
  const mandate = await grantedStanding(alice, clock.now(), { every: 'thursday', at: '10:00' });
  await kept(world, async ({ mandates }) => {
    signed = (await mandates.find('alice', mandate, { since: 0 }))?.terms as MandateEnvelope;
    await mandates.end({ sub: 'alice', id: mandate }, 'revoked', 'phone', clock.now());
  });
});
afterAll(() => world.close());

/** As the kernel writes one that its owner said yes to. */
async function granted(id: string, when: RecurringTime): Promise<void> {
  const terms: MandateEnvelope = {
    ...signed,
    mandate_id: id,
    standing: { ...(signed.standing as NonNullable<MandateEnvelope['standing']>), when },
    not_before: formatUtcSeconds(clock.now()),
    expires_at: formatUtcSeconds(clock.now() + 20 * DAY),
  };
  const approval = { issuer: 'https://issuer.example', jti: id };
  const mandate = { id, sub: 'alice', terms, digest: mandateDigest(terms), approval, client: 'trade-agent' };
  await kept(world, async ({ mandates }) => {
    expect(await mandates.grant(mandate, clock.now())).toBe('granted');
  });
}

/** The days on which a mandate's orders were placed. */
const daysOf = (mandate: string) =>
  kept(world, async (_, database) =>
    database
      .prepare<[string], { slot: string }>(
        "SELECT slot FROM gateway_orders WHERE mandate = ? AND state = 'placed' ORDER BY created_at",
      )
      .all(mandate)
      .map(({ slot }) => slot),
  );

/** Nothing of the gateway's is on its way: what is would be caught by a jump of time, as by a machine that was asleep. */
const quiet = () =>
  expect.poll(() => clock.now() - world.sandbox.lastRequestAt(), { timeout: 8_000, interval: 50 }).toBeGreaterThan(300);

/** At that time. @returns it, milliseconds since the epoch */
async function comeTo(date: string, wall: string): Promise<number> {
  await quiet();
  const then = newYorkInstant(date, wall);
  clock.advance(then - clock.now());
  return then;
}

/** At that time; and when the gateway has looked at the market since: it does now and then while something is due. */
async function lookedAt(date: string, wall: string): Promise<void> {
  const then = await comeTo(date, wall);
  await expect
    .poll(
      () => {
        clock.advance(60_000);
        return world.sandbox.lastRequestAt() - then;
      },
      { timeout: 8_000, interval: 100 },
    )
    .toBeGreaterThan(30_000);
}
const soon = (mandate: string) =>
  expect.poll(
    () => {
      clock.advance(15_000);
      return daysOf(mandate);
    },
    { timeout: 8_000, interval: 100 },
  );

it('places what is due on a holiday once, on the next open day, and after a half-day on the next one', async () => {
  clock.advance(newYorkInstant(day(-1), '17:00') - clock.now());
  const [onThursdays, onFridays, daily] = ['M-thursdays0', 'M-fridays000', 'M-everyday00'] as const;
  await granted(onThursdays, { every: 'thursday', at: '10:00' });
  await granted(onFridays, { every: 'friday', at: '14:00' });
  await granted(daily, { every: 'day', at: '10:05' });

  // Closed all day: each look finds it so.
  await lookedAt(day(0), '10:06');
  await lookedAt(day(0), '15:59');
  expect(await Promise.all([onThursdays, onFridays, daily].map(daysOf))).toEqual([[], [], []]);

  // Not at the opening: at the same time of the day.
  await comeTo(day(1), '09:31');
  clock.advance(15_000);
  await quiet();
  expect(await daysOf(onThursdays)).toEqual([]);
  await comeTo(day(1), '10:06');
  await soon(onThursdays).toEqual([day(1)]);
  await soon(daily).toEqual([day(1)]);
  // It closed at one.
  await lookedAt(day(1), '14:01');
  await lookedAt(day(2), '14:01');
  expect(await daysOf(onFridays)).toEqual([]);

  await comeTo(day(4), '10:06');
  await soon(daily).toEqual([day(1), day(4)]);
  await comeTo(day(4), '14:01');
  await soon(onFridays).toEqual([day(4)]);
  // The next of each is its own day's again, and nothing was made up for twice.
  await comeTo(day(7), '10:01');
  await soon(onThursdays).toEqual([day(1), day(7)]);
  expect(await daysOf(onFridays)).toEqual([day(4)]);
  expect(newYorkDate(clock.now())).toBe(day(7));
}, 60_000);
