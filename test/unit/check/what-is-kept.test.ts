import { describe, expect, it } from 'vitest';
import { computePortfolioFigures } from '../../../src/check/figures.ts';
import { parseRules } from '../../../src/check/load-rules.ts';
import { readSnapshot } from '../../../src/check/read-snapshot.ts';
import type { ActivityCache } from '../../../src/store/check-store.ts';
import type { GatewayClient } from '../../../src/tools/gateway/gateway-client.ts';
import type { Activity } from '../../../src/trading/activity.ts';
import { newYorkDate } from '../../../src/trading/new-york-time.ts';
import type { PriceHistory } from '../../../src/trading/portfolio/price-history.ts';
import type { Position } from '../../../src/trading/views.ts';
import { DAY_MS } from '../../../src/values/durations.ts';
import { cash, gatewayOf, position, quote, rules, snapshot, TUESDAY_NOON } from './sample-snapshot.ts';

const deposit = (id: string, daysAgo: number): Activity =>
  cash('2026-11-24', '1', { id, at: new Date(TUESDAY_NOON - daysAgo * DAY_MS).toISOString() });

/** A broker with these activities, whose every symbol closes at 100, that tells what it was asked for. */
function broker(activities: () => readonly Activity[], now: () => number) {
  const asked: string[] = [];
  const world = snapshot();
  const gateway = gatewayOf(world, {
    clock: async () => ({ ...world.clock, timestamp: new Date(now()).toISOString() }),
    calendar: async () => [...world.calendar],
    quotes: async (symbols: string[]) =>
      symbols.map((symbol) => quote(symbol, '100', { at: new Date(now()).toISOString() })),
    activities: async ({ after }: { after: number }) => {
      const days = Math.round((TUESDAY_NOON - after) / DAY_MS);
      asked.push(days > 1000 ? 'all activities' : `activities of ${days} days ago and later`);
      return activities().filter(({ at }) => Date.parse(at) >= after);
    },
    bars: async ({ start }: { start: number }) => {
      const days = Math.floor((now() - start) / DAY_MS);
      asked.push(`${days} days of bars`);
      const bar = { open: '1', high: '1', low: '1', close: '100', volume: '1' };
      return Array.from({ length: days + 1 }, (_, index) => ({
        ...bar,
        at: new Date(start + index * DAY_MS).toISOString(),
      }));
    },
  });
  return { asked, gateway };
}

function memory() {
  let kept: Awaited<ReturnType<ActivityCache['get']>>;
  const closes = new Map<string, PriceHistory>();
  return {
    closes,
    options: {
      closes: {
        get: async (symbol: string) => closes.get(symbol),
        getAll: async () => closes,
        put: async (symbol: string, history: PriceHistory) => void closes.set(symbol, history),
      },
      activities: (): ActivityCache => ({
        get: async () => kept,
        put: async (activities, wholeAt) => {
          kept = { activities, wholeAt };
        },
      }),
    },
  };
}

/** Looks at these activities, so many days after Tuesday noon; `change` changes the broker. */
async function looking(
  activities: () => readonly Activity[],
  { text = 'rules: []', change = (gateway: GatewayClient) => gateway } = {},
) {
  let days = 0;
  const now = () => TUESDAY_NOON + days * DAY_MS;
  const { asked, gateway } = broker(activities, now);
  const { closes, options } = memory();
  const file = await parseRules(text, 'rules.yaml');
  const look = (after = 0) => {
    days = after;
    return readSnapshot({ gateway: change(gateway), file, ...options, localNow: now(), suggest: false });
  };
  const ids = async (after?: number) => (await look(after)).activities?.map(({ id }) => id);
  return { asked, closes, look, ids };
}

describe('what a check reads', () => {
  it('of the activities: all of them once a week, and between that what is new', async () => {
    let all = [deposit('old', 400), deposit('late', 3)];
    const { asked, ids } = await looking(() => all);
    expect(await ids()).toEqual(['old', 'late']);
    // One corrected by the broker, one new: both within what is read again.
    all = [deposit('old', 400), deposit('corrected', 3), deposit('new', -1)];
    expect(await ids(2)).toEqual(['old', 'corrected', 'new']);
    expect(await ids(7)).toEqual(['old', 'corrected', 'new']);
    // Cancelled long after: seen when all are read again.
    all = all.slice(1);
    expect(await ids(8)).toEqual(['corrected', 'new']);
    const lately = 'activities of 5 days ago and later';
    expect(asked).toEqual(['all activities', lately, lately, 'all activities']);
  });

  it('of the activities: what is booked late, though it is dated long before', async () => {
    let all = [deposit('old', 400)];
    // The broker tells by when it was booked.
    const change = (gateway: GatewayClient) => ({ ...gateway, activities: async () => all }) as GatewayClient;
    const { ids } = await looking(() => all, { change });
    await ids();
    all = [deposit('late', 30)];
    expect(await ids(2)).toEqual(['old', 'late']);
  });

  it('of shares moved: what they were worth then, unadjusted, once', async () => {
    const moved: Activity = {
      ...deposit('moved', 40),
      ...{ kind: 'transfer', type: 'ACATS', symbol: 'KO', qty: '5', amount: '0' },
    };
    const wanted: unknown[] = [];
    const change = (gateway: GatewayClient): GatewayClient => ({
      ...gateway,
      bars: async (query) => {
        wanted.push(query.adjustment);
        return gateway.bars(query);
      },
    });
    const { asked, look } = await looking(() => [moved], { change });
    for (let time = 0; time < 2; time++) {
      const { priceOn } = await look();
      expect(String(priceOn?.('KO', newYorkDate(Date.parse(moved.at))))).toBe('100');
      expect(priceOn?.('KO', '2026-01-01')).toBe(undefined);
    }
    expect(wanted).toEqual(['raw']);
    expect(asked.filter((text) => text.endsWith('bars'))).toHaveLength(1);
  });

  it('of the activities: all of them where the clock went back', async () => {
    const { asked, look } = await looking(() => [deposit('one', 10)]);
    await look();
    await look(-1);
    expect(asked).toEqual(['all activities', 'all activities']);
  });

  it('of prices: what is new; and it keeps no more than rules look back, however long it runs', async () => {
    const text = rules('name: m, kind: move, symbols: [AAPL], by: 5%, sessions: 250');
    const { asked, closes, look } = await looking(() => [], { text });
    for (let days = 0; days < 30; days += 5) await look(days);
    expect(closes.get('AAPL')?.days).toHaveLength(260);
    const [first, ...later] = asked.filter((text) => text.endsWith('bars'));
    expect(first).toBe('400 days of bars');
    expect(later).toHaveLength(5);
    for (const text of later) expect(Number.parseInt(text, 10)).toBeLessThan(8);
  });
});

it('a split among the activities changes no figure', () => {
  const trade = (id: string, days: number, side: 'buy' | 'sell', qty: string, price: string): Activity => ({
    ...deposit(id, days),
    ...{ kind: 'fill', type: 'FILL', symbol: 'AAPL', side, qty, price, amount: null },
  });
  const split = (id: string, qty: string): Activity => ({
    ...deposit(id, 50),
    ...{ kind: 'other', type: 'SPLIT', symbol: 'AAPL', qty, amount: '0' },
  });
  const figures = (held: Position, activities: readonly Activity[]) =>
    computePortfolioFigures(
      snapshot({
        positions: [held],
        history: Array.from({ length: 100 }, (_, day) => ({
          at: TUESDAY_NOON - (100 - day) * DAY_MS,
          equity: String(9000 + ((day * 37) % 500)),
        })),
        activities,
      }),
      { sectorOf: () => undefined },
    );
  const without = figures(position('AAPL', 30, 270), [
    trade('a', 90, 'buy', '40', '300'),
    trade('b', 20, 'sell', '10', '270'),
  ]);
  const withIt = figures(position('AAPL', 90, 90), [
    trade('a', 90, 'buy', '40', '300'),
    split('s1', '-40'),
    split('s2', '120'),
    trade('b', 20, 'sell', '30', '90'),
  ]);
  expect(withIt.realized?.fifo.toFixed()).toBe('-300');
  expect(withIt.realized?.average.toFixed()).toBe('-300');
  expect(JSON.stringify(withIt)).toBe(JSON.stringify(without));
});
