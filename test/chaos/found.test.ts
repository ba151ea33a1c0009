import { beforeAll, expect, it } from 'vitest';
import { watchCryptography } from './activity.ts';
import { Client, identities } from './client.ts';
import { noTally, play, warmUp } from './history.ts';
import { bodies, type Step } from './steps.ts';
import { createWorld, makeKeys, type SharedKeys, type WorldOptions } from './world.ts';

/* Histories that failed once, cut down to what it takes. Each says what its record must have in the end. */

let keys: SharedKeys;
beforeAll(async () => {
  watchCryptography();
  keys = await makeKeys();
  await warmUp(keys);
});

const order = (body: number, ttl = 300): Step => ({
  do: 'propose',
  client: 0,
  body,
  ttl,
  typed: true,
  watch: false,
});
const tap: Step = { do: 'tap', question: 0, tap: 'approve' };
const wait = (seconds: number): Step => ({ do: 'wait', seconds });

const found: readonly {
  readonly name: string;
  readonly world?: Partial<WorldOptions>;
  readonly steps: readonly Step[];
  readonly executed: number | undefined;
}[] = [
  {
    name: 'a gateway that died with the order in hand, and finds the provider out of reach, carries it out once that is back',
    world: { details: 'message', delivery: 'ping', interval: 2, hold: 0 },
    steps: [
      order(5),
      wait(1),
      { do: 'gateway', how: 'kill', after: 40, down: true },
      tap,
      wait(25),
      { do: 'part', leg: 'gateway-provider', seconds: 20 },
      { do: 'start' },
      wait(60),
    ],
    executed: 1,
  },
  {
    name: 'an order of unknown outcome is not sent again while trading is halted',
    steps: [
      order(0),
      wait(1),
      { do: 'fault', fault: { leg: 'gateway-broker', kind: 'unavailable', after: 0, writesOnly: true } },
      tap,
      wait(6),
      { do: 'halt', client: 0 },
      wait(130),
    ],
    executed: undefined,
  },
  {
    name: 'an open order is followed to its fill through an outage of the broker',
    steps: [
      order(4),
      wait(1),
      tap,
      wait(6),
      { do: 'part', leg: 'gateway-broker', seconds: 40 },
      wait(60),
      { do: 'price', symbol: 1, factor: 0.97 },
      wait(35),
    ],
    // Placed, and filled.
    executed: 2,
  },
];

it.each(found)('$name', async ({ world, steps, executed }) => {
  const tally = noTally();
  await play(
    keys,
    {
      world: { interval: 5, hold: 0, delivery: 'poll', details: 'rar', ...world },
      steps,
      finally: 'nothing',
      restart: false,
    },
    tally,
  );
  expect(tally.events.executed).toBe(executed);
});

it('a call about the owner’s question does not have the second person’s polled twice at once', async () => {
  const tally = noTally();
  const connecting = {
    leg: 'gateway-provider',
    kind: 'connecting',
    after: 0,
    writesOnly: true,
    seconds: 1,
  } as const;
  const steps: Step[] = [
    { ...order(12), watch: true } as Step,
    wait(1),
    { do: 'fault', fault: { ...connecting, frozen: false } },
    { do: 'gateway', how: 'kill', after: 0, down: false },
    tap,
    wait(35),
    tap,
    wait(6),
  ];
  const world = { interval: 20, hold: 0, delivery: 'ping', details: 'message', second: true } as const;
  await play(keys, { world, steps, finally: 'approve', restart: false }, tally);
  expect(tally.secondPersons).toBe(1);
  expect(tally.events.approved).toBe(1);
});

it('a clock that is set back while a poll is under way does not put off the next one', async () => {
  const world = await createWorld(keys, { interval: 5, hold: 30_000, delivery: 'poll', details: 'rar' });
  world.machine().skew = 60_000;
  const client = new Client(world, identities[0]);
  void client.propose('key', { kind: 'order', order: bodies[0], ttl: 300 }, false);
  await world.advance(1_000);
  world.machine().skew = 0;
  // The poll was held for thirty seconds; the next is due five seconds after it was sent.
  await world.advance(30_000);
  for (const question of world.provider.questions.open()) world.provider.questions.decide(question, 'approve');
  await world.advance(6_000);
  expect(await world.proposals()).toMatchObject([{ state: 'executed' }]);
  client.life.dieAfter(0);
  await world.close();
});

it('an order whose process stood still with it in hand is not sent once its mandate was revoked at another', async () => {
  const tally = noTally();
  // From the claim on to the call of the broker, a point of the way each.
  for (let after = 72; after <= 90; after++) {
    const steps: Step[] = [
      { do: 'mandate', client: 0, terms: 0, replaces: undefined },
      wait(1),
      tap,
      wait(6),
      { do: 'start', number: 1 },
      { do: 'overtaken', body: 0, mandate: 0, to: 'revoked', number: 0, after, seconds: 5 },
    ];
    const world = { interval: 2, hold: 0, delivery: 'poll', details: 'rar' } as const;
    const history = { world: { ...world, distant: true, mandates: 'key_pair' }, steps } as const;
    await play(keys, { ...history, finally: 'nothing', restart: false }, tally);
  }
  // Some of them stood still before they were looked at for the last time.
  expect(tally.events.expired ?? 0).toBe(0);
  expect(tally.events.blocked).toBeGreaterThan(0);
});

it('an order that one gateway has in hand is not sent once another has taken it over and given it back', async () => {
  const tally = noTally();
  // Both have died, and both are started by what asks: the one without a session of the person gives it back.
  const steps: Step[] = [
    { do: 'mandate', client: 0, terms: 0, replaces: undefined },
    tap,
    { do: 'start', number: 1 },
    { do: 'repeat', ask: 10, other: false, times: 3 },
    { do: 'gateway', how: 'kill', after: 7, down: true, number: 1 },
    { do: 'gateway', how: 'kill', after: 97, down: true, number: 0 },
    {
      ...{ do: 'under', client: 1, body: 6, mandate: 'any', slot: 'present', only: true, ttl: 300, times: 2 },
      gateway: 0,
    },
  ];
  const world = { interval: 2, hold: 0, delivery: 'ping', details: 'rar' } as const;
  const history = { world: { ...world, distant: true, mandates: 'exchange' }, steps } as const;
  // How far a gateway gets before it is killed depends on the machine: this plays until one had the order in hand.
  for (let round = 0; round < 5 || (round < 40 && tally.events.not_taken === undefined); round++) {
    await play(keys, { ...history, finally: 'nothing', restart: false }, tally);
  }
  expect(tally.events.not_taken).toBeGreaterThan(0);
  expect(tally.events.executed).toBeGreaterThan(0);
});
