import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
import { assetClassOf, optionOf, ticksOf, unitsOf } from '../../../src/trading/asset-class.ts';
import { cents, Dec, price } from '../../../src/trading/decimal.ts';
import { securedBy } from '../../../src/trading/option-cover.ts';
import { checkOrder, normalizeOrder, type OrderDraft } from '../../../src/trading/order.ts';
import { Refusal } from '../../../src/trading/refusal.ts';
import { isFinal } from '../../../src/trading/views.ts';
import { worstCase } from '../../../src/trading/worst-case.ts';
import { ADMIN_SECRET, KEYS, startWorld, type World } from '../sandbox/paper-broker-world.ts';
import { openedAt } from './support/opened-account.ts';

/*
 * As worst-case.test.ts, of coins and of options: whatever their market does once an order was approved, it costs no more
 * and brings no less than the card said, and no option is sold that its account could not bear.
 */

/** Of each class. */
const PATHS = Number(process.env.WORST_CASE_PATHS ?? 60);
/** So many must end in a fill, and so many without a whole one, or nothing was shown. */
const ENOUGH = PATHS / 10;
/** Ms that the paths of one class may take; more where more are asked for. */
const TIME_LIMIT = Math.max(120_000, PATHS * 500);
const GATEWAY = 'https://gateway.test';
const COIN = 'ETH/USD';
const CALL = 'AAPL261218C00230000';
const PUT = 'AAPL261218P00230000';
/** What is behind the puts and calls of a path: more of them are refused. */
const SHARES = '300';
const CASH = '50000';

let paper: World;
let broker: Broker;
let desk: OrderDesk;
let account: string;
let ambush: (() => Promise<void>) | undefined;
let database: Database.Database;
let journalDatabase: Database.Database;

async function openWorld(): Promise<void> {
  database = new Database(':memory:');
  journalDatabase = new Database(':memory:');
  paper = await startWorld({ database, partialFills: true, requestsPerMinute: 1e9 });
  const { clock } = paper;
  const open = connectAlpaca({
    ...{
      environment: 'paper',
      tradingUrl: paper.url,
      dataUrl: paper.url,
      simulated: true,
      timeoutMs: 10_000,
    },
    assets: createAssetCatalogue(clock.now),
    fetch: async (url, init) => {
      if (init?.method === 'POST') await ambush?.();
      return paper.broker.app.fetch(new Request(String(url), init));
    },
  });
  broker = open(KEYS.alice, () => {});
  const { orders: journal, halts, decisions, mandates } = sqliteGatewayStores(journalDatabase);
  desk = createOrderDesk({
    ...{ journal, halts, mandates, clock },
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
  });
  ({ account } = await broker.account());
  const ledger = openLedger(database);
  const id = ledger.accountOf('alice')?.id ?? '';
  const missing = new Dec(CASH).minus(ledger.accountOf('alice')?.cash ?? 0).toFixed(2);
  const at = clock.now();
  ledger.enter(entryOf({ account_id: id, type: 'CSD', date: '2026-11-24', at, amount: missing }));
  const own = { account_id: id, order_id: null, side: 'buy', at } as const;
  ledger.book({ ...own, symbol: 'AAPL', qty: new Dec(SHARES).minus(40).toFixed(), price: '0.0001' });
  ledger.book({ ...own, symbol: COIN, qty: '100', price: '0.0001' });
}
async function closeWorld(): Promise<void> {
  await paper.close();
  database.close();
  journalDatabase.close();
}

const hostile = fc.record({
  /** Cents of the coin, or of the share that the option is on. */
  start: fc.integer({ min: 1_00, max: 4000_00 }).map((ticks) => new Dec(ticks).div(100).toFixed(2)),
  side: fc.constantFrom('buy', 'sell'),
  put: fc.boolean(),
  /** A coin's stop has a limit always. */
  type: fc.constantFrom('market', 'limit', 'stop', 'stop_limit'),
  slippage: fc.integer({ min: 1, max: 1000 }).map((parts) => new Dec(parts).div(10_000).toFixed()),
  coins: fc.integer({ min: 1, max: 900_000_000 }).map((parts) => new Dec(parts).div(1e8).toFixed()),
  dollars: fc.integer({ min: 10_00, max: 5000_00 }).map((amount) => cents(new Dec(amount).div(100))),
  byAmount: fc.boolean(),
  contracts: fc.integer({ min: 1, max: 4 }).map(String),
  haste: fc.boolean(),
  near: fc.integer({ min: 90, max: 110 }),
  further: fc.integer({ min: 90, max: 110 }),
  path: fc.array(fc.oneof(fc.integer({ min: 97, max: 103 }), fc.integer({ min: 40, max: 250 })), {
    minLength: 1,
    maxLength: 5,
  }),
});
type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

async function setPrice(symbol: string, to: string): Promise<void> {
  const answer = await paper.broker.app.fetch(
    new Request(`${paper.url}/admin/prices/${encodeURIComponent(symbol)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ price: to }),
    }),
  );
  if (!answer.ok) throw new Error(await answer.text());
}

async function draftOf(symbol: string, chance: Hostile): Promise<OrderDraft> {
  const [quote] = await broker.quotes([symbol]);
  if (quote === undefined) throw new Error('there is no price');
  const { side, near, further } = chance;
  const ticks = ticksOf(symbol);
  const around = (percent: number) =>
    price(Dec.max(new Dec(quote.last).times(percent).div(100), '0.01'), ticks);
  const isOption = assetClassOf(symbol) === 'us_option';
  const type = chance.type === 'stop' && !isOption ? 'stop_limit' : chance.type;
  // A sale for an amount is proposed as the coins that are worth it.
  const byAmount = !isOption && chance.byAmount && side === 'buy';
  const draft = normalizeOrder<OrderDraft>({
    ...{ account, environment: 'paper', symbol, side, type, extended_hours: false },
    ...(byAmount ? { notional: chance.dollars } : { qty: isOption ? chance.contracts : chance.coins }),
    time_in_force: isOption
      ? chance.haste
        ? 'day'
        : 'gtc'
      : chance.haste && type !== 'stop_limit'
        ? 'ioc'
        : 'gtc',
    ...(type.startsWith('stop') ? { stop_price: around(near) } : {}),
    ...(type.endsWith('limit') ? { limit_price: around(further) } : {}),
    ...(isOption ? { position_intent: `${side}_to_open` as const } : {}),
    reference_price: side === 'buy' ? quote.ask : quote.bid,
    max_slippage: chance.slippage,
    client_order_id: `ta-${randomUUID()}`,
    expires_at: utcSeconds(paper.clock.now() + 240_000),
  });
  checkOrder(draft);
  return draft;
}

interface Outcome {
  readonly draft: OrderDraft;
  readonly whole: boolean;
  readonly fills: readonly { qty: string; price: string; amount: string }[];
}

/** Approved at a quiet price; from then on the market does its worst. A refusal where it is none. */
async function trade(symbol: string, chance: Hostile): Promise<Outcome | Refusal> {
  const moved = optionOf(symbol)?.underlying ?? symbol;
  let now = chance.start;
  await setPrice(moved, now);
  const draft = await draftOf(symbol, chance);
  const move = async (percent: number) => {
    now = price(Dec.min(Dec.max(new Dec(now).times(percent).div(100), '0.05'), '100000').toFixed(2));
    await setPrice(moved, now);
  };
  const [first = 100, ...rest] = chance.path;
  ambush = () => move(first);
  try {
    const approved = {
      ...{ sub: 'alice', clientId: 'agent', jti: draft.client_order_id },
      authorizationDetails: [tradeOrderDetails(draft, { gateway: GATEWAY })],
    } as unknown as Caller;
    const { order } = await desk.place(approved, draft);
    ambush = undefined;
    for (const percent of rest) {
      await move(percent);
      await paper.clock.advance(3000);
      paper.broker.settle();
    }
    const after = await broker.order(order.id);
    if (after === undefined) throw new Error('the broker lost an order');
    if (!isFinal(after.status)) await broker.cancel(order.id);
    const fills = database
      .prepare<[string], Outcome['fills'][number]>(
        'SELECT qty, price, amount FROM broker_fills WHERE order_id = ?',
      )
      .all(order.id);
    return { draft, whole: after.status === 'filled', fills };
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  } finally {
    ambush = undefined;
  }
}

/** Of the fills, against what the card said. */
function within({ draft, fills, whole }: Outcome): void {
  const worst = worstCase(draft);
  const units = unitsOf(draft.symbol);
  const value = fills.reduce(
    (sum, fill) => sum.plus(new Dec(fill.qty).times(units).times(fill.price)),
    new Dec(0),
  );
  const booked = fills.reduce((sum, fill) => sum.plus(fill.amount), new Dec(0));
  const rounding = new Dec('0.01').times(fills.length);
  const buys = draft.side === 'buy';
  // What is booked is what it traded at: a hundred shares a contract.
  expect(booked.minus(value).abs().lte(rounding), `${booked} booked of ${value}`).toBe(true);
  for (const fill of fills) {
    if (worst.price === null) continue;
    const isWithin = buys ? new Dec(fill.price).lte(worst.price) : new Dec(fill.price).gte(worst.price);
    expect(isWithin, `${fill.price} is beyond ${worst.price}`).toBe(true);
  }
  const cash = new Dec(worst.cash ?? 'none');
  if (buys) expect(value.lte(cash), `${value} of ${cash}`).toBe(true);
  else if (whole) expect(booked.gte(cash.minus(rounding))).toBe(true);
}

describe.each([
  ['a coin', () => COIN],
  ['an option', ({ put }: Hostile) => (put ? PUT : CALL)],
])('whatever the market does after an order was approved, %s', (_, symbolOf) => {
  beforeAll(openWorld);
  afterAll(closeWorld);

  it(
    'never costs more nor brings less than its worst case, nor takes what is not there',
    async () => {
      const seen = { filled: 0, heldBack: 0 };
      await fc.assert(
        fc.asyncProperty(hostile, async (chance) => {
          const outcome = await trade(symbolOf(chance), chance);
          if (outcome instanceof Refusal) return;
          within(outcome);
          seen.filled += outcome.fills.length === 0 ? 0 : 1;
          seen.heldBack += outcome.whole ? 0 : 1;
          const positions = await broker.positions();
          const short = (symbol: string) =>
            positions.find((one) => one.symbol === symbol && one.side === 'short')?.qty.replace('-', '') ??
            '0';
          const held = positions.find(({ symbol }) => symbol === 'AAPL')?.qty ?? '0';
          expect(new Dec(short(CALL)).times(100).lte(held), 'calls without their shares').toBe(true);
          const { cash } = await broker.account();
          expect(securedBy(PUT, short(PUT)).lte(new Dec(cash)), 'puts without their cash').toBe(true);
          // What was opened is out of the way of the next.
          await clearOptions();
        }),
        { numRuns: PATHS },
      );
      expect(seen.filled).toBeGreaterThanOrEqual(ENOUGH);
      expect(seen.heldBack).toBeGreaterThanOrEqual(ENOUGH);
    },
    TIME_LIMIT,
  );
});

/** Closes every option position by the books, at nothing. */
async function clearOptions(): Promise<void> {
  const ledger = openLedger(database);
  const id = ledger.accountOf('alice')?.id ?? '';
  for (const { symbol, side, qty } of await broker.positions()) {
    if (assetClassOf(symbol) !== 'us_option') continue;
    const own = { account_id: id, order_id: null, symbol, at: paper.clock.now(), price: '0.01' };
    const size = new Dec(qty).abs().toFixed();
    ledger.book({ ...own, side: side === 'short' ? 'buy' : 'sell', qty: size });
  }
}
