import Database from 'better-sqlite3-multiple-ciphers';
import { beforeEach, expect, it } from 'vitest';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { startForeignWorld } from '../approval/foreign-world.ts';
import { startWorld, type World } from './support/world.ts';

const rate = { perSecond: 100, burst: 50 };
/** How long what acts is to wait, in turn; what reads is let through. */
const waits: number[] = [];
const taken = new Set<string>();
let world: World;
beforeEach(async () => {
  waits.length = 0;
  taken.clear();
  world = await startWorld({
    rates: { broker: rate },
    stores: (own) => ({
      ...own,
      buckets: {
        take: async (bucket, { burst }) => {
          taken.add(bucket);
          return burst === rate.burst ? (waits.shift() ?? 0) : 0;
        },
      },
    }),
  });
});

it('an order whose turn is too far off is not sent, and its approval stays good for it', async () => {
  const { place } = await world.approved();
  waits.push(60_000);
  const refused = await place();
  expect([refused.status, problemSchema.parse(await refused.json()).code]).toEqual([503, 'broker_busy']);
  expect(world.broker.book).toEqual([]);
  expect((await place()).status).toBe(200);
  expect(world.broker.book).toHaveLength(1);
});

it('one whose turn comes soon waits for it, in its owner’s own bucket at each host of the broker', async () => {
  waits.push(20, 20);
  expect((await world.order()).status).toBe(201);
  expect(waits).toEqual([]);
  expect(world.broker.book).toHaveLength(1);
  expect([...taken]).toEqual([`broker|broker|alice|${new URL(world.broker.url).host}`]);
});

it('the provider is asked for approvals through a bucket of its own, where one is set', async () => {
  const asked: [string, unknown][] = [];
  const stores = createSqliteGatewayStores(new Database(':memory:'));
  const buckets = {
    take: async (bucket: string, of: unknown) => {
      asked.push([bucket, of]);
      return 0;
    },
  };
  const provider = await startForeignWorld({ rates: { provider: rate }, stores: { ...stores, buckets } });
  try {
    const order = {
      symbol: 'AAPL',
      side: 'buy',
      qty: '1',
      type: 'limit',
      limit_price: '180.00',
      time_in_force: 'day',
    };
    const { status } = await provider.agent('alice', 'trade-agent').propose({ kind: 'order', order }, 'key-1');
    expect(status).toBe(201);
    await expect.poll(() => asked).toContainEqual([`provider|${new URL(provider.issuer.url).host}`, rate]);
    // Its broker is elsewhere than Alpaca, and nothing is set for it.
    expect(asked.filter(([bucket]) => !bucket.startsWith('provider|'))).toEqual([]);
  } finally {
    await provider.close();
  }
});
