import fc from 'fast-check';
import type { ProposalRequestInput } from '../../src/trading/proposal.ts';
import { type Fault, type FaultKind, type Leg, legs } from './network.ts';
import type { ProviderFault } from './provider.ts';
import { symbols, type WorldOptions } from './world.ts';

/** One thing that happens. Numbers that choose are taken modulo what there is to choose from. */
export type Step = Readonly<
  | { do: 'propose'; client: number; body: number; ttl: number; typed: boolean; watch: boolean }
  /** A key that was used before: with its own body, or with another. */
  | { do: 'repeat'; ask: number; other: boolean; times: number }
  /** An open order is to be cancelled, or replaced. */
  | { do: 'change'; client: number; order: number; replace: boolean }
  | { do: 'look'; client: number; proposal: number }
  /** `overtaken`: the proposal changes between the withdrawal's look at it and its write. */
  | { do: 'withdraw'; client: number; proposal: number; overtaken?: boolean }
  /** A question is approved, the order gets no answer, and trading is halted with it in doubt. */
  | { do: 'haltBegun'; question: number; kind: FaultKind }
  /** The machine is suspended with an order in its kernel, or waiting for a connection. */
  | { do: 'overslept'; by: 'tap' | 'mandate'; kind: 'late' | 'connecting'; seconds: number; sleep: number }
  /** The database is away for a while, at once or from the moment of the next approval's answer on. */
  | { do: 'storeAway'; seconds: number; atAnswer: boolean; number?: number }
  | { do: 'halt' | 'lift'; client: number }
  | { do: 'tap'; question: number; tap: Tap }
  /** The approval and the withdrawal meet. */
  | { do: 'race'; question: number; tapFirst: boolean; halt: boolean }
  /** The provider calls back about a question: once more, with a wrong token, or about a question there isn't. */
  | { do: 'ping'; question: number; how: 'again' | 'forged' | 'stray' }
  | { do: 'kill'; client: number; after: number }
  /** A gateway's process dies, ends, or stops for a while; and starts again, unless it stays down. The first, where none is named. */
  | { do: 'gateway'; how: 'kill' | 'close'; after: number; down: boolean; number?: number }
  | { do: 'pause'; after: number; seconds: number; number?: number }
  | { do: 'start'; number?: number }
  | MandateStep
  /** The gateway's clock falls behind, and a deadline passes, or nearly so. */
  | { do: 'brink'; row: number; seconds: number }
  | { do: 'wait' | 'sleep'; seconds: number }
  /** The clock of a gateway's machine is set; the first's, where none is named. */
  | { do: 'skew'; seconds: number; number?: number }
  | { do: 'fault'; fault: Fault }
  | { do: 'part'; leg: Leg; seconds: number }
  | { do: 'provider'; fault: ProviderFault }
  /** The record can't be written to, or can again. */
  | { do: 'price'; symbol: number; factor: number }
>;

/** What happens about mandates and batches. */
export type MandateStep = Readonly<
  /** Somebody asks for a mandate, or for one in place of another. */
  | { do: 'mandate'; client: number; terms: number; replaces: number | undefined }
  /** An order is to be placed under one, by its number or by whichever covers it; asked for so often at once, again each time. */
  | {
      do: 'under';
      client: number;
      body: number;
      mandate: number | 'any';
      slot: 'none' | 'present' | 'other';
      only: boolean;
      ttl: number;
      times: number;
      /** Which of the gateway's processes is asked first. */
      gateway: number;
    }
  | { do: 'takeBack'; client: number; mandate: number; to: 'suspended' | 'revoked'; gateway: number }
  | { do: 'batch'; client: number; batch: number; stop: boolean; ttl: number }
  /** An order is on its way at one process, which stands still there; the mandate is taken back at the other meanwhile. */
  | {
      do: 'overtaken';
      body: number;
      mandate: number;
      to: 'suspended' | 'revoked';
      number: number;
      after: number;
      seconds: number;
    }
  /** So many seconds from the next midnight in New York. */
  | { do: 'midnight'; seconds: number }
>;

/** `both`: two taps at once, of which one counts. */
export type Tap = 'approve' | 'deny' | 'both';

export interface History {
  readonly world: WorldOptions;
  readonly steps: readonly Step[];
  /** What the person does about questions that are open at the end. */
  readonly finally: 'approve' | 'deny' | 'nothing';
  /** Whether the gateway is started again at the end, or must get by as it is. */
  readonly restart: boolean;
}

const market = { type: 'market', time_in_force: 'day' } as const;
const limit = { type: 'limit', time_in_force: 'gtc' } as const;

const entry = { type: 'market', time_in_force: 'gtc' } as const;
const exits = { take_profit_limit_price: '188', stop_loss_stop_price: '175' } as const;
const lowExits = { take_profit_limit_price: '410', stop_loss_stop_price: '380' } as const;

/** What is asked for. Small, so that nobody runs out of money or shares. */
export const bodies = [
  { symbol: 'AAPL', side: 'buy', qty: '2', ...market },
  { symbol: 'MSFT', side: 'buy', qty: '1', ...market },
  { symbol: 'MSFT', side: 'sell', qty: '1', ...market },
  { symbol: 'AAPL', side: 'buy', notional: '100', ...market },
  { symbol: 'MSFT', side: 'buy', qty: '2', ...limit, limit_price: '390' },
  { symbol: 'AAPL', side: 'buy', qty: '1', ...limit, limit_price: '170' },
  { symbol: 'AAPL', side: 'sell', qty: '1', ...limit, limit_price: '190' },
  { symbol: 'AAPL', side: 'sell', qty: '1', type: 'stop', time_in_force: 'gtc', stop_price: '170' },
  // With exits, which a price that moves out of the band reaches (see `price`).
  { symbol: 'AAPL', side: 'buy', qty: '2', ...entry, order_class: 'bracket', ...exits },
  {
    symbol: 'MSFT',
    side: 'buy',
    qty: '1',
    ...limit,
    limit_price: '390',
    order_class: 'bracket',
    ...lowExits,
  },
  { symbol: 'AAPL', side: 'buy', qty: '1', ...entry, order_class: 'oto', stop_loss_stop_price: '175' },
  { symbol: 'AAPL', side: 'buy', qty: '1', ...entry, order_class: 'oto', take_profit_limit_price: '188' },
  {
    symbol: 'AAPL',
    side: 'sell',
    qty: '2',
    type: 'limit',
    time_in_force: 'gtc',
    order_class: 'oco',
    ...exits,
  },
  // Coins, which are counted in parts.
  { symbol: 'BTC/USD', side: 'buy', qty: '0.002', ...entry },
  { symbol: 'BTC/USD', side: 'buy', notional: '100', ...entry },
  { symbol: 'BTC/USD', side: 'buy', qty: '0.001', ...limit, limit_price: '1000' },
] as const satisfies readonly Extract<ProposalRequestInput, { kind: 'order' }>['order'][];

const client = fc.nat({ max: 3 });
export const pick = fc.nat({ max: 5 });
/** Often small: death soon after something began. */
export const points = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 120 }));
const after = fc.constantFrom(0, 0, 1, 2, 5);

/** Faults of requests on any leg, and such of what the gateway asks as take a while. */
export const faultOf = (
  legs: readonly Leg[],
  kinds: readonly FaultKind[],
  writesOnly: fc.Arbitrary<boolean>,
): fc.Arbitrary<Fault> => {
  const own = legs.filter((leg) => leg === 'gateway-broker' || leg === 'gateway-provider');
  const lasting = (leg: fc.Arbitrary<Leg>, kind: FaultKind, seconds: readonly number[]) =>
    fc.record({
      leg,
      kind: fc.constant(kind),
      after: fc.constantFrom(0, 0, 0, 1),
      writesOnly: fc.constant(true),
      seconds: fc.constantFrom(...seconds),
      frozen: fc.boolean(),
    });
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        leg: fc.constantFrom(...legs),
        kind: fc.constantFrom(...kinds),
        after,
        writesOnly,
      }),
    },
    {
      weight: 3,
      arbitrary: lasting(fc.constant('gateway-broker'), 'late', [1, 1, 3, 14, 40, 120, 400, 1_200]),
    },
    { weight: 1, arbitrary: lasting(fc.constantFrom(...own), 'connecting', [1, 5, 9, 60, 600, 3_600]) },
    { weight: 1, arbitrary: lasting(fc.constantFrom(...own), 'stopped', [5, 35, 130, 400, 700]) },
  );
};
const fault = faultOf(
  ['agent-gateway', 'gateway-broker', 'gateway-broker', 'gateway-provider', 'gateway-provider', 'provider-gateway'],
  ['refused', 'lost', 'lost', 'late', 'unavailable', 'broken'],
  fc.boolean(),
);
export const made = <const D extends Step['do'], const Model extends object>(
  what: D,
  weight: number,
  model: { [K in keyof Model]: fc.Arbitrary<Model[K]> },
) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), ...model }) as fc.Arbitrary<unknown> as fc.Arbitrary<Step>,
});

const propose = made('propose', 9, {
  client,
  body: fc.nat({ max: bodies.length - 1 }),
  ttl: fc.constantFrom(60, 150, 300, 300, 1_800),
  typed: fc.boolean(),
  watch: fc.boolean(),
});
export const tap = made('tap', 8, {
  question: pick,
  tap: fc.constantFrom('approve', 'approve', 'approve', 'approve', 'deny', 'both'),
});
export const wait = made('wait', 6, { seconds: fc.constantFrom(1, 1, 3, 3, 6, 6, 12, 35, 130) });

export const haltBegun = made('haltBegun', 2, {
  question: pick,
  kind: fc.constantFrom('lost', 'late', 'unavailable', 'refused', 'connecting'),
});
export const overslept = (by: 'tap' | 'mandate') =>
  made('overslept', 1, {
    by: fc.constant(by),
    kind: fc.constantFrom('late', 'connecting'),
    seconds: fc.constantFrom(1, 3, 5),
    sleep: fc.constantFrom(40, 365, 700, 7_200),
  });
export const storeAway = made('storeAway', 2, {
  seconds: fc.constantFrom(1, 5, 30, 90),
  atAnswer: fc.constantFrom(true, true, false),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  propose,
  tap,
  wait,
  made('repeat', 2, { ask: pick, other: fc.boolean(), times: fc.integer({ min: 1, max: 3 }) }),
  made('change', 2, { client, order: pick, replace: fc.boolean() }),
  made('withdraw', 2, { client, proposal: pick, overtaken: fc.boolean() }),
  made('look', 1, { client, proposal: pick }),
  made('halt', 1, { client }),
  haltBegun,
  storeAway,
  overslept('tap'),
  made('lift', 2, { client }),
  made('race', 2, { question: pick, tapFirst: fc.boolean(), halt: fc.nat({ max: 3 }).map((n) => n === 0) }),
  made('ping', 1, { question: pick, how: fc.constantFrom('again', 'forged', 'stray') }),
  made('kill', 2, { client, after: points }),
  made('gateway', 4, {
    how: fc.constantFrom('kill', 'kill', 'kill', 'close'),
    after: points,
    down: fc.boolean(),
  }),
  made('start', 2, {}),
  made('pause', 1, { after: points, seconds: fc.constantFrom(5, 35, 130, 400, 700) }),
  made('brink', 1, { row: pick, seconds: fc.integer({ min: -3, max: 15 }) }),
  made('sleep', 1, { seconds: fc.constantFrom(40, 200, 7_200) }),
  made('skew', 1, {
    seconds: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(-3_600, -900, -120, 120, 900, 3_600)),
  }),
  made('fault', 7, { fault }),
  made('part', 1, { leg: fc.constantFrom(...legs), seconds: fc.constantFrom(3, 20, 100, 400) }),
  made('provider', 2, {
    fault: fc.constantFrom(
      'slow_down',
      'slow_down',
      'forget',
      'same_jti',
      'same_jti',
      'other_person',
      'other_details',
      'long_expiry',
      'long_expiry',
    ),
  }),
  made('price', 2, { symbol: fc.nat({ max: 1 }), factor: fc.constantFrom(1, 1.005, 0.97, 1.05) }),
);

const world: fc.Arbitrary<WorldOptions> = fc
  .record({
    interval: fc.constantFrom(2, 5, 20),
    hold: fc.constantFrom(0, 30_000),
    delivery: fc.constantFrom<WorldOptions['delivery'][]>('poll', 'ping'),
    details: fc.constantFrom<WorldOptions['details'][]>('rar', 'rar', 'message'),
    second: fc.constantFrom(false, false, true),
  })
  // Not drawn by itself: each seed's history stays what it was.
  .map((drawn) => ({ ...drawn, distant: drawn.interval === 5 }));

export const history: fc.Arbitrary<History> = fc.record({
  world,
  steps: fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
  finally: fc.constantFrom('approve', 'approve', 'deny', 'nothing'),
  restart: fc.boolean(),
});

/** The gateway dies twice between the tap and the end of the order. */
export const cutOff: fc.Arbitrary<History> = fc
  .record({
    world,
    body: fc.nat({ max: bodies.length - 1 }),
    first: fc.integer({ min: 1, max: 90 }),
    second: fc.integer({ min: 0, max: 90 }),
    between: fc.constantFrom(0, 1, 40, 400),
    fault: fc.option(fault, { freq: 3 }),
    part: fc.option(
      fc.record({
        leg: fc.constantFrom<Leg[]>('gateway-broker', 'gateway-provider'),
        seconds: fc.constantFrom(3, 20, 100, 400),
      }),
      { freq: 2 },
    ),
    halt: fc.nat({ max: 3 }).map((n) => n === 0),
    restart: fc.boolean(),
  })
  .map(({ world, body, first, second, between, fault, part, halt, restart }) => ({
    world,
    steps: [
      { do: 'propose', client: 0, body, ttl: 300, typed: true, watch: true },
      { do: 'wait', seconds: 1 },
      ...(fault === null ? [] : [{ do: 'fault' as const, fault }]),
      { do: 'gateway', how: 'kill', after: first, down: true },
      { do: 'tap', question: 0, tap: 'approve' },
      { do: 'wait', seconds: 25 },
      ...(between === 0 ? [] : [{ do: 'sleep' as const, seconds: between }]),
      ...(part === null ? [] : [{ do: 'part' as const, ...part }]),
      { do: 'start' },
      ...(second === 0 ? [] : [{ do: 'gateway' as const, how: 'kill' as const, after: second, down: false }]),
      ...(halt ? [{ do: 'halt' as const, client: 0 }] : []),
      { do: 'wait', seconds: 35 },
      { do: 'start' },
    ],
    finally: 'approve',
    restart,
  }));

/** An order with exits is approved, and the price goes to each exit in turn while the gateway may die. */
export const exited: fc.Arbitrary<History> = fc
  .record({
    world,
    body: fc.integer({
      min: bodies.findIndex((body) => 'order_class' in body),
      max: bodies.findLastIndex((body) => 'order_class' in body),
    }),
    fault: fc.option(fault, { freq: 2 }),
    death: fc.option(points, { freq: 2 }),
    change: fc.option(made('change', 1, { client, order: pick, replace: fc.boolean() }).arbitrary, {
      freq: 3,
    }),
    /** Both ways: an order may have the one exit or the other, or be reached on the way down alone. */
    factors: fc.constantFrom([0.97, 1.05], [1.05, 0.97], [0.97, 1, 1.05]),
    restart: fc.boolean(),
  })
  .map(({ world, body, fault, death, change, factors, restart }) => ({
    world,
    steps: [
      { do: 'propose', client: 0, body, ttl: 300, typed: true, watch: true },
      { do: 'wait', seconds: 1 },
      ...(fault === null ? [] : [{ do: 'fault' as const, fault }]),
      ...(death === null ? [] : [{ do: 'gateway' as const, how: 'kill' as const, after: death, down: false }]),
      { do: 'tap', question: 0, tap: 'approve' },
      { do: 'wait', seconds: 35 },
      ...(change === null ? [] : [change, { do: 'tap' as const, question: 0, tap: 'approve' as const }]),
      ...factors.flatMap((factor): Step[] => [
        ...symbols.map((_, symbol): Step => ({ do: 'price', symbol, factor })),
        { do: 'wait', seconds: 6 },
      ]),
    ],
    finally: 'approve',
    restart,
  }));

/** Nothing goes wrong but what people and agents do: here whatever is approved in time must be carried out, at once. */
export const calm: fc.Arbitrary<History> = fc.record({
  world,
  steps: fc.array(
    fc.oneof(
      propose,
      tap,
      wait,
      made('repeat', 2, { ask: pick, other: fc.boolean(), times: fc.integer({ min: 1, max: 3 }) }),
      made('withdraw', 2, { client, proposal: pick, overtaken: fc.boolean() }),
      made('race', 2, { question: pick, tapFirst: fc.boolean(), halt: fc.constant(false) }),
      made('kill', 3, { client, after: points }),
      made('ping', 1, { question: pick, how: fc.constantFrom('again', 'forged', 'stray') }),
    ),
    { minLength: 10, maxLength: 40, size: 'max' },
  ),
  finally: fc.constantFrom('approve', 'approve', 'deny', 'nothing'),
  restart: fc.boolean(),
});
