import { beforeAll, expect, it } from 'vitest';
import { watchCryptography } from './activity.ts';
import { noTally, play, warmUp } from './history.ts';
import type { Fault } from './network.ts';
import type { History, Step } from './steps.ts';
import { makeKeys, type SharedKeys, type WorldOptions } from './world.ts';

/*
 * Orders that were written off as never placed and still reached the broker, found by hand and by two random runs. Each
 * history says how many orders its book has, how its proposals ended, and whether its mandate had to be suspended.
 */

let keys: SharedKeys;
beforeAll(async () => {
  watchCryptography();
  keys = await makeKeys();
  await warmUp(keys);
});

/** Approved by tap: the provider calls back, so that the order leaves in the moment of the tap. */
const byTap: WorldOptions = { interval: 2, hold: 0, delivery: 'ping', details: 'rar' };
const byMandate: WorldOptions = {
  interval: 2,
  hold: 0,
  delivery: 'poll',
  details: 'rar',
  mandates: 'key_pair',
};

const order: Step = { do: 'propose', client: 0, body: 0, ttl: 60, typed: true, watch: false };
const under = (gateway = 0): Step => ({
  ...{ do: 'under', client: 0, body: 5, mandate: 0, slot: 'none', only: true, ttl: 60, times: 1 },
  gateway,
});
/** Of 1,200 dollars, for two orders a week; one of `under` takes 808.04 of it. */
const mandate: readonly Step[] = [
  { do: 'mandate', client: 0, terms: 2, replaces: undefined },
  { do: 'wait', seconds: 1 },
  { do: 'tap', question: 0, tap: 'approve' },
  { do: 'wait', seconds: 6 },
];
const tap: Step = { do: 'tap', question: 0, tap: 'approve' };
const look: Step = { do: 'look', client: 0, proposal: 0 };
const kill: Step = { do: 'gateway', how: 'kill', after: 0, down: true };
const start = (number = 0): Step => ({ do: 'start', number });
const wait = (seconds: number): Step => ({ do: 'wait', seconds });
const sleep = (seconds: number): Step => ({ do: 'sleep', seconds });
const fault = (kind: Fault['kind'], seconds: number, frozen = false): Step => ({
  do: 'fault',
  fault: { leg: 'gateway-broker', kind, after: 0, writesOnly: true, seconds, frozen },
});

interface Outcome {
  /** Orders in the book in the end. */
  readonly orders: number;
  /** How the proposals ended, mandates left out, in the order in which they were made; `refused`: it was not proposed. */
  readonly states: readonly string[];
  /** Mandates in the end. */
  readonly mandates?: readonly string[];
}

const histories: readonly (Outcome & {
  readonly name: string;
  readonly world: WorldOptions;
  readonly steps: readonly Step[];
})[] = [
  {
    name: 'B: an order that was tapped arrives after a suspend, when another was asked for',
    world: byTap,
    steps: [order, wait(1), fault('late', 1, true), tap, sleep(7_200), order],
    orders: 1,
    states: ['executed', 'expired'],
  },
  {
    name: 'C2: an order that was tapped arrives after its process died and the machine was suspended',
    world: byTap,
    steps: [order, wait(1), fault('late', 1, true), tap, kill, sleep(365), start(), look],
    orders: 1,
    states: ['executed'],
  },
  {
    name: 'E: an order under a mandate arrives after a suspend, when another was asked for',
    world: byMandate,
    steps: [...mandate, fault('late', 1, true), under(), sleep(7_200), under()],
    orders: 1,
    states: ['executed'],
    mandates: ['active'],
  },
  {
    name: 'O: an order arrives a second late, at a machine whose clock was set ahead',
    world: byTap,
    steps: [
      ...[order, wait(1), fault('late', 1), tap, kill],
      ...[{ do: 'skew', seconds: 400 } as const, start(), look],
    ],
    orders: 1,
    states: ['executed'],
  },
  {
    name: 'H: an order under a mandate waits for a connection through a suspend, when another was asked for',
    world: byMandate,
    steps: [...mandate, fault('connecting', 5), under(), sleep(7_200), under()],
    orders: 1,
    states: ['expired', 'executed'],
    mandates: ['active'],
  },
  {
    name: 'I: an order that was tapped waits for a connection through a suspend, when another was asked for',
    world: byTap,
    steps: [order, wait(1), fault('connecting', 5), tap, sleep(7_200), order],
    orders: 0,
    states: ['expired', 'expired'],
  },
  {
    name: 'J: an order that waited for a connection through a suspend does not leave hours later',
    world: byTap,
    steps: [order, wait(1), fault('connecting', 5), tap, sleep(7_200), look],
    orders: 0,
    states: ['expired'],
  },
  ...[610, 700].map((seconds) => ({
    name: `P: a process stands still for ${seconds} s between its last look and the broker, and another goes on`,
    world: byMandate,
    steps: [...mandate, start(1), fault('stopped', seconds), under(0), wait(605), under(1), wait(120)],
    orders: 1,
    states: ['expired', 'executed'],
    mandates: ['active'],
  })),
];

it.each(histories)('$name', async ({ world, steps, orders, states, mandates }) => {
  expect(await ends({ world, steps, finally: 'nothing', restart: false })).toEqual({
    orders,
    states,
    mandates: mandates ?? [],
  });
});

async function ends(history: History): Promise<Required<Outcome>> {
  let outcome: Required<Outcome> = { orders: 0, states: [], mandates: [] };
  await play(keys, history, noTally(), async (world) => {
    outcome = {
      orders: world.broker.book().length,
      states: (await world.proposals()).flatMap(({ kind, state }) => (kind === 'mandate' ? [] : [state])),
      mandates: world.kept().mandates.map(({ state }) => state),
    };
  });
  return outcome;
}
