import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Changes, createChanges } from '../../../../src/approval/changes.ts';
import { type TellFills, tellFills } from '../../../../src/home/fills/tell-fills.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import { manualClock } from '../../cli/manual-clock.ts';
import { approval, order } from '../../cli/sample-events.ts';

const open = { ...order, status: 'new' as const, filled_qty: '0' };

let database: Database.Database;
let clock: ReturnType<typeof manualClock>;
let changes: Changes;
/** As the gateway has them. */
let rows: StoredProposal[];
let version: number;
let told: string[];
let looked: string[];
let problems: string[];
/** What the channel does before it has told. */
let telling: () => Promise<void>;
let running: TellFills | undefined;

beforeEach(() => {
  database = new Database(':memory:');
  clock = manualClock();
  changes = createChanges(clock);
  [rows, version, told, looked, problems] = [[], 1, [], [], []];
  telling = async () => undefined;
  running = undefined;
});
afterEach(async () => {
  await stop();
  database.close();
});

function put(id: string, result: unknown, sub = 'alice'): void {
  const row = { id, sub, kind: 'order', state: 'executed', shows: {}, updatedAt: 0, version: ++version };
  rows = [
    ...rows.filter((one) => one.id !== id),
    { ...row, subject: approval.order, result } as unknown as StoredProposal,
  ];
  changes.tell({ id, sub });
}

async function start(): Promise<void> {
  running = tellFills({
    database,
    proposals: {
      version: async () => version,
      changedSince: async (sub, since) => rows.filter((one) => one.sub === sub && one.version > since),
    },
    people: { list: () => [{ username: 'alice' }, { username: 'bob' }] as never },
    news: changes.listen('anybody'),
    lookAtOrders: async (sub) => void looked.push(sub),
    tell: async ({ user, headline }) => {
      await telling();
      told.push(`${user}: ${headline}`);
    },
    tellOrder: async ({ user, title, body }) => void told.push(`${user}: ${title}. ${body}`),
    clock,
    onError: (message) => problems.push(message),
  });
  await resting();
}
/** Everything is told, and it waits for news. */
const resting = () => clock.slept(5 * 60_000);
async function stop(): Promise<void> {
  running?.stop();
  await running?.ended();
}

const BOUGHT = 'alice: Bought 5 AAPL at $179.51';

describe('a fill', () => {
  it('is told once, whatever changes of its proposal afterwards', async () => {
    await start();
    put('pr_1', open);
    put('pr_1', order);
    await expect.poll(() => told).toEqual([BOUGHT]);
    put('pr_1', { ...order, client_order_id: 'noted-once-more' });
    put('pr_2', { ...order, id: 'order-2' }, 'bob');
    await expect.poll(() => told).toEqual([BOUGHT, 'bob: Bought 5 AAPL at $179.51']);
  });

  it('that came while nobody was there is told at the next start, and none twice', async () => {
    await start();
    put('pr_1', order);
    await expect.poll(() => told).toHaveLength(1);
    await stop();
    put('pr_2', { ...order, id: 'order-2' });
    await start();
    await expect.poll(() => told).toEqual([BOUGHT, BOUGHT]);
    await stop();
    await start();
    expect(told).toHaveLength(2);
  });

  it('from before anybody was told of any is nobody’s news', async () => {
    put('pr_1', order);
    await start();
    put('pr_2', { ...order, id: 'order-2' });
    await expect.poll(() => told).toHaveLength(1);
  });

  it('that was cut off while it was told is told at the next start', async () => {
    await start();
    let reached = false;
    telling = async () => {
      reached = true;
      throw new Error('the home closes');
    };
    put('pr_1', order);
    await expect.poll(() => reached).toBe(true);
    await stop();
    telling = async () => undefined;
    await start();
    await expect.poll(() => told).toEqual([BOUGHT]);
  });
});

it('has open orders looked at when it starts, and again after a while', async () => {
  await start();
  expect(looked).toEqual(['alice', 'bob']);
  clock.advance(5 * 60_000);
  await expect.poll(() => looked).toEqual(['alice', 'bob', 'alice', 'bob']);
  expect(problems).toEqual([]);
});
