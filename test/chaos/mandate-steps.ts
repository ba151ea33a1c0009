import fc from 'fast-check';
import type { MandateRequestInput } from '../../src/trading/mandate/envelope.ts';
import { legs } from './network.ts';
import {
  bodies,
  faultOf,
  type History,
  haltBegun,
  made,
  overslept,
  pick,
  points,
  type Step,
  storeAway,
  tap,
  wait,
} from './steps.ts';
import type { WorldOptions } from './world.ts';

type Terms = Omit<MandateRequestInput, 'expires_at' | 'replaces'> & { readonly lasts: number };

const both = { symbols: ['AAPL', 'MSFT'], sides: ['buy', 'sell'] } satisfies Partial<MandateRequestInput>;

/** What mandates are asked for; `lasts` seconds. So small that histories come to each of their bounds. */
export const mandateTerms: readonly Terms[] = [
  {
    ...both,
    cadence: 'daily',
    max_order_notional: '420',
    max_day_notional: '700',
    max_total_notional: '1500',
    max_orders: 6,
    lasts: 20 * 86_400,
  },
  {
    symbols: ['AAPL'],
    cadence: 'on_demand',
    max_order_notional: '200',
    max_day_notional: '300',
    max_total_notional: '450',
    max_orders: 3,
    price: { AAPL: { max: '185' } },
    lasts: 10 * 86_400,
  },
  {
    ...both,
    cadence: 'weekly',
    orders_per_slot: 2,
    max_order_notional: '900',
    max_total_notional: '1200',
    max_orders: 3,
    lasts: 30 * 86_400,
  },
  // Over before long.
  {
    ...both,
    cadence: 'daily',
    max_order_notional: '420',
    max_total_notional: '1000',
    max_orders: 1,
    lasts: 400,
  },
];

const market = { type: 'market', time_in_force: 'day' } as const;

/** What is asked for under them: most within one of them, some beyond each. */
export const mandateBodies = [
  { symbol: 'AAPL', side: 'buy', qty: '1', ...market },
  { symbol: 'MSFT', side: 'buy', qty: '1', ...market },
  { symbol: 'AAPL', side: 'buy', notional: '150', ...market },
  { symbol: 'AAPL', side: 'sell', qty: '1', ...market },
  { symbol: 'AAPL', side: 'buy', qty: '2', ...market },
  { symbol: 'MSFT', side: 'buy', qty: '2', ...market },
  { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', time_in_force: 'day', limit_price: '175' },
  bodies[5],
] as const;

/** Sales and purchases in any order; the last purchase of the third costs more than there is. */
export const batches = [
  [
    { symbol: 'MSFT', side: 'buy', qty: '1', ...market },
    { symbol: 'AAPL', side: 'sell', qty: '2', ...market },
  ],
  [
    { symbol: 'AAPL', side: 'buy', notional: '120', ...market },
    { symbol: 'MSFT', side: 'sell', qty: '1', ...market },
  ],
  [
    { symbol: 'AAPL', side: 'buy', qty: '1', type: 'limit', time_in_force: 'day', limit_price: '175' },
    { symbol: 'MSFT', side: 'buy', qty: '1', ...market },
  ],
  [
    { symbol: 'MSFT', side: 'sell', qty: '1', ...market },
    { symbol: 'AAPL', side: 'sell', qty: '1', ...market },
  ],
] as const;

/** Of the first person's; one of somebody else's making, one of the other person's, one on another machine. */
const client = fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4);
const gateway = fc.nat({ max: 1 });
const ttl = fc.constantFrom(60, 150, 300, 300);

const mandate = made('mandate', 2, {
  client: fc.constantFrom(0, 0, 1, 3),
  terms: fc.nat({ max: mandateTerms.length - 1 }),
  replaces: fc.option(fc.nat({ max: 3 }), { freq: 3, nil: undefined }),
});
const under = made('under', 18, {
  client,
  body: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 6, 7),
  mandate: fc.oneof(fc.constant('any' as const), fc.nat({ max: 2 })),
  slot: fc.constantFrom('none', 'none', 'none', 'none', 'present', 'present', 'present', 'other'),
  only: fc.constantFrom(true, true, true, false),
  ttl,
  times: fc.constantFrom(1, 1, 2, 3),
  gateway,
});
const takeBack = made('takeBack', 1, {
  client: fc.constantFrom(0, 0, 1, 2, 3),
  mandate: fc.nat({ max: 2 }),
  to: fc.constantFrom('suspended', 'revoked'),
  gateway,
});
const overtaken = made('overtaken', 3, {
  body: fc.constantFrom(0, 1, 3),
  mandate: fc.nat({ max: 2 }),
  to: fc.constantFrom('suspended', 'revoked'),
  number: gateway,
  after: fc.integer({ min: 1, max: 90 }),
  seconds: fc.constantFrom(1, 5, 35),
});
const batch = made('batch', 4, {
  client: fc.constantFrom(0, 1, 2, 3),
  batch: fc.nat({ max: batches.length - 1 }),
  stop: fc.boolean(),
  ttl,
});
const midnight = made('midnight', 2, { seconds: fc.constantFrom(-2, -1, 0, 1, 30) });
const repeat = made('repeat', 3, {
  ask: fc.nat({ max: 12 }),
  other: fc.constant(false),
  times: fc.integer({ min: 1, max: 3 }),
});
const fault = faultOf(
  ['agent-gateway', 'gateway-broker', 'gateway-broker', 'gateway-broker', 'gateway-provider'],
  ['refused', 'lost', 'lost', 'late', 'unavailable', 'broken', 'busy'],
  fc.constantFrom(true, true, false),
);
const trouble = [
  made('kill', 1, { client, after: points }),
  made('fault', 5, { fault }),
  made('part', 1, { leg: fc.constantFrom(...legs), seconds: fc.constantFrom(3, 20, 100) }),
  made('sleep', 1, { seconds: fc.constantFrom(40, 200, 7_200) }),
  made('price', 2, { symbol: fc.nat({ max: 1 }), factor: fc.constantFrom(1, 1.005, 0.97, 1.05) }),
];
const ofGateways = (number: fc.Arbitrary<number>) => [
  made('gateway', 5, {
    how: fc.constantFrom('kill', 'kill', 'kill', 'close'),
    after: points,
    down: fc.boolean(),
    number,
  }),
  made('start', 2, { number }),
  made('pause', 2, { after: fc.nat({ max: 30 }), seconds: fc.constantFrom(5, 35, 130, 400, 700), number }),
];

const skew = (number: fc.Arbitrary<number>) =>
  made('skew', 1, { seconds: fc.constantFrom(-3_600, -900, -20, 20, 120, 400, 3_600), number });

const world = (distant: boolean): fc.Arbitrary<WorldOptions> =>
  fc.record({
    interval: fc.constantFrom(2, 5),
    hold: fc.constant(0),
    delivery: fc.constantFrom<WorldOptions['delivery'][]>('poll', 'ping'),
    details: fc.constant<WorldOptions['details']>('rar'),
    distant: distant ? fc.boolean() : fc.constant(false),
    mandates: fc.constantFrom<NonNullable<WorldOptions['mandates']>[]>('exchange', 'key_pair'),
  });

const given = (terms: readonly number[]): Step[] =>
  terms.flatMap((each): Step[] => [
    { do: 'mandate', client: 0, terms: each, replaces: undefined },
    { do: 'wait', seconds: 1 },
    { do: 'tap', question: 0, tap: 'approve' },
    { do: 'wait', seconds: 6 },
  ]);
const first = fc.subarray([0, 1, 2, 3], { minLength: 1, maxLength: 2 });

/** One gateway; orders under mandates, others, and batches. */
export const mandated: fc.Arbitrary<History> = fc
  .record({
    world: world(true),
    first,
    steps: fc.array(
      fc.oneof(
        ...[mandate, under, takeBack, batch, midnight, repeat, tap, wait, ...trouble],
        ...ofGateways(fc.constant(0)),
        made('withdraw', 1, { client, proposal: pick, overtaken: fc.boolean() }),
        { ...haltBegun, weight: 1 },
        { ...storeAway, weight: 1 },
        overslept('tap'),
        overslept('mandate'),

        made('halt', 1, { client: fc.constantFrom(0, 3) }),
        made('lift', 2, { client: fc.constantFrom(0, 3) }),
        skew(fc.constant(0)),
      ),
      { minLength: 10, maxLength: 36, size: 'max' },
    ),
    finally: fc.constantFrom('approve', 'approve', 'deny', 'nothing'),
    restart: fc.boolean(),
  })
  .map(({ first, steps, ...rest }) => ({ ...rest, steps: [...given(first), ...steps] }));

/** Two gateway processes over one database, and orders under mandates alone: nobody is asked once both are up. */
export const shared: fc.Arbitrary<History> = fc
  .record({
    world: world(true),
    first,
    steps: fc.array(
      fc.oneof(
        ...[{ ...under, arbitrary: under.arbitrary.map((step) => ({ ...step, only: true }) as Step) }],
        ...[takeBack, overtaken, midnight, repeat, wait, ...trouble],
        ...ofGateways(gateway),
        skew(gateway),
        overslept('mandate'),
      ),
      { minLength: 10, maxLength: 36, size: 'max' },
    ),
    restart: fc.boolean(),
  })
  .map(({ first, steps, ...rest }) => ({
    ...rest,
    steps: [...given(first), { do: 'start' as const, number: 1 }, ...steps],
    finally: 'nothing' as const,
  }));

/** A batch whose gateway dies between two of its lines, or anywhere on its way, starts again, and dies once more. */
export const batchCutOff: fc.Arbitrary<History> = fc
  .record({
    world: world(true),
    batch: fc.nat({ max: batches.length - 1 }),
    stop: fc.boolean(),
    first: fc.integer({ min: 1, max: 160 }),
    second: fc.integer({ min: 0, max: 120 }),
    fault: fc.option(fault, { freq: 2 }),
    between: fc.constantFrom(0, 40),
    restart: fc.boolean(),
  })
  .map(({ world, batch, stop, first, second, fault, between, restart }) => ({
    world,
    steps: [
      { do: 'batch', client: 0, batch, stop, ttl: 300 },
      { do: 'wait', seconds: 1 },
      ...(fault === null ? [] : [{ do: 'fault' as const, fault }]),
      { do: 'gateway', how: 'kill', after: first, down: true },
      { do: 'tap', question: 0, tap: 'approve' },
      { do: 'wait', seconds: 25 },
      ...(between === 0 ? [] : [{ do: 'sleep' as const, seconds: between }]),
      { do: 'start' },
      ...(second === 0 ? [] : [{ do: 'gateway' as const, how: 'kill' as const, after: second, down: false }]),
      { do: 'wait', seconds: 35 },
      { do: 'start' },
    ],
    finally: 'approve',
    restart,
  }));
