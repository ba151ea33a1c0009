import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, utcSeconds } from '../../../src/machine/clock.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import { sqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import type { MandateRequestInput } from '../../../src/trading/mandate/envelope.ts';
import type { Recurring } from '../../../src/trading/mandate/standing.ts';
import { nextDue } from '../../../src/trading/mandate/standing-due.ts';
import type { ProposalRequestInput } from '../../../src/trading/proposal.ts';
import { movableClock } from '../../movable-clock.ts';
import { type Person, type ProposalWorld, startProposalWorld } from './world.ts';

const DAY = 86_400_000;
const MONDAYS: Recurring = { every: 'monday', at: '10:00' };
const clock = movableClock(systemClock);

let world: ProposalWorld;
let alice: Person;
/** Asked for before any time is put forward: afterwards their programs' clocks are behind. */
let waits: string;
let fires: string;
let mandate: string;
beforeAll(async () => {
  world = await startProposalWorld({ clock, credentials: 'key_pair' });
  alice = await world.as('alice');
  mandate = await granted(MONDAYS);
  waits = await granted({ price: 'below', at: '0.01' });
  fires = await granted({ price: 'above', at: '0.02' });
});
afterAll(() => world.close());

function asked(when: NonNullable<MandateRequestInput['standing']>['when']): ProposalRequestInput {
  const isRecurring = 'every' in when;
  return {
    kind: 'mandate',
    mandate: {
      symbols: ['KO'],
      sides: ['buy'],
      order_types: ['market'],
      times_in_force: ['day'],
      max_order_notional: '200.00',
      max_total_notional: isRecurring ? '2000.00' : '200.00',
      max_orders: isRecurring ? 10 : 1,
      cadence: isRecurring ? 'daily' : 'on_demand',
      expires_at: utcSeconds(clock.now() + 80 * DAY),
      standing: {
        order: { symbol: 'KO', side: 'buy', notional: '200.00', type: 'market', time_in_force: 'day' },
        when,
      },
    },
  };
}

async function granted(when: NonNullable<MandateRequestInput['standing']>['when']): Promise<string> {
  const { result } = await alice.approved(asked(when));
  return (result as { mandate: string }).mandate;
}

/** What is kept, read beside the gateway: sessions end while weeks go by. */
async function kept<T>(look: (stores: GatewayStores, database: Database.Database) => Promise<T>): Promise<T> {
  const database = new Database(join(world.folder, 'sandbox', 'gateway.db'));
  try {
    return await look(sqliteGatewayStores(database), database);
  } finally {
    database.close();
  }
}
const ordersOf = (mandate: string) =>
  kept(async (_, database) =>
    database
      .prepare<[string], { state: string }>(
        'SELECT state FROM gateway_orders WHERE mandate = ? ORDER BY created_at',
      )
      .all(mandate)
      .map(({ state }) => state),
  );
const standingOf = (mandate: string) => kept((stores) => stores.standing.find('alice', mandate));

/** Moves on to just after the next Monday at ten. */
async function nextMonday(): Promise<number> {
  const due = nextDue(MONDAYS, clock.now());
  clock.advance(due + 1_000 - clock.now());
  return due;
}

const isOneOnItsWay = () =>
  kept(
    async (_, database) =>
      database.prepare("SELECT 1 FROM gateway_orders WHERE state = 'intent'").get() !== undefined,
  );

/**
 * A look that was under way when time was put forward is followed by another, a quarter of a minute later. Not while an order
 * is on its way: for it these seconds would be milliseconds.
 */
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
        standing: { state: 'watching', next_at: new Date(nextDue(MONDAYS, clock.now())).toISOString() },
      },
    });
  });
});

describe('a conditional order', () => {
  it('waits while the price is not beyond, and is placed once when it is', async () => {
    clock.advance(15_000);
    await soon(() => ordersOf(fires)).toEqual(['placed']);
    expect(await standingOf(fires)).toMatchObject({ state: 'done', last: { outcome: 'ordered' } });
    clock.advance(60_000);
    expect(await ordersOf(fires)).toHaveLength(1);
    expect(await standingOf(waits)).toMatchObject({ state: 'watching' });
    expect(await ordersOf(waits)).toEqual([]);
  });
});

describe('a recurring order', () => {
  it('is placed each Monday by the gateway itself, but while trading is halted and once it is revoked', async () => {
    for (let week = 1; week <= 2; week++) {
      await nextMonday();
      await soon(() => ordersOf(mandate)).toEqual(Array(week).fill('placed'));
    }
    // Down on the third Monday, and up on Tuesday.
    await world.restart(async () => {
      await nextMonday();
      clock.advance(DAY);
    });
    await soon(() => ordersOf(mandate)).toEqual(Array(3).fill('placed'));
    await kept((stores) => stores.halts.halt('alice', 'phone', clock.now()));
    const halted = await nextMonday();
    await soon(() => standingOf(mandate)).toMatchObject({
      last: { outcome: 'refused', code: 'policy_denied' },
      dueAt: nextDue(MONDAYS, halted),
    });
    expect(await ordersOf(mandate)).toHaveLength(3);
    await kept(async ({ halts }) => {
      const since = await halts.haltedAt('alice');
      expect(await halts.lift('alice', since ?? 0, clock.now())).toBe(true);
    });
    await nextMonday();
    await soon(() => ordersOf(mandate)).toEqual(Array(4).fill('placed'));
    await kept((stores) =>
      stores.mandates.end({ sub: 'alice', id: mandate }, 'revoked', 'phone', clock.now()),
    );
    await nextMonday();
    await soon(() => standingOf(mandate)).toMatchObject({ state: 'stopped' });
    expect(await ordersOf(mandate)).toEqual(Array(4).fill('placed'));
  }, 60_000);
});
