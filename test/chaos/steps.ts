import fc from 'fast-check';
import type { Fault } from './network.ts';
import type { ProviderFault } from './provider.ts';
import type { WorldOptions } from './world.ts';

/** One thing that happens. Numbers that choose are taken modulo what there is to choose from. */
export type Step =
  | {
      readonly do: 'work';
      readonly worker: number;
      readonly thread: number;
      readonly prompt: number;
      readonly detach: boolean;
    }
  | { readonly do: 'kill'; readonly worker: number; readonly after: number }
  | { readonly do: 'pause'; readonly worker: number; readonly after: number }
  | { readonly do: 'unpause' | 'interrupt'; readonly worker: number }
  | Takeover
  /** The agent's clock falls behind, and a deadline passes, or nearly so. */
  | { readonly do: 'brink'; readonly row: number; readonly seconds: number }
  | { readonly do: 'tap'; readonly question: number; readonly approve: boolean; readonly twice: boolean }
  | { readonly do: 'cancel'; readonly worker: number; readonly approval: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'sleep'; readonly seconds: number }
  | { readonly do: 'skew'; readonly seconds: number }
  | { readonly do: 'fault'; readonly fault: Fault }
  | { readonly do: 'provider'; readonly fault: ProviderFault }
  | { readonly do: 'gateway'; readonly after: number; readonly down: boolean }
  | { readonly do: 'price'; readonly symbol: number; readonly factor: number };

/**
 * A process stops for so long that its leases run out, another one goes on with its thread, and dies over it; then the
 * first wakes up.
 */
export interface Takeover {
  readonly do: 'takeover';
  readonly worker: number;
  /** A question is approved just before. */
  readonly tap: boolean;
  /** Points until it stops. */
  readonly after: number;
  readonly seconds: number;
  /** Points until the other one dies; 0 where it lives. */
  readonly dies: number;
  readonly wakes: boolean;
}

export interface History {
  readonly world: WorldOptions;
  readonly workers: number;
  readonly threads: number;
  readonly steps: readonly Step[];
  /** What the person does about questions that are open at the end. */
  readonly finally: 'approve' | 'deny' | 'nothing';
}

export const prompts = [
  'buy 2 AAPL',
  'buy 1 AAPL and buy 1 MSFT',
  'sell 1 MSFT',
  'buy 3 MSFT limit 390',
  'sell 2 AAPL and buy 1 MSFT and buy 1 AAPL limit 170',
] as const;

const worker = fc.nat({ max: 3 });
/** Often small: death soon after something began. */
const points = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 120 }));
const fault: fc.Arbitrary<Fault> = fc.record({
  leg: fc.constantFrom(
    'agent-provider',
    'agent-gateway',
    'agent-gateway',
    'gateway-broker',
    'gateway-broker',
    'gateway-provider',
  ),
  kind: fc.constantFrom('refused', 'lost', 'lost', 'late', 'unavailable', 'broken'),
  after: fc.constantFrom(0, 0, 1, 2, 5),
  writesOnly: fc.boolean(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      worker,
      thread: fc.nat({ max: 2 }),
      prompt: fc.nat({ max: prompts.length - 1 }),
      detach: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('tap' as const),
      question: fc.nat({ max: 5 }),
      approve: fc.oneof(
        { weight: 5, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.constantFrom(1, 1, 3, 3, 6, 6, 12, 35, 130),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const), worker, after: points }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('fault' as const), fault }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('provider' as const),
      fault: fc.constantFrom('slow_down', 'forget', 'same_jti', 'same_jti'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), worker, after: points }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unpause' as const), worker }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('takeover' as const),
      worker,
      tap: fc.boolean(),
      after: points,
      seconds: fc.constantFrom(35, 130, 130),
      dies: fc.constantFrom(0, 0, 20, 30, 40, 50, 60),
      wakes: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('brink' as const),
      row: fc.nat({ max: 5 }),
      seconds: fc.integer({ min: -3, max: 15 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('interrupt' as const), worker }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('cancel' as const), worker, approval: fc.nat({ max: 5 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), seconds: fc.constantFrom(40, 200, 7_200) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('skew' as const), seconds: fc.integer({ min: -20, max: 20 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('gateway' as const), after: points, down: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('price' as const),
      symbol: fc.nat({ max: 1 }),
      factor: fc.constantFrom(1, 1.005, 0.97, 1.05),
    }),
  },
);

export const history: fc.Arbitrary<History> = fc.record({
  world: fc.record({
    interval: fc.constantFrom(2, 5, 20),
    hold: fc.constantFrom(0, 30_000),
    approvalTtl: fc.constantFrom(60, 150, 300, 300),
  }),
  workers: fc.integer({ min: 1, max: 4 }),
  threads: fc.integer({ min: 1, max: 3 }),
  steps: fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
  finally: fc.constantFrom('approve', 'approve', 'deny', 'nothing'),
});

/**
 * One process is stopped somewhere between the tap and the end of its order, another takes over and dies somewhere on
 * its way, and the first wakes up. Rare among the histories above, and the one case for which leases have epochs.
 */
export const overtaken: fc.Arbitrary<History> = fc
  .record({
    after: fc.integer({ min: 1, max: 40 }),
    dies: fc.integer({ min: 1, max: 120 }),
    prompt: fc.nat({ max: prompts.length - 1 }),
    fault: fc.option(fault, { freq: 3 }),
  })
  .map(({ after, dies, prompt, fault: armed }) => ({
    world: { interval: 5, hold: 30_000, approvalTtl: 300 },
    workers: 2,
    threads: 1,
    steps: [
      { do: 'work', worker: 0, thread: 0, prompt, detach: false },
      { do: 'wait', seconds: 1 },
      ...(armed === null ? [] : [{ do: 'fault' as const, fault: armed }]),
      { do: 'takeover', worker: 0, tap: true, after, seconds: 130, dies, wakes: true },
      { do: 'wait', seconds: 6 },
    ],
    finally: 'approve',
  }));
