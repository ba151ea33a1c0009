import Database from 'better-sqlite3-multiple-ciphers';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { createOrderRules } from '../../../../src/gateway/policy/order-rules.ts';
import {
  type AccountLimits,
  accountLimitsSchema,
  type CedarResult,
  type Rules,
  rulesDigest,
} from '../../../../src/gateway/policy/rules.ts';
import { RelationsUnavailableError } from '../../../../src/gateway/relations/relations.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import { currentSlot } from '../../../../src/trading/mandate/cadence.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { mandateTerms } from '../../../integration/sandbox/proposal-fixture.ts';
import { type Changes, changed, NOON, placedElsewhere, subject, world } from './sound-order.ts';

const RUNS = 1_000;
/** Sorted. */
const EVERY_REASON = `
    ACCOUNT_BLOCKED ASSET_CLASS_NOT_ALLOWED HOURS_OUTSIDE_WINDOW LOSS_EXCEEDS_MAX_PER_DAY
    MANDATE_NOTIONAL_EXCEEDS_PER_ORDER MANDATE_NOTIONAL_EXCEEDS_TOTAL MANDATE_NOT_ACTIVE
    MANDATE_SIDE_NOT_COVERED MANDATE_SYMBOL_NOT_COVERED MANDATE_TYPE_NOT_COVERED MARKET_CLOSED
    NOTIONAL_EXCEEDS_MAX_PER_DAY NOTIONAL_EXCEEDS_MAX_PER_ORDER ORDERS_EXCEED_MAX_OPEN
    ORDERS_EXCEED_MAX_PER_DAY ORDER_DUPLICATES_RECENT ORDER_NOT_TAKEN_BY_BROKER ORDER_OPPOSES_OPEN
    POLICY_CLOCK_BEHIND POLICY_FORBIDS POLICY_UNEVALUABLE POSITION_EXCEEDS_MAX_WEIGHT
    PRICE_DEVIATES_FROM_QUOTE PRICE_MOVED QUANTITY_EXCEEDS_MAX_PER_ORDER RATE_EXCEEDS_MAX_PER_MINUTE
    RELATION_DENIED RELATION_UNAVAILABLE SIDE_NOT_ALLOWED SYMBOL_DENIED SYMBOL_NOT_ALLOWED
    TRADING_HALTED TRADING_REDUCING_ONLY TYPE_NOT_ALLOWED
`
  .trim()
  .split(/\s+/);

let database: Database.Database;
let stores: GatewayStores;
beforeEach(() => {
  database = new Database(':memory:');
  stores = createSqliteGatewayStores(database);
});
afterEach(() => void database.close());

const dollars = fc.integer({ min: 1, max: 300_000 }).map((cents) => (cents / 100).toFixed(2));
const fraction = fc.integer({ min: 1, max: 500 }).map((permille) => (permille / 1000).toFixed(3));
const symbol = fc.constantFrom('AAPL', 'MSFT', 'BRK.B');
const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

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
    // Met by a limit price alone, and only where the quote is far from it.
    max_price_deviation: fc.option(fraction, { nil: undefined, freq: 2 }),
    min_seconds_between_same: maybe(fc.integer({ min: 1, max: 120 })),
    deny_opposing: maybe(fc.constant(true as const)),
    second_person_above: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: dollars }),
    symbols: maybe(fc.oneof(fc.record({ allow: fc.array(symbol) }), fc.record({ deny: fc.array(symbol) }))),
    asset_classes: maybe(fc.constantFrom(['us_equity'], ['crypto', 'us_option'])),
    sides: maybe(fc.constantFrom(['buy'], ['sell'])),
    types: maybe(fc.constantFrom(['limit'], ['market', 'limit'])),
    hours: maybe(fc.constantFrom({ from: '09:30', to: '16:00' }, { from: '00:00', to: '09:00', days: ['mon'] })),
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

const wild = fc.record({
  equity: fc.constantFrom('100000.00', '99000.00', '2000.00'),
  open: fc.constantFrom(true, true, false),
  ask: fc.constantFrom('180.01', '185.00', '0'),
  blocked: fc.constantFrom(false, false, false, true),
  elsewhere: fc.array(fc.record({ side: fc.constantFrom('buy', 'sell'), symbol }), { maxLength: 2 }),
  cedar: fc.constantFrom<CedarResult>(
    { forbidden: [] },
    { forbidden: [] },
    { forbidden: [{ reason: 'POLICY_FORBIDS', id: 'mine', message: 'not today' }] },
    { forbidden: [], error: 'it divides by nothing' },
  ),
  state: fc.constantFrom('active', 'active', 'reducing', 'halted'),
  /** What is said of who may propose and approve here; undefined where nobody can tell. */
  stands: fc.oneof(
    { weight: 18, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constantFrom(false, undefined) },
  ),
  /** Dollars of one order and of all under the mandate that it goes by; undefined where it is tapped. */
  mandate: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        max_order_notional: fc.constantFrom('5000.00', '5000.00', '200.00'),
        max_total_notional: fc.constantFrom('50000.00', '50000.00', '400.00'),
        ended: fc.constantFrom(false, false, false, true),
      }),
    },
  ),
  earlier: fc.array(
    fc.record({
      other: order,
      same: fc.boolean(),
      ago: fc.oneof(
        { weight: 60, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
        // By a clock that was far ahead.
        { weight: 1, arbitrary: fc.constant(-90_000_000) },
      ),
      over: fc.boolean(),
    }),
    {
      maxLength: 4,
    },
  ),
});

type Circumstances = typeof wild extends fc.Arbitrary<infer T> ? T : never;
/** A quiet market and nothing before: what is left to refuse are limits, a second person and a mandate. */
const calm: Partial<Circumstances> = {
  ...{ equity: '100000.00', open: true, ask: '180.01', blocked: false, elsewhere: [] },
  ...{ cedar: { forbidden: [] }, state: 'active', stands: true, earlier: [] },
};
const circumstances = fc.oneof(
  { weight: 2, arbitrary: wild },
  { weight: 1, arbitrary: wild.map((around) => ({ ...around, ...calm })) },
);

/** A mandate in force, or one that was revoked; for the week of the order. */
async function granted(
  { ended, ...bounds }: { ended: boolean; max_order_notional: string; max_total_notional: string },
  rules: Rules,
  sub: string,
  account: string,
): Promise<Changes> {
  const id = `M-${String(++mandates).padStart(10, '0')}`;
  const { max_day_notional: _, price: __, ...wide } = mandateTerms();
  const times = { not_before: '2026-11-01T00:00:00Z', expires_at: '2026-12-01T00:00:00Z' };
  const terms = { ...wide, ...times, ...bounds, mandate_id: id, account, policy: rules.digest };
  const approval = { issuer: 'https://issuer.example', jti: id };
  const mandate = { id, sub, terms, digest: 'digest', approval, client: 'trade-agent' };
  expect(await stores.mandates.grant(mandate, NOON)).toBe('granted');
  if (ended) await stores.mandates.end({ sub, id }, 'revoked', 'trade-agent', NOON);
  return { mandate: id, slot: currentSlot('weekly', NOON) };
}
let mandates = 0;

const resting = (order: { side: string; symbol: string }, number: number) =>
  placedElsewhere({ ...order, id: `elsewhere-${number}`, qty: '2', limit_price: '179.00' });

it(`an order meets the same reasons tried out, before the phone rings and in its claim: ${RUNS} orders and rules`, async () => {
  let number = 0;
  let allowed = 0;
  let mandated = 0;
  let byTwo = 0;
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
      if (around.state === 'reducing') await stores.halts.restrict(owner, 'client', undefined, NOON);
      const rules: Rules = {
        digest: rulesDigest({ version: 1, accounts: { '*': held } }, []),
        limitsOf: () => held,
        cedar: { evaluate: () => around.cedar },
      };
      const judge = createOrderRules({
        relations: {
          check: async ({ relation }) => {
            // The second person is let in by who asks them.
            if (relation === 'can_approve_second' || around.stands === true) return true;
            if (around.stands === false) return false;
            throw new RelationsUnavailableError('it took too long');
          },
        },
        rules: { current: async () => rules },
        journal: stores.orders,
        ...{
          halts: stores.halts,
          decisions: stores.decisions,
          proposals: stores.proposals,
          traits: alpacaTraits,
          clock: { now: () => NOON, monotonic: () => NOON, sleep: async () => {} },
        },
      });
      const found = {
        ...world,
        account: { ...world.account, account, equity: around.equity, trading_blocked: around.blocked },
        market: { ...world.market, is_open: around.open },
        quote: { ...world.quote, ask: around.ask },
        elsewhere: around.elsewhere.map(resting),
      };
      const under = around.mandate === undefined ? undefined : await granted(around.mandate, rules, owner, account);
      const draft = draftOf({ ...changes, ...under });
      const who = { ...subject, sub: owner, owner, approvers: [owner] };
      const membersOf = (refusal: unknown) => {
        if (!(refusal instanceof HttpProblem)) throw refusal;
        const { reasons, ...members } = refusal.options.members ?? {};
        return { code: refusal.code, reasons: reasons as string[], ...members };
      };
      const before = { approval: under === undefined ? 'none' : 'mandate', approvers: [] } as const;
      const unasked = { subject: { ...who, ...before }, draft };
      const standing = await stores.halts.current(owner, NOON);
      const tried = await judge.decision(unasked, found);
      // Trying it out leaves nothing behind.
      expect(await stores.decisions.list(owner, { limit: 1 })).toEqual([]);
      expect(await stores.halts.current(owner, NOON)).toEqual(standing);
      let needsSecond = false;
      const early = await judge.requireAllowed(unasked, found, 'proposal').then((passed) => {
        ({ needsSecond } = passed);
      }, membersOf);
      const tapped = { ...who, approvers: needsSecond ? [owner, 'second'] : [owner] };
      const { decide, refusal } = await judge.deciding(
        { subject: under === undefined ? tapped : unasked.subject, draft },
        found,
      );
      const outcome = await stores.orders.claim(claimOf(draft), NOON, decide);
      const late = outcome === 'denied' ? membersOf(refusal()) : undefined;
      expect(late).toEqual(early);
      const passes = tried.effect === 'allow' || (tried.effect === 'ask' && under === undefined);
      expect(passes ? undefined : tried.reasons).toEqual(early?.reasons);
      expect(outcome === 'claimed').toBe(early === undefined);
      if (early === undefined) allowed++;
      if (early === undefined && under !== undefined) mandated++;
      if (needsSecond) byTwo++;
      for (const reason of early?.reasons ?? []) seen.add(reason);
      // Each is in the log, once for each time that it was decided.
      const logged = await stores.decisions.list(owner, { limit: 10 });
      expect(logged.map(({ reasons }) => reasons)).toEqual(early === undefined ? [[]] : [early.reasons, early.reasons]);
    }),
    { numRuns: RUNS },
  );
  // The rules were such as refuse now and then, each of them.
  expect(allowed).toBeGreaterThan(RUNS / 100);
  expect(mandated).toBeGreaterThan(0);
  expect(byTwo).toBeGreaterThan(0);
  // Told only where nothing else stands against an order under a mandate: too rare to count on. `byTwo` is of the same rule.
  seen.delete('APPROVAL_NEEDS_SECOND');
  expect([...seen].sort()).toEqual(EVERY_REASON);
});
