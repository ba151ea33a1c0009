import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatUtcSeconds, systemClock } from '../../../src/machine/clock.ts';
import { nextDueTime } from '../../../src/trading/mandate/due-times.ts';
import { movableClock } from '../../movable-clock.ts';
import { asHere } from '../../shipped/modules.ts';
import { grantedStanding } from './standing-world.ts';
import { type ProposalWorld, startProposalWorld } from './world.ts';

/** Days that two gateway processes watch one standing order. */
const DAYS = 6;
const DAILY = { every: 'day', at: '10:00' } as const;
const clock = movableClock(systemClock);
let world: ProposalWorld;
let other: ChildProcess;
let mandate: string;
let askedByOther = 0;

beforeAll(async () => {
  world = await startProposalWorld({ clock, credentials: 'key_pair' });
  const alice = await world.as('alice');
  // Of more orders than there are days: the slot holds it to one each.
  mandate = await grantedStanding(alice, clock.now(), DAILY, {
    max_total_notional: '8000.00',
    max_orders: 40,
    expires_at: formatUtcSeconds(clock.now() + 40 * 86_400_000),
  });
  const { ready } = world.sandbox;
  const program = fileURLToPath(new URL('watching-process.ts', import.meta.url));
  other = fork(program, [join(world.folder, 'sandbox'), ready.issuer, ready.broker], {
    execArgv: [...asHere],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  expect(await once(other, 'message')).toEqual(['ready', undefined]);
});
afterAll(async () => {
  const ended = once(other, 'exit');
  if (other.kill('SIGKILL')) await ended;
  await world.close();
});

/** Both clocks, as near to each other as a message is quick; the other's first. */
async function advance(ms: number): Promise<void> {
  const there = once(other, 'message');
  other.send(ms);
  [askedByOther] = (await there) as [number];
  clock.advance(ms);
}

/** Of the gateways' database: the orders of each slot, and when the next is due. */
function kept(): { orders: { slot: string; state: string }[]; dueAt: number } {
  const database = new Database(join(world.folder, 'sandbox', 'gateway.db'), { readonly: true });
  try {
    const orders = database
      .prepare<[string], { slot: string; state: string }>(
        'SELECT slot, state FROM gateway_orders WHERE mandate = ? ORDER BY created_at',
      )
      .all(mandate);
    const standing = database
      .prepare<[string], { due_at: number }>('SELECT due_at FROM standing_orders WHERE mandate = ?')
      .get(mandate);
    return { orders, dueAt: standing?.due_at ?? 0 };
  } finally {
    database.close();
  }
}

it(`watched by two gateway processes it is one order each day, ${DAYS} days`, async () => {
  for (let day = 1; day <= DAYS; day++) {
    const due = nextDueTime(DAILY, clock.now());
    await advance(due + 1_000 - clock.now());
    const next = nextDueTime(DAILY, due);
    await expect
      .poll(
        async () => {
          const { orders, dueAt } = kept();
          const placed = orders.filter(({ state }) => state === 'placed').length;
          // Not while one is on its way: for it these seconds would be milliseconds, and the next day the end of it.
          if (placed === orders.length) await advance(15_000);
          return { ordered: orders.length, placed, dueAt };
        },
        { timeout: 8_000, interval: 100 },
      )
      .toEqual({ ordered: day, placed: day, dueAt: next });
  }
  // Each looks some times more.
  for (let look = 0; look < 4; look++) await advance(15_000);
  const { orders } = kept();
  expect(askedByOther).toBeGreaterThan(DAYS);
  expect(orders.map(({ state }) => state)).toEqual(Array(DAYS).fill('placed'));
  expect(new Set(orders.map(({ slot }) => slot)).size).toBe(DAYS);
  expect(world.sandbox.broker.book().filter(({ symbol }) => symbol === 'KO')).toHaveLength(DAYS);
}, 60_000);
