import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { orderFailpoints } from '../crash-case.ts';
import type { CrashWorld } from '../crash-world.ts';
import type { Failpoint } from '../failpoints.ts';
import { createLanes } from '../lanes.ts';
import { PATIENCE_MS, until } from '../patience.ts';
import { createPerson } from '../person.ts';
import { type ForeignClient, foreignClient, type Told, type Waits } from './foreign-client.ts';

/** A foreign agent's order over HTTP: servers die and the client goes away at each step, then calls again. */

const isFull = Number(process.env.CRASH_SEEDS ?? 1) > 1;
const SOME: readonly Failpoint[] = ['ask.answered', 'approval.sealed', 'execute.recorded'];
const places = isFull ? orderFailpoints : SOME;

/** A client may ask twenty times an hour. One world is made in the time that a few cases take. */
const lanes = createLanes(isFull ? 2 : 1, 18);
afterAll(() => lanes.close(), 60_000);

interface Case {
  /** Where the gateway dies; nowhere where it is left out. */
  readonly at?: Failpoint;
  readonly waits: Waits;
  /** When the client goes away for good: `asked` is when the phone has rung. */
  readonly leaves?: 'sent' | 'asked' | 'decided' | undefined;
}

const ways = [
  { waits: 'task' },
  { waits: 'hold' },
  { waits: 'task', leaves: 'sent' },
  { waits: 'hold', leaves: 'asked' },
] as const satisfies readonly Case[];

describe('a gateway killed under an order of a foreign client', () => {
  it.concurrent.each(places.map((at, index): Case => ({ ...ways[index % ways.length], at }) as Case))(
    'at $at, the client waiting by $waits: one order, and the truth',
    (plan) => lanes.play((world) => play(world, plan)),
    isFull ? 3_600_000 : 120_000,
  );
});

describe('a client that goes away', () => {
  it.concurrent.each<Case>([
    { waits: 'task', leaves: 'sent' },
    { waits: 'hold', leaves: 'decided' },
  ])(
    'once it has $leaves, waiting by $waits, finds its one order',
    (plan) => lanes.play((world) => play(world, plan)),
    120_000,
  );
});

/** Each case asks for something of its own: what is open and identical is one. */
let cases = 0;

async function play(world: CrashWorld, { at, waits, leaves }: Case): Promise<void> {
  cases += 1;
  const order = { symbol: 'F', side: 'buy', qty: String(cases) };
  const id = `call-${cases}`;
  const earlier = new Set((await world.book()).map(({ client_order_id }) => client_order_id));
  const rows = new Set(world.gateway.proposals().map((one) => one.id));
  const placed = async () => (await world.book()).filter((one) => !earlier.has(one.client_order_id));
  const decision = at === 'decision.recorded' ? 'deny' : 'approve';
  const client = await foreignClient(world);
  const gone = new AbortController();
  const person = createPerson(world, () => decision);
  try {
    const died = at === undefined ? undefined : world.sandboxEnded();
    if (at !== undefined) world.arm(`${at}=kill`);
    const first = client.place(id, order, waits, gone.signal);
    // Anywhere on the way: the phone is not looked at before.
    if (leaves === 'sent') await sleep(30);
    else person.look();
    if (leaves === 'asked')
      await Promise.race([
        died,
        until(
          () => person.asked.length > 0,
          () => 'nobody was asked',
        ),
      ]);
    if (leaves === 'decided')
      await until(
        () => person.taps.length > 0,
        () => 'nobody tapped',
      );
    if (leaves !== undefined) gone.abort();
    person.look();
    if (died !== undefined) {
      expect((await died).signal, world.sandboxSaid()).toBe('SIGKILL');
      world.arm('');
      await world.restartSandbox();
    }
    const before = await first;

    // The same call once more: from a client that lost the answer, or that was started again with what it had begun.
    const again = await stubbornly(() => client.place(id, order, waits, AbortSignal.timeout(60_000)));
    if (before !== undefined) expect(again.proposalId).toBe(before.proposalId);
    const last = await followed(client, again, waits, placed);

    expect(last.status).toBe(decision === 'deny' ? 'denied' : 'executed');
    const book = await placed();
    expect(book.map(({ symbol, qty }) => ({ symbol, qty }))).toEqual(
      decision === 'deny' ? [] : [{ symbol: 'F', qty: order.qty }],
    );
    const made = world.gateway.proposals().filter((one) => !rows.has(one.id));
    expect(made.map((one) => one.id)).toEqual([last.proposalId]);
    if (book[0] !== undefined) expect(made[0]?.clientOrderId).toBe(book[0].client_order_id);
    expect((await world.gateway.verify()).ok).toBe(true);
  } finally {
    gone.abort();
    await person.leave().catch(() => undefined);
  }
}

/** Looks until it is over. What a look tells is true when it is told. */
async function followed(
  client: ForeignClient,
  first: Told,
  waits: Waits,
  placed: () => Promise<readonly object[]>,
): Promise<Told> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let told = first; ; told = await stubbornly(() => client.look(first.proposalId, waits))) {
    if (told.status === 'executed') expect(await placed()).toHaveLength(1);
    if (!['pending', 'executing', 'unknown'].includes(told.status)) return told;
    expect(Date.now(), `it stands at ${told.status}`).toBeLessThan(deadline);
    await sleep(50);
  }
}

/** A connection from before a death breaks at its first use. */
async function stubbornly<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (error instanceof TypeError) return undefined;
      throw error;
    });
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error('nobody answers');
    await sleep(50);
  }
}
