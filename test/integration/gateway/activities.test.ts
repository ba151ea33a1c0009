import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activitiesSchema, tradingDaySchema } from '../../../src/trading/activity.ts';
import { startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const read = async (path: string) => {
  const response = await world.get(path, await world.reader('market:read portfolio:read'));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('/v1/calendar', () => {
  it('gives the trading days asked for, half-days with their early closing', async () => {
    const day = (date: string, close: string) => ({
      date,
      open: '09:30',
      close,
      session_open: '0400',
      session_close: '2000',
      settlement_date: date,
    });
    // One day more than asked for, on either side: a broker in another zone may read a date a day off.
    world.broker.calendar = [
      day('2026-11-24', '16:00'),
      day('2026-11-25', '16:00'),
      day('2026-11-27', '13:00'),
      day('2026-11-30', '16:00'),
    ];
    const { body } = await read('/v1/calendar?start=2026-11-25&end=2026-11-27');
    expect((body.days as unknown[]).map((one) => tradingDaySchema.parse(one))).toEqual([
      { date: '2026-11-25', open: '09:30', close: '16:00' },
      { date: '2026-11-27', open: '09:30', close: '13:00' },
    ]);
  });

  it.each([
    ['/v1/calendar', ['start', 'end']],
    ['/v1/calendar?start=2026-11-25&end=2026-11-24', ['end']],
    ['/v1/calendar?start=2026-11-25&end=2036-11-24', ['end']],
    ['/v1/calendar?start=yesterday&end=2026-11-24', ['start']],
  ])('refuses %s, naming %j', async (path, fields) => {
    const { status, body } = await read(path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_query', fields });
  });
});

describe('/v1/activities', () => {
  const cash = (number: number, more: Record<string, unknown> = {}) => ({
    id: `20260801000000000::${String(number).padStart(4, '0')}`,
    activity_type: 'CSD',
    date: '2026-08-01',
    created_at: '2026-08-01T13:00:00Z',
    net_amount: '100.5',
    status: 'executed',
    ...more,
  });

  it('tells fills, deposits, withdrawals, dividends, fees and the rest apart, and leaves out what was cancelled', async () => {
    world.broker.activities = [
      {
        id: '20260802135509981::2d7be4ff',
        activity_type: 'FILL',
        transaction_time: '2026-08-02T18:55:09.981482Z',
        type: 'fill',
        price: '174.78',
        qty: '2',
        side: 'buy',
        symbol: 'AAPL',
        leaves_qty: '0',
        order_id: 'b5abe576-6a8a-49f3-a353-46b72c1ccae9',
        cum_qty: '2',
        order_status: 'filled',
      },
      cash(1),
      cash(2, { activity_type: 'CSW', net_amount: '-50' }),
      cash(3, { activity_type: 'JNLC', net_amount: '-7' }),
      cash(4, { activity_type: 'DIV', net_amount: '1.02', symbol: 'T', qty: '2' }),
      cash(5, { activity_type: 'FEE', net_amount: '-0.01' }),
      cash(6, { activity_type: 'SPLIT', net_amount: '0', symbol: 'NVDA' }),
      cash(8, { activity_type: 'ACATS', net_amount: '0', symbol: 'KO', qty: '5', price: '60' }),
      cash(9, { activity_type: 'JNL', net_amount: '-8' }),
      cash(10, { activity_type: 'DIVWH', net_amount: '-1' }),
      cash(11, { activity_type: 'PTR', net_amount: '2' }),
      cash(12, { activity_type: 'CORR', net_amount: '3' }),
      cash(7, { status: 'canceled' }),
    ];
    const { activities, next_page } = activitiesSchema.parse((await read('/v1/activities')).body);
    expect(next_page).toBe(null);
    expect(activities.map(({ kind, amount }) => [kind, amount])).toEqual([
      ['fill', null],
      ['deposit', '100.5'],
      ['withdrawal', '-50'],
      ['withdrawal', '-7'],
      ['dividend', '1.02'],
      ['fee', '-0.01'],
      ['other', '0'],
      ['transfer', '0'],
      ['withdrawal', '-8'],
      ['fee', '-1'],
      ['fee', '2'],
      ['unknown', '3'],
    ]);
    expect(activities[0]).toMatchObject({
      symbol: 'AAPL',
      side: 'buy',
      qty: '2',
      price: '174.78',
      at: '2026-08-02T18:55:09.981Z',
    });
  });

  it('take a date without a time for that day in New York', async () => {
    world.broker.activities = [
      cash(2, { date: '2026-12-03', created_at: undefined }),
      // Booked the day after: it is of the day on which it happened.
      cash(1, { date: '2026-08-03', created_at: '2026-08-04T13:00:00Z' }),
    ];
    const { activities } = activitiesSchema.parse((await read('/v1/activities')).body);
    expect(activities.map(({ at }) => at)).toEqual(['2026-12-03T05:00:00.000Z', '2026-08-03T04:00:00.000Z']);
  });

  it('say of a correction that it is one', async () => {
    world.broker.activities = [cash(2, { status: 'correct', net_amount: '90' }), cash(1)];
    const { activities } = activitiesSchema.parse((await read('/v1/activities')).body);
    expect(activities.map(({ amount, corrects }) => [amount, corrects])).toEqual([
      ['90', ''],
      ['100.5', undefined],
    ]);
  });

  it('keep together what a split books as two rows', async () => {
    const split = { activity_type: 'SPLIT', net_amount: '0', symbol: 'NVDA', group_id: 'a-split' };
    world.broker.activities = [
      cash(1, { ...split, qty: '-10', price: '1000' }),
      cash(2, { ...split, qty: '100', price: '100' }),
    ];
    const { activities } = activitiesSchema.parse((await read('/v1/activities')).body);
    expect(activities.map(({ kind, symbol, qty, group }) => [kind, symbol, qty, group])).toEqual([
      ['other', 'NVDA', '-10', 'a-split'],
      ['other', 'NVDA', '100', 'a-split'],
    ]);
  });

  it('tell the shares that an assignment trades as a trade, and the option’s end beside it', async () => {
    const symbol = 'AAPL261218P00130000';
    world.broker.activities = [
      cash(1, { activity_type: 'OPASN', net_amount: '0', symbol, qty: '1', group_id: 'g' }),
      cash(2, { activity_type: 'OPTRD', net_amount: '-13000', symbol: 'AAPL', qty: '100', price: '130' }),
      cash(3, {
        ...{ activity_type: 'OPTRD', net_amount: '13000', symbol: 'AAPL', qty: '-100' },
        per_share_amount: '130',
      }),
    ];
    const { activities } = activitiesSchema.parse((await read('/v1/activities')).body);
    expect(activities).toMatchObject([
      { kind: 'other', type: 'OPASN', symbol, qty: '1' },
      { kind: 'fill', type: 'OPTRD', symbol: 'AAPL', side: 'buy', qty: '100', price: '130', amount: null },
      { kind: 'fill', type: 'OPTRD', side: 'sell', qty: '100', price: '130', amount: null },
    ]);
  });

  it('come a page at a time, each once', async () => {
    world.broker.activities = Array.from({ length: 230 }, (_, index) => cash(index));
    const seen: string[] = [];
    let page: string | null = '';
    for (let pages = 1; page !== null; pages++) {
      expect(pages).toBeLessThanOrEqual(3);
      const path = page === '' ? '/v1/activities' : `/v1/activities?page=${encodeURIComponent(page)}`;
      const answer = activitiesSchema.parse((await read(path)).body);
      seen.push(...answer.activities.map(({ id }) => id));
      page = answer.next_page;
    }
    expect(seen).toEqual(world.broker.activities.map(({ id }) => id));
  });

  it.each(['/v1/activities?page=a/b', '/v1/activities?after=never', '/v1/activities?type=FILL'])(
    'refuses %s',
    async (path) => {
      expect(await read(path)).toMatchObject({ status: 400, body: { code: 'invalid_query' } });
    },
  );
});
