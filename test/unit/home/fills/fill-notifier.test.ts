import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChangeNotifier } from '../../../../src/approval/change-notifier.ts';
import { startFillNotifier } from '../../../../src/home/fills/fill-notifier.ts';
import type { OrderNews } from '../../../../src/home/fills/order-news.ts';
import { prepareHomeDatabase } from '../../../../src/store/home/schema.ts';
import type { StoredProposal } from '../../../../src/store/proposal-store.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';
import { manualClock } from '../../cli/manual-clock.ts';
import { approval, order } from '../../cli/sample-events.ts';

const open = { ...order, status: 'new' as const, filled_qty: '0' };

let database: Database.Database;
let clock: ReturnType<typeof manualClock>;
let changes: ChangeNotifier;
/** As the gateway has them. */
let rows: StoredProposal[];
let version: number;
let told: string[];
/** The same of orders that nobody expected, whole. */
let news: OrderNews[];
let looked: string[];
let problems: string[];
/** What the channel does before it has told. */
let telling: () => Promise<void>;
let running: ReturnType<typeof startFillNotifier> | undefined;

beforeEach(() => {
  database = prepareHomeDatabase(new Database(':memory:'));
  clock = manualClock();
  changes = new ChangeNotifier(clock);
  [rows, version, told, news, looked, problems] = [[], 1, [], [], [], []];
  telling = async () => undefined;
  running = undefined;
});
afterEach(async () => {
  await stop();
  database.close();
});

function put(id: string, result: unknown, sub = 'alice', more: Partial<StoredProposal> = {}): void {
  const whose = { id, sub, kind: 'order', state: 'executed', shows: {}, updatedAt: 0, version: ++version };
  const row = { ...whose, ...more };
  rows = [
    ...rows.filter((one) => one.id !== id),
    { subject: approval.order, ...row, result } as unknown as StoredProposal,
  ];
  changes.notify({ id, sub });
}

async function start(): Promise<void> {
  running = startFillNotifier({
    database: createSqliteTransactions(database),
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
    notifyOrder: async (late) => {
      await telling();
      news.push(late);
      told.push(`${late.user}: ${late.title}`);
    },
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

describe('an order that was reported as not placed, and reached the broker later', () => {
  const text = 'The order was reported as not placed, and reached the broker later.';
  const late: Partial<StoredProposal> = { reason: { code: 'placed_late', text } };
  const LATE = 'alice: Placed late: BUY 5 AAPL';

  it('is told once, whatever changes of its proposal afterwards', async () => {
    await start();
    put('pr_1', undefined, 'alice', { state: 'expired', reason: { code: 'not_placed', text: 'no order' } });
    put('pr_1', open, 'alice', late);
    await expect.poll(() => told).toEqual([expect.stringContaining(LATE)]);
    put('pr_1', { ...open, status: 'accepted' }, 'alice', late);
    put('pr_1', order, 'alice', late);
    // It is filled in the end, which is told as of any order.
    await expect.poll(() => told).toEqual([expect.stringContaining(LATE), BOUGHT]);
  });

  it('is told with what can be done, in fields as well', async () => {
    await start();
    put('pr_1', open, 'alice', { ...late, updatedAt: Date.parse('2026-01-30T14:40:00Z') });
    await expect.poll(() => news).toHaveLength(1);
    expect(news[0]).toEqual({
      key: expect.any(String),
      user: 'alice',
      title: expect.stringContaining('Placed late: BUY 5 AAPL'),
      body: text,
      at: '2026-01-30T14:40:00.000Z',
      facts: { event: 'placed_late', account: 'PA3ALICE01', order_ids: ['order-1'], proposal: 'pr_1' },
    });
  });

  it('is told with by what it takes its mandate beyond its bounds', async () => {
    await start();
    const excess = 'Mandate M-1 was used for more than you approved: $1,616.08, not $1,200.00.';
    put('pr_1', open, 'alice', {
      reason: { code: 'placed_late', text: `${text} ${excess}`, members: { excess } },
    });
    await expect.poll(() => news).toHaveLength(1);
    expect(news[0]?.body).toContain('$1,616.08, not $1,200.00');
    expect(news[0]?.facts.excess).toBe(excess);
  });

  it('that came while nobody was there, or was cut off while it was told, is told at the next start', async () => {
    await start();
    let reached = false;
    telling = async () => {
      reached = true;
      throw new Error('the home closes');
    };
    put('pr_1', open, 'alice', late);
    await expect.poll(() => reached).toBe(true);
    await stop();
    put('pr_2', { ...open, id: 'order-2' }, 'alice', late);
    telling = async () => undefined;
    await start();
    await expect.poll(() => told).toHaveLength(2);
    await stop();
    await start();
    expect(told).toHaveLength(2);
  });

  it('of a batch is told of again where another of its orders comes', async () => {
    await start();
    const line = (n: number, outcome: 'placed' | 'refused') => ({
      ...{ client_order_id: `ta-${n}`, outcome },
      ...(outcome === 'placed' ? { order: { ...open, id: `order-${n}` } } : {}),
    });
    const batch: Partial<StoredProposal> = { ...late, kind: 'batch', subject: { orders: [] } };
    put('pr_1', { lines: [line(1, 'placed'), line(2, 'refused')] }, 'alice', batch);
    await expect.poll(() => news).toHaveLength(1);
    put('pr_1', { lines: [line(1, 'placed'), line(2, 'placed')] }, 'alice', batch);
    await expect.poll(() => news).toHaveLength(2);
    expect(news.map(({ facts }) => facts.order_ids)).toEqual([['order-1'], ['order-1', 'order-2']]);
  });

  it.each<[string, Partial<StoredProposal>]>([
    ['was carried out in time', {}],
    ['has another reason', { reason: { code: 'service_busy', text: 'later' } }],
    ['is not carried out', { state: 'expired', ...late }],
  ])('is nobody’s news where its proposal %s', async (_, changes) => {
    await start();
    put('pr_1', open, 'alice', changes);
    put('pr_2', { ...order, id: 'order-2' });
    await expect.poll(() => told).toEqual([BOUGHT]);
    expect(news).toEqual([]);
  });
});

it('has open orders looked at when it starts, and again after a while', async () => {
  await start();
  expect(looked).toEqual(['alice', 'bob']);
  clock.advance(5 * 60_000);
  await expect.poll(() => looked).toEqual(['alice', 'bob', 'alice', 'bob']);
  expect(problems).toEqual([]);
});
