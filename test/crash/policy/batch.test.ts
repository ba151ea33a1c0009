import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { checkResultSchema } from '../../../src/check/result-schema.ts';
import { isSettledState } from '../../../src/trading/proposal.ts';
import { isFinalStatus, type Order } from '../../../src/trading/views.ts';
import type { BookedOrder, CrashWorld } from '../crash-world.ts';
import type { Failpoint } from '../failpoints.ts';
import { createLanes } from '../lanes.ts';
import { PATIENCE_MS, until } from '../patience.ts';
import { createPerson } from '../person.ts';
import type { Ended } from '../program.ts';

/** The gateway dies during each order of a batch. `CRASH_CASE="batch gateway.claimed@2"` plays one case. */

const places: readonly Failpoint[] = [
  'gateway.verified',
  'gateway.claimed',
  'gateway.before_submit',
  'broker.written',
  'broker.committed',
  'gateway.submitted',
  'gateway.recorded',
];
const once: readonly Failpoint[] = ['execute.intent', 'execute.answered', 'execute.recorded'];
const isFull = Number(process.env.CRASH_SEEDS ?? 1) > 1;
const only = /^batch (\S+)$/.exec(process.env.CRASH_CASE ?? '')?.[1];
const all = [...once.map((at) => `${at}@1`), ...places.flatMap((at) => [1, 2, 3].map((n) => `${at}@${n}`))];
const some = isFull ? all : ['gateway.recorded@2'];
const cases = only === undefined ? some : [only];

/** A client may ask twenty times an hour. */
const lanes = createLanes(isFull ? 4 : 1, 8);
const folder = mkdtempSync(join(tmpdir(), 'trade-agent-batch-'));
const count = { cases: 0, orders: 0 };
afterAll(async () => {
  await lanes.close();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`\nBatches: ${JSON.stringify(count)}\n`);
}, 60_000);

describe('each order of a batch is placed once, and counts once, after a death at', () => {
  it.concurrent.each(cases)(
    '%s',
    async (at) => lanes.play((world) => play(world, at.replace('@', '=kill@'))),
    3_600_000,
  );
});

async function play(world: CrashWorld, failpoint: string): Promise<void> {
  const earlier = await filled(world);
  const rows = new Set(world.gateway.proposals().map(({ id }) => id));
  const made = () => world.gateway.proposals().filter(({ id }) => !rows.has(id));
  const rules = await rebalancing(world, failpoint);
  const person = createPerson(world, () => 'approve');
  const died = world.sandboxEnded();
  world.arm(failpoint);
  const check = world.agent(['check', '--rules', rules, '--suggest', '--output', 'json']);
  try {
    person.look();
    void check.ended.then(({ stdout, stderr }) => {
      if (made().length === 0) throw new Error(`nothing was suggested: ${stdout}${stderr}`);
    });
    let end: Ended | undefined;
    void died.then((ended) => {
      end = ended;
    });
    await until(
      () => end !== undefined,
      () => `${failpoint} was not reached: ${JSON.stringify(made().map(({ id }) => world.gateway.batch(id)))}`,
    );
    expect(end, world.sandboxSaid()).toMatchObject({ signal: 'SIGKILL' });
    check.child.kill('SIGKILL');
    world.arm('');
    await world.restartSandbox();
    await until(
      () => made().every(({ state }) => isSettledState(state)),
      () => `with nobody there it stands at ${made().map(({ state }) => state)}`,
    );
    const [row, ...others] = made();
    expect([row?.state, others]).toEqual(['executed', []]);
    const { subject, result } = world.gateway.batch(row?.id ?? '');
    expect(subject.orders).toHaveLength(3);
    // As the card said: sales before purchases, one after the other.
    expect(subject.orders.map(({ side }) => side)).toEqual(['sell', 'buy', 'buy']);
    const booked = (await world.book()).filter(({ client_order_id }) => !earlier.has(client_order_id));
    const terms = (order: { client_order_id: string; symbol: string; side: string }) =>
      `${order.client_order_id} ${order.side} ${order.symbol}`;
    expect(booked.map(terms).toSorted()).toEqual(subject.orders.map(terms).toSorted());
    expect(result?.lines.map(({ outcome, client_order_id }) => [outcome, client_order_id])).toEqual(
      subject.orders.map(({ client_order_id }) => ['placed', client_order_id]),
    );
    const counts = world.gateway.reservations().filter((one) => !earlier.has(one.client_order_id));
    expect(counts.map((one) => [one.client_order_id, one.state]).toSorted()).toEqual(
      subject.orders.map(({ client_order_id }) => [client_order_id, 'placed']).toSorted(),
    );
    expect(person.asked).toHaveLength(1);
    expect((await world.gateway.verify()).ok).toBe(true);
    count.cases += 1;
    count.orders += booked.length;
  } finally {
    if (check.child.exitCode === null) check.child.kill('SIGKILL');
    await person.leave().catch(() => undefined);
  }
}

/** Waits for what the case before ordered: a check suggests nothing where an order is under way. @returns all ids */
async function filled(world: CrashWorld): Promise<Set<string>> {
  let book: BookedOrder[] = [];
  await vi.waitUntil(
    async () => {
      book = await world.book();
      return book.every(({ status }) => isFinalStatus(status as Order['status']));
    },
    { timeout: PATIENCE_MS, interval: 100 },
  );
  return new Set(book.map(({ client_order_id }) => client_order_id));
}

/** Rules by which the largest holding is to shrink, and the two smallest are to grow. @returns their file */
async function rebalancing(world: CrashWorld, name: string): Promise<string> {
  const looked = await world.agent(['check', '--output', 'json']).ended;
  const { by_symbol } = checkResultSchema.parse(JSON.parse(looked.stdout)).figures;
  const target = (at: number, more: number) => {
    const found = by_symbol.at(at);
    if (found === undefined) throw new Error('alice holds too little');
    return `${found.name}: ${(Number(found.weight) * 100 + more).toFixed(2)}%`;
  };
  const file = join(folder, `${name.replace(/\W/g, '-')}.yaml`);
  writeFileSync(
    file,
    `targets: {${target(0, -4)}, ${target(-1, 2)}, ${target(-2, 2)}}
rules:
  - {name: drift, kind: drift, band: 1%}
`,
  );
  return file;
}
