import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { redateOrders } from '../../../src/store/sql/order-recount.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { writtenLines } from '../../fixtures/record-lines.ts';
import { limited } from './support/limited.ts';
import { answerOf, startWorld, type World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld({ rules: limited({ max_day_orders: 2 }) });
});

/** The status, or the reason of a refusal by the policy. */
const place = async () => {
  const { status, body } = await answerOf(world.order());
  return body.reason ?? status;
};
const usage = async () => (await world.read('/v1/policy')).body.today;
/** As by a clock that stood so far ahead when it came. */
const dateAhead = (ms: number) =>
  world.database.prepare('UPDATE gateway_orders SET created_at = ?').run(world.clock.now() + ms);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

it('an order dated within a day ahead counts, and the next is placed', async () => {
  expect(await place()).toBe(201);
  dateAhead(24 * HOUR);
  expect(await place()).toBe(201);
  expect(await place()).toBe('ORDERS_EXCEED_MAX_PER_DAY');
});

it('one dated further ahead stops all others, until it is counted for today: no fresh day comes of it', async () => {
  expect(await place()).toBe(201);
  dateAhead(400 * 24 * HOUR);
  expect((await answerOf(world.order())).body).toMatchObject({
    status: 403,
    code: 'policy_denied',
    reason: 'POLICY_CLOCK_BEHIND',
    detail: expect.stringMatching(/is dated (9599|9600) hours ahead of the gateway’s clock/),
    hint: expect.stringContaining('trade-agent gateway recount'),
  });
  expect(await usage()).toMatchObject({ day_orders: 1, clock_behind: expect.any(Number) });

  const recounted = () => redateOrders(createSqliteTransactions(world.database), world.clock.now());
  expect(await recounted()).toEqual({ orders: 1, newest: expect.any(Number) });
  expect(await recounted()).toEqual({ orders: 0, newest: null });
  expect(writtenLines(world.database)).toContainEqual(expect.objectContaining({ event: 'orders_recounted' }));
  expect(await usage()).toMatchObject({ day_orders: 1, last_minute: 1 });
  expect(await place()).toBe(201);
  expect(await place()).toBe('ORDERS_EXCEED_MAX_PER_DAY');
});

describe('a minute after the clock was set back by five', () => {
  const BACK_MS = 300_000;
  let passed = 0;
  beforeEach(async () => {
    world = await startWorld({ rules: limited({ max_orders_per_minute: 2, max_day_orders: 3 }) });
    // Noon in New York, or an hour after: at midnight there the day would turn while this waits.
    world.clock.advance((17 * HOUR - (world.clock.now() % DAY) + DAY) % DAY);
    passed = 0;
    const real = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => real() + passed);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  const wait = (ms: number) => {
    passed += ms;
    world.clock.advance(ms);
  };

  it('the orders of the minute before are no longer those of the last one, and those of the day still are', async () => {
    expect(await place()).toBe(201);
    expect(await place()).toBe(201);
    world.clock.advance(-BACK_MS);
    expect(await place()).toBe('RATE_EXCEEDS_MAX_PER_MINUTE');
    wait(61_000);
    expect(await place()).toBe(201);
    expect(await usage()).toMatchObject({ day_orders: 3, last_minute: 1 });
    wait(61_000);
    expect(await place()).toBe('ORDERS_EXCEED_MAX_PER_DAY');
  });

  it('so it is at a gateway whose clock was never ahead, of orders that another dated', async () => {
    expect(await place()).toBe(201);
    expect(await place()).toBe(201);
    dateAhead(BACK_MS);
    world.restart();
    expect(await usage()).toMatchObject({ last_minute: 2 });
    wait(61_000);
    expect(await usage()).toMatchObject({ last_minute: 0, day_orders: 2 });
  });
});
