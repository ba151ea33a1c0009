import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectAlpaca } from '../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalogue } from '../../../src/gateway/broker/asset-catalogue.ts';
import type { Broker } from '../../../src/gateway/broker/broker.ts';
import type { Caller } from '../../../src/gateway/door/caller.ts';
import { createOrderDesk, type OrderDesk } from '../../../src/gateway/orders/place-order.ts';
import { createOrderRules } from '../../../src/gateway/policy/order-rules.ts';
import { staticRules } from '../../../src/gateway/policy/rules.ts';
import { utcSeconds } from '../../../src/machine/clock.ts';
import { entryOf } from '../../../src/sandbox/paper-broker/entries.ts';
import { openLedger } from '../../../src/sandbox/paper-broker/ledger.ts';
import { sqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { TRADE_ORDER_TYPE, tradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { cents, Dec, price } from '../../../src/trading/decimal.ts';
import { checkOrder, normalizeOrder, type OrderDraft, sides } from '../../../src/trading/order.ts';
import { openLegs } from '../../../src/trading/order-legs.ts';
import { Refusal } from '../../../src/trading/refusal.ts';
import { isFinal } from '../../../src/trading/views.ts';
import { boundedOrder, worstCase } from '../../../src/trading/worst-case.ts';
import { startWorld, type World } from '../sandbox/paper-broker-world.ts';
import { openedAt } from './support/opened-account.ts';

/** Of each type of order. */
const PATHS = Number(process.env.WORST_CASE_PATHS ?? 250);
/**
 * The property says nothing if nothing happens, or if the market was never hostile: of each type so many paths must end in
 * a fill, and so many without a whole one. Measured over 2,000 paths each:
 *
 * | | market | limit | stop | stop-limit |
 * |---|---|---|---|---|
 * | filled, in part at least | 83 % | 56 % | 24 % | 26 % |
 * | not wholly filled | 12 % | 40 % | 72 % | 70 % |
 *
 * Chance may keep 12 % of 250 below 25 (it does in one run of seven). So paths are played until both were seen, four times
 * as many at most: there 122 are expected of the rarest, and 25 are nine standard deviations below that.
 */
const ENOUGH = PATHS / 10;
const MOST_PATHS = 4 * PATHS;
/** Ms that the paths of one type may take; more where more are asked for. */
const TIME_LIMIT = Math.max(120_000, PATHS * 500);
const GATEWAY = 'https://gateway.test';
const SYMBOL = 'AAPL';

/** The order desk before the sandbox's broker, by Alpaca's SDK, in one process. */
let paper: World;
let broker: Broker;
let desk: OrderDesk;
let account: string;
/** What the market does between the desk's last look at the price and the order's arrival at the broker. */
let ambush: (() => void) | undefined;
let paths = 0;
let database: Database.Database;
let journalDatabase: Database.Database;

/** Paths that one access token lives for: each takes some seconds of the broker's time. */
const PATHS_A_TOKEN = 50;

async function connect(): Promise<void> {
  const open = connectAlpaca({
    environment: 'paper',
    tradingUrl: paper.url,
    dataUrl: paper.url,
    simulated: true,
    timeoutMs: 10_000,
    assets: createAssetCatalogue(paper.clock.now),
    fetch: async (url, init) => {
      if (init?.method === 'POST') ambush?.();
      return paper.broker.app.fetch(new Request(String(url), init));
    },
  });
  broker = open({ accessToken: await paper.token('alice') }, () => {});
}

beforeEach(async () => {
  database = new Database(':memory:');
  journalDatabase = new Database(':memory:');
  paper = await startWorld({ database, partialFills: true, requestsPerMinute: 1e9 });
  const { clock } = paper;
  await connect();
  const { orders: journal, halts, decisions, mandates } = sqliteGatewayStores(journalDatabase);
  desk = createOrderDesk({
    ...{ journal, halts, mandates },
    rules: createOrderRules({
      ...{ journal, halts, decisions, clock },
      rules: staticRules(),
      relations: { check: async () => true },
    }),
    brokerFor: async () => openedAt(broker),
    gateway: GATEWAY,
    issuer: 'https://issuer.example',
    detailsType: TRADE_ORDER_TYPE,
    environment: 'paper',
    clock,
  });
  ({ account } = await broker.account());
  const ledger = openLedger(database);
  const id = ledger.accountOf('alice')?.id ?? '';
  ledger.enter(
    entryOf({ account_id: id, type: 'CSD', date: '2026-11-24', at: clock.now(), amount: '1000000000' }),
  );
  const held = { account_id: id, order_id: null, symbol: SYMBOL, side: 'buy', at: clock.now() } as const;
  ledger.book({ ...held, qty: '100000000', price: '0.0001' });
});
afterEach(async () => {
  await paper.close();
  database.close();
  journalDatabase.close();
});

const hostile = fc.record({
  side: fc.constantFrom(...sides),
  start: fc.oneof(
    fc.integer({ min: 500, max: 9999 }).map((ticks) => new Dec(ticks).div(10_000).toFixed()),
    fc.integer({ min: 100, max: 2000_00 }).map((ticks) => new Dec(ticks).div(100).toFixed()),
  ),
  slippage: fc.integer({ min: 1, max: 1000 }).map((parts) => new Dec(parts).div(10_000).toFixed()),
  whole: fc.integer({ min: 1, max: 40 }).map(String),
  parts: fc.integer({ min: 1, max: 40_000_000 }).map((millionths) => new Dec(millionths).div(1e6).toFixed()),
  dollars: fc.integer({ min: 100, max: 5000_00 }).map((amount) => cents(new Dec(amount).div(100))),
  sized: fc.constantFrom('whole', 'parts', 'dollars'),
  inForce: fc.constantFrom('day', 'gtc', 'ioc', 'fok'),
  /** Where limits and stops lie, of the price at the start. */
  near: fc.integer({ min: 90, max: 110 }),
  further: fc.integer({ min: 90, max: 110 }),
  /** Percent that the price goes to, step by step; the first before the order has arrived. */
  path: fc.array(
    fc.oneof(fc.constant(100), fc.integer({ min: 95, max: 105 }), fc.integer({ min: 20, max: 500 })),
    {
      minLength: 1,
      maxLength: 6,
    },
  ),
});
/** An exit is reached step by step; what jumps past both leaves nothing to be judged. */
const creeping = fc
  .record({
    chance: hostile,
    path: fc.array(fc.oneof(fc.integer({ min: 94, max: 106 }), fc.integer({ min: 60, max: 160 })), {
      minLength: 3,
      maxLength: 8,
    }),
  })
  .map(({ chance, path }) => ({ ...chance, path: [chance.path[0] ?? 100, ...path] }));
type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

const times = (amount: string, percent: number) =>
  price(Dec.max(new Dec(amount).times(percent).div(100), '0.0001'));

function draftOf(type: OrderDraft['type'], chance: Hostile, reference: string): OrderDraft {
  const sized = type === 'trailing_stop' ? 'whole' : chance.sized;
  const mayHaste = sized === 'whole' && (type === 'market' || type === 'limit');
  const draft: OrderDraft = normalizeOrder({
    account,
    environment: 'paper',
    symbol: SYMBOL,
    side: chance.side,
    ...(sized === 'dollars' ? { notional: chance.dollars } : { qty: chance[sized] }),
    type,
    time_in_force: mayHaste || (sized === 'whole' && chance.inForce === 'gtc') ? chance.inForce : 'day',
    extended_hours: false,
    ...(type.startsWith('stop') ? { stop_price: times(chance.start, chance.near) } : {}),
    ...(type.endsWith('limit') ? { limit_price: times(chance.start, chance.further) } : {}),
    ...(type === 'trailing_stop' ? { trail_percent: '2' } : {}),
    reference_price: reference,
    max_slippage: chance.slippage,
    client_order_id: `ta-${randomUUID()}`,
    expires_at: utcSeconds(paper.clock.now() + 240_000),
  });
  checkOrder(draft);
  return draft;
}

const approvalOf = (draft: OrderDraft) =>
  ({
    sub: 'alice',
    clientId: 'agent',
    jti: draft.client_order_id,
    authorizationDetails: [tradeOrderDetails(draft, { gateway: GATEWAY })],
  }) as unknown as Caller;

const withExits = {
  bracket: ['take_profit_limit_price', 'stop_loss_stop_price'],
  'oto with a stop loss': ['stop_loss_stop_price'],
  'oto with a take profit': ['take_profit_limit_price'],
  oco: ['take_profit_limit_price', 'stop_loss_stop_price'],
} as const;

const has = (kind: keyof typeof withExits, exit: string) => withExits[kind].some((field) => field === exit);

/** Exits around the entry, or around the price now, some of them with a limit of their own below the stop. */
function draftWithExits(kind: keyof typeof withExits, chance: Hostile, reference: string): OrderDraft {
  const order_class = kind === 'bracket' || kind === 'oco' ? kind : 'oto';
  const held = kind === 'oco';
  const type = held || chance.sized !== 'whole' ? 'limit' : 'market';
  const { limit_price, ...plain } = draftOf(type, { ...chance, sized: 'whole', inForce: 'gtc' }, reference);
  const entry = { ...plain, ...(held || limit_price === undefined ? {} : { limit_price }) };
  const dearest = held ? reference : (boundedOrder(entry).limit_price ?? reference);
  const cheapest = Dec.min(dearest, reference).toFixed();
  const stop = Dec.max(times(cheapest, 88 + (chance.near % 11)), '0.0002').toFixed();
  const exits = {
    take_profit_limit_price: price(
      Dec.max(times(dearest, 100 + (chance.further % 20)), new Dec(dearest).plus('0.01')),
    ),
    stop_loss_stop_price: price(stop),
  };
  const draft = normalizeOrder({
    ...entry,
    side: held ? 'sell' : 'buy',
    order_class,
    ...Object.fromEntries(withExits[kind].map((field) => [field, exits[field]])),
    ...(chance.sized === 'parts' && has(kind, 'stop_loss_stop_price')
      ? { stop_loss_limit_price: times(stop, 95) }
      : {}),
  });
  checkOrder(draft);
  return draft;
}

interface Fill {
  readonly qty: string;
  readonly price: string;
  readonly amount: string;
}

interface Outcome {
  readonly draft: OrderDraft;
  readonly whole: boolean;
  readonly fills: readonly Fill[];
  /** Of each leg that came with it. */
  readonly legs: readonly { readonly isStop: boolean; readonly fills: readonly Fill[] }[];
}

const fillsOf = (orderId: string) =>
  database
    .prepare<[string], Fill>('SELECT qty, price, amount FROM broker_fills WHERE order_id = ?')
    .all(orderId);

/** Approved at a quiet price; from then on the market does its worst. Undefined where the broker refuses it. */
async function trade(
  chance: Hostile,
  made: (chance: Hostile, reference: string) => OrderDraft,
): Promise<Outcome | undefined> {
  const { market, clock } = paper;
  paths += 1;
  if (paths % PATHS_A_TOKEN === 0) await connect();
  market.setPrice(SYMBOL, price(chance.start));
  const quote = market.quote(SYMBOL);
  const draft = made(chance, (chance.side === 'buy' ? quote?.ask : quote?.bid) ?? '');
  let now = chance.start;
  const move = (percent: number) => {
    now = times(now, percent);
    market.setPrice(SYMBOL, price(Dec.min(now, '100000')));
  };
  const [first = 100, ...rest] = chance.path;
  ambush = () => move(first);
  try {
    const { order } = await desk.place(approvalOf(draft), draft);
    ambush = undefined;
    for (const percent of rest) {
      move(percent);
      await clock.advance(3000);
      paper.broker.settle();
    }
    const after = await broker.order(order.id);
    if (after === undefined) throw new Error('the broker lost an order');
    if (!isFinal(after.status)) await broker.cancel(order.id);
    for (const leg of openLegs(after).slice(0, isFinal(after.status) ? 1 : 0)) await broker.cancel(leg.id);
    return {
      draft,
      whole: after.status === 'filled',
      fills: fillsOf(order.id),
      legs: (after.legs ?? []).map(({ id, stop_price }) => ({
        isStop: stop_price !== null,
        fills: fillsOf(id),
      })),
    };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'broker_rejected') throw error;
    return undefined;
  } finally {
    ambush = undefined;
  }
}

describe('whatever the market does after an order was approved', () => {
  it.each(['market', 'limit', 'stop', 'stop_limit'] as const)(
    'a %s order never costs more nor brings less than its worst case',
    async (type) => {
      let filled = 0;
      let heldBack = 0;
      const property = fc.asyncProperty(hostile, async (chance) => {
        const outcome = await trade(chance, (drawn, reference) => draftOf(type, drawn, reference));
        if (outcome === undefined) return;
        const { draft, fills, whole } = outcome;
        const worst = worstCase(draft);
        const bound = worst.price;
        const value = fills.reduce((sum, fill) => sum.plus(new Dec(fill.qty).times(fill.price)), new Dec(0));
        const booked = fills.reduce((sum, fill) => sum.plus(fill.amount), new Dec(0));
        const cash = new Dec(worst.cash ?? 'none');
        // Each part is booked to the cent by itself.
        const rounding = new Dec('0.01').times(Math.max(fills.length - 1, 0));
        for (const fill of fills) {
          // A purchase by amount: the dollars bound it, at any price.
          if (bound === null) continue;
          const within =
            draft.side === 'buy' ? new Dec(fill.price).lte(bound) : new Dec(fill.price).gte(bound);
          expect(within, `${fill.price} is beyond ${bound}`).toBe(true);
        }
        if (draft.side === 'buy') {
          expect(value.lte(cash)).toBe(true);
          expect(booked.lte(cash.plus(rounding))).toBe(true);
        } else if (whole) {
          expect(booked.gte(cash.minus(rounding))).toBe(true);
        }
        if (draft.side === 'sell' && draft.notional !== undefined && bound !== null) {
          const sold = fills.reduce((sum, fill) => sum.plus(fill.qty), new Dec(0));
          expect(sold.lte(new Dec(draft.notional).div(bound))).toBe(true);
        }
        filled += fills.length === 0 ? 0 : 1;
        heldBack += whole ? 0 : 1;
      });
      const isEnough = () => filled >= ENOUGH && heldBack >= ENOUGH;
      for (let played = 0; played < PATHS || (played < MOST_PATHS && !isEnough()); played += PATHS) {
        await fc.assert(property, { numRuns: PATHS });
      }
      expect(filled).toBeGreaterThanOrEqual(ENOUGH);
      expect(heldBack).toBeGreaterThanOrEqual(ENOUGH);
    },
    TIME_LIMIT,
  );

  it.each(Object.keys(withExits) as (keyof typeof withExits)[])(
    'no leg of %s goes beyond what was approved, and no more is sold than there is',
    async (kind) => {
      const side = kind === 'oco' ? 'sell' : 'buy';
      const stops = has(kind, 'stop_loss_stop_price');
      const seen = { entered: 0, profits: 0, stops: 0 };
      const property = fc.asyncProperty(creeping, async (drawn) => {
        const chance = { ...drawn, side } as const;
        const outcome = await trade(chance, (one, reference) => draftWithExits(kind, one, reference));
        if (outcome === undefined) return;
        const { draft, fills, legs } = outcome;
        const worst = worstCase(draft);
        const { stop_loss_limit_price: least = 'none', take_profit_limit_price: profit = 'none' } =
          boundedOrder(draft);
        const entry = kind === 'oco' ? [] : fills;
        const exits = [...(kind === 'oco' ? [{ isStop: false, fills }] : []), ...legs];
        for (const fill of entry) expect(new Dec(fill.price).lte(worst.price ?? '0')).toBe(true);
        for (const { isStop, fills: sold } of exits) {
          for (const fill of sold) expect(new Dec(fill.price).gte(isStop ? least : profit)).toBe(true);
        }
        const sums = (all: readonly Fill[], of: (fill: Fill) => Dec) => Dec.sum(0, ...all.map(of));
        const value = ({ qty, price: at }: Fill) => new Dec(qty).times(at);
        const sales = exits.flatMap((exit) => exit.fills);
        const bought = sums(entry, ({ qty }) => new Dec(qty));
        const sold = sums(sales, ({ qty }) => new Dec(qty));
        expect(sold.lte(kind === 'oco' ? (draft.qty ?? 0) : bought)).toBe(true);
        const cash = new Dec(worst.cash ?? 'none');
        if (kind === 'oco') {
          if (sold.eq(draft.qty ?? 0)) expect(sums(sales, value).gte(cash)).toBe(true);
        } else {
          expect(sums(entry, value).lte(cash)).toBe(true);
          // What the person was told that the whole can lose, where its exits were traded.
          const lost = /loses at most \$([\d,.]+)/.exec(worst.text)?.[1]?.replaceAll(',', '');
          expect(lost ?? 'Nothing stops a loss').toMatch(stops ? /^[\d.]+$/ : /^Nothing/);
          if (lost !== undefined && sold.gt(0) && sold.eq(bought)) {
            expect(sums(entry, value).minus(sums(sales, value)).lte(lost)).toBe(true);
          }
        }
        seen.entered += entry.length === 0 && sales.length === 0 ? 0 : 1;
        seen.profits += exits.some(({ isStop, fills: all }) => !isStop && all.length > 0) ? 1 : 0;
        seen.stops += exits.some(({ isStop, fills: all }) => isStop && all.length > 0) ? 1 : 0;
      });
      // Each path is longer than one of an order of one part: half as many of them.
      const some = Math.ceil(PATHS / 2);
      const few = some / 50;
      const wanted = { stops: stops ? few : 0, profits: has(kind, 'take_profit_limit_price') ? few : 0 };
      const isEnough = () =>
        seen.entered >= some / 10 && seen.stops >= wanted.stops && seen.profits >= wanted.profits;
      for (let played = 0; played < some || (played < MOST_PATHS && !isEnough()); played += some) {
        await fc.assert(property, { numRuns: some });
      }
      expect(seen.entered).toBeGreaterThanOrEqual(some / 10);
      expect(seen.stops).toBeGreaterThanOrEqual(wanted.stops);
      expect(seen.profits).toBeGreaterThanOrEqual(wanted.profits);
    },
    TIME_LIMIT,
  );

  it(
    'a trailing stop says that nothing bounds it, and it trades at any price',
    async () => {
      let beyond = 0;
      await fc.assert(
        fc.asyncProperty(hostile, async (chance) => {
          const outcome = await trade(chance, (drawn, reference) =>
            draftOf('trailing_stop', drawn, reference),
          );
          if (outcome === undefined) return;
          const { draft, fills } = outcome;
          expect(worstCase(draft)).toMatchObject({
            cash: null,
            price: null,
            text: expect.stringMatching(/^Nothing/),
          });
          const reference = new Dec(draft.reference_price);
          beyond += fills.some(({ price: at }) => reference.minus(at).abs().gt(reference.times('0.5')))
            ? 1
            : 0;
        }),
        { numRuns: PATHS },
      );
      expect(beyond).toBeGreaterThan(0);
    },
    TIME_LIMIT,
  );
});
