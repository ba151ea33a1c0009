import Database from 'better-sqlite3-multiple-ciphers';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { type AccountLimits, accountLimitsSchema } from '../../../../src/gateway/policy/limits.ts';
import { createOrderRules } from '../../../../src/gateway/policy/order-rules.ts';
import { type CedarAnswer, type Rules, rulesDigest } from '../../../../src/gateway/policy/rules.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import { Refusal } from '../../../../src/trading/refusal.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { type Changes, changed, NOON, subject, world } from './sound-order.ts';

const RUNS = 1_000;

let database: Database.Database;
let stores: GatewayStores;
beforeEach(() => {
  database = new Database(':memory:');
  stores = sqliteGatewayStores(database);
});
afterEach(() => void database.close());

const dollars = fc.integer({ min: 1, max: 300_000 }).map((cents) => (cents / 100).toFixed(2));
const fraction = fc.integer({ min: 1, max: 500 }).map((permille) => (permille / 1000).toFixed(3));
const symbol = fc.constantFrom('AAPL', 'MSFT', 'BRK.B');
const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const limits: fc.Arbitrary<AccountLimits> = fc
  .record({
    max_order_notional: maybe(dollars),
    max_order_qty: maybe(fc.integer({ min: 1, max: 20 }).map(String)),
    max_day_notional: maybe(dollars),
    max_day_orders: maybe(fc.integer({ min: 1, max: 6 })),
    max_orders_per_minute: maybe(fc.integer({ min: 1, max: 4 })),
    max_open_orders: maybe(fc.integer({ min: 1, max: 4 })),
    max_day_loss: maybe(dollars),
    max_position_weight: maybe(fraction),
    max_price_deviation: maybe(fraction),
    min_seconds_between_same: maybe(fc.integer({ min: 1, max: 120 })),
    deny_opposing: maybe(fc.constant(true as const)),
    symbols: maybe(fc.oneof(fc.record({ allow: fc.array(symbol) }), fc.record({ deny: fc.array(symbol) }))),
    sides: maybe(fc.constantFrom(['buy'], ['sell'])),
    types: maybe(fc.constantFrom(['limit'], ['market', 'limit'])),
    hours: maybe(
      fc.constantFrom({ from: '09:30', to: '16:00' }, { from: '00:00', to: '09:00', days: ['mon'] }),
    ),
  })
  .map((made) => accountLimitsSchema.parse(JSON.parse(JSON.stringify(made))));

const order: fc.Arbitrary<Changes> = fc.oneof(
  fc
    .record({ side: fc.constantFrom('buy', 'sell'), qty: fc.constantFrom('1', '5', '7.5', '12'), symbol })
    .chain((what) =>
      fc.constantFrom<Changes>(
        { ...what, limit_price: '180.00' },
        { ...what, limit_price: '201.00' },
        { ...what, limit_price: '150.00' },
        { ...what, type: 'market', limit_price: undefined },
        { ...what, type: 'stop', limit_price: undefined, stop_price: '190.00' },
        { ...what, type: 'trailing_stop', limit_price: undefined, trail_percent: '5' },
      ),
    ),
  dollars.map((notional) => ({ type: 'market', limit_price: undefined, qty: undefined, notional }) as const),
);

const circumstances = fc.record({
  equity: fc.constantFrom('100000.00', '99000.00', '2000.00'),
  open: fc.constantFrom(true, true, false),
  ask: fc.constantFrom('180.01', '185.00', '0'),
  blocked: fc.constantFrom(false, false, false, true),
  elsewhere: fc.array(fc.record({ side: fc.constantFrom('buy', 'sell'), symbol }), { maxLength: 2 }),
  cedar: fc.constantFrom<CedarAnswer>(
    { forbidden: [] },
    { forbidden: [] },
    { forbidden: [{ reason: 'POLICY_FORBIDS', id: 'mine', message: 'not today' }] },
    { forbidden: [], error: 'it divides by nothing' },
  ),
  state: fc.constantFrom('active', 'active', 'reducing', 'halted'),
  earlier: fc.array(
    fc.record({
      other: order,
      same: fc.boolean(),
      ago: fc.integer({ min: 0, max: 100_000 }),
      over: fc.boolean(),
    }),
    {
      maxLength: 4,
    },
  ),
});

const resting = ({ side, symbol: of }: { side: string; symbol: string }, number: number) =>
  ({
    ...{ id: `elsewhere-${number}`, client_order_id: 'by hand', symbol: of, side, type: 'limit', qty: '2' },
    ...{ notional: null, limit_price: '179.00', stop_price: null, filled_qty: '0', status: 'new' },
  }) as Order;

it(`an order meets the same reasons tried out, before the phone rings and in its claim: ${RUNS} orders and rules`, async () => {
  let number = 0;
  let allowed = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(limits, order, circumstances, async (held, changes, around) => {
      const account = `PA3ALICE${++number}`;
      const owner = `alice-${number}`;
      const draftOf = (more: Changes) =>
        changed({ ...more, account, client_order_id: `ta-${String(++number).padStart(8, '0')}` });
      const claimOf = (draft: OrderDraft) => ({
        ...{ sub: owner, clientOrderId: draft.client_order_id, digest: 'digest', draft },
        approval: { issuer: 'https://issuer.example', jti: draft.client_order_id },
      });
      for (const { other, same, ago, over } of around.earlier) {
        const claim = claimOf(draftOf(same ? changes : other));
        await stores.orders.claim(claim, NOON - ago);
        const filled = { id: claim.clientOrderId, status: over ? 'filled' : 'new', filled_qty: '0' };
        if (ago > 50_000) await stores.orders.place(claim, filled as Order, NOON - ago);
      }
      if (around.state === 'halted') await stores.halts.halt(owner, 'client', NOON);
      if (around.state === 'reducing') await stores.halts.reduce(owner, 'client', undefined, NOON);
      const rules: Rules = {
        digest: rulesDigest({ version: 1, accounts: { '*': held } }, []),
        limitsOf: () => held,
        cedar: { evaluate: () => around.cedar },
      };
      const judge = createOrderRules({
        relations: { check: async () => true },
        rules: { current: async () => rules },
        journal: stores.orders,
        ...{
          halts: stores.halts,
          decisions: stores.decisions,
          traits: alpacaTraits,
          clock: { now: () => NOON, sleep: async () => {} },
        },
      });
      const found = {
        ...world,
        account: { ...world.account, account, equity: around.equity, trading_blocked: around.blocked },
        market: { ...world.market, is_open: around.open },
        quote: { ...world.quote, ask: around.ask },
        elsewhere: around.elsewhere.map(resting),
      };
      const draft = draftOf(changes);
      const who = { ...subject, sub: owner, owner };
      const membersOf = (refusal: unknown) => {
        if (!(refusal instanceof Refusal)) throw refusal;
        const { reasons, ...members } = refusal.options.members ?? {};
        return { code: refusal.code, reasons: reasons as string[], ...members };
      };
      const unasked = { subject: { ...who, approval: 'none', approvers: [] }, draft } as const;
      const standing = await stores.halts.standing(owner, NOON);
      const tried = await judge.decision(unasked, found);
      // Trying it out leaves nothing behind.
      expect(await stores.decisions.list(owner, { limit: 1 })).toEqual([]);
      expect(await stores.halts.standing(owner, NOON)).toEqual(standing);
      const early = await judge.requireAllowed(unasked, found, 'proposal').then(() => undefined, membersOf);
      const { decide, refusal } = await judge.deciding({ subject: who, draft }, found);
      const outcome = await stores.orders.claim(claimOf(draft), NOON, decide);
      const late = outcome === 'denied' ? membersOf(refusal()) : undefined;
      expect(late).toEqual(early);
      expect(tried.effect === 'deny' ? tried.reasons : undefined).toEqual(early?.reasons);
      expect(outcome === 'claimed').toBe(early === undefined);
      if (early === undefined) allowed++;
      for (const reason of early?.reasons ?? []) seen.add(reason);
      // Each is in the log, once for each time that it was decided.
      const logged = await stores.decisions.list(owner, { limit: 10 });
      expect(logged.map(({ reasons }) => reasons)).toEqual(
        early === undefined ? [[]] : [early.reasons, early.reasons],
      );
    }),
    { numRuns: RUNS },
  );
  // The rules were such as refuse now and then, each of them.
  expect(allowed).toBeGreaterThan(RUNS / 100);
  expect([...seen].sort()).toEqual(
    [
      ...['ACCOUNT_BLOCKED', 'HOURS_OUTSIDE_WINDOW', 'LOSS_EXCEEDS_MAX_PER_DAY', 'MARKET_CLOSED'],
      ...['NOTIONAL_EXCEEDS_MAX_PER_DAY', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER', 'ORDERS_EXCEED_MAX_OPEN'],
      ...[
        'ORDERS_EXCEED_MAX_PER_DAY',
        'ORDER_DUPLICATES_RECENT',
        'ORDER_NOT_TAKEN_BY_BROKER',
        'ORDER_OPPOSES_OPEN',
        'POLICY_FORBIDS',
      ],
      ...['POLICY_UNEVALUABLE', 'POSITION_EXCEEDS_MAX_WEIGHT', 'PRICE_DEVIATES_FROM_QUOTE', 'PRICE_MOVED'],
      ...['QUANTITY_EXCEEDS_MAX_PER_ORDER', 'RATE_EXCEEDS_MAX_PER_MINUTE', 'SIDE_NOT_ALLOWED'],
      ...[
        'SYMBOL_DENIED',
        'SYMBOL_NOT_ALLOWED',
        'TRADING_HALTED',
        'TRADING_REDUCING_ONLY',
        'TYPE_NOT_ALLOWED',
      ],
    ].sort(),
  );
});
