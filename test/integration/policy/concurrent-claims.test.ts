import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toUncountedFacts } from '../../../src/gateway/policy/order-world.ts';
import { createStaticRulesSource, limitsSchema } from '../../../src/gateway/policy/rules.ts';
import type { GatewayStores } from '../../../src/store/gateway-stores.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { Dec } from '../../../src/trading/decimal.ts';
import { currentSlot } from '../../../src/trading/mandate/cadence.ts';
import { asHere } from '../../shipped/modules.ts';
import { changed, NOON, world } from '../../unit/gateway/policy/sound-order.ts';
import { granted } from '../gateway/support/granted.ts';
import type { Round } from './claiming-process.ts';

/** Each: twenty orders at once, five from each of four processes. */
const ROUNDS = Number(process.env.POLICY_ROUNDS ?? 10);
const PROCESSES = 4;
const ORDERS = 5;

let folder: string;
let database: Database.Database;
let stores: GatewayStores;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-claims-'));
  const file = join(folder, 'gateway.db');
  database = new Database(file);
  stores = createSqliteGatewayStores(database);
  for (let number = 0; number < PROCESSES; number++) processes.push(await startProcess(file));
});
afterAll(async () => {
  await Promise.all(processes.map(end));
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startProcess(file: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('claiming-process.ts', import.meta.url));
  const child = fork(program, [file], {
    execArgv: [...asHere],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  expect(await once(child, 'message')).toEqual(['ready', undefined]);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  if (child.kill('SIGKILL')) await ended;
}

async function told(child: ChildProcess | undefined, message: Round | { halt: string }): Promise<string[]> {
  if (child === undefined) throw new Error('there is no such process');
  const answered = once(child, 'message');
  child.send(message);
  const [answer] = (await answered) as [string[] | { failed: string }];
  if (!Array.isArray(answer)) throw new Error(JSON.stringify(answer));
  return answer;
}

/** A number that looks drawn, and is always the same. */
const drawn = (round: number, number: number, below: number) =>
  Math.floor(Math.abs(Math.sin(round * 997 + number * 131) * 1e6)) % below;

it(
  `of twenty orders at once from four processes the day's limit takes no cent more, ${ROUNDS} rounds`,
  async () => {
    const fates = ['intent', 'placed', 'unknown', 'rejected'] as const;
    let [refused, gone, fullest] = [0, 0, new Dec(0)];
    for (let round = 0; round < ROUNDS; round++) {
      const account = `PA-${round}`;
      const limit = new Dec(2_000 + drawn(round, 0, 300_000)).div(100).toFixed(2);
      const rounds = Array.from({ length: PROCESSES }, (_, process): Round => {
        const orders = Array.from({ length: ORDERS }, (__, number) => {
          const index = process * ORDERS + number + 1;
          const draft = changed({
            account,
            qty: String(1 + drawn(round, index, 9)),
            limit_price: new Dec(100 + drawn(round, index + 50, 18_000)).div(100).toFixed(2),
            client_order_id: `ta-${round}-${index}-${'0'.repeat(8)}`,
          });
          const facts = toUncountedFacts({ draft }, world, { now: NOON });
          return { draft, facts, fate: fates[drawn(round, index + 90, fates.length)] ?? 'intent' };
        });
        return { limits: { version: 1, accounts: { '*': { max_day_notional: limit } } }, now: NOON, orders };
      });
      const answers = (await Promise.all(rounds.map((one, index) => told(processes[index], one)))).flat();
      expect(answers).toHaveLength(PROCESSES * ORDERS);

      // From the orders themselves, by what was asked for: not from what the journal says that they count.
      const orders = rounds.flatMap(({ orders: asked }) => asked);
      const worth = orders.map(({ draft }) => new Dec(draft.qty ?? 0).times(draft.limit_price ?? 0));
      const stands = (answer: string | undefined) => ['intent', 'placed', 'unknown'].includes(answer ?? '');
      const total = worth.reduce((sum, one, index) => (stands(answers[index]) ? sum.plus(one) : sum), new Dec(0));
      expect(total.lte(limit), `round ${round}: ${total} of ${limit}`).toBe(true);
      const { day_notional } = await stores.orders.usage('alice', account, NOON);
      expect(day_notional).toBe(total.toFixed(2));
      fullest = Dec.max(fullest, total.div(limit));
      refused += answers.filter((answer) => answer === 'denied').length;
      gone += answers.filter(stands).length;
      // Whatever still fits has gone out, but for what a refusal gave back too late.
      if (!answers.includes('rejected')) {
        const left = new Dec(limit).minus(total);
        for (const [index, one] of worth.entries()) if (answers[index] === 'denied') expect(one.gt(left)).toBe(true);
      }
    }
    // Not because nothing was tried.
    expect(refused).toBeGreaterThan(ROUNDS);
    expect(gone).toBeGreaterThan(ROUNDS);
    expect(fullest.gt('0.9')).toBe(true);
  },
  60_000 + ROUNDS * 1_000,
);

it(
  `two processes race for the last slot of a mandate: one order, ${ROUNDS} rounds`,
  async () => {
    const { digest: policy } = await createStaticRulesSource(limitsSchema.parse({})).current();
    for (let round = 0; round < ROUNDS; round++) {
      const account = `PA-slot-${round}`;
      const id = `M-${String(round).padStart(10, '0')}`;
      await granted(stores.mandates, NOON, { policy, account, mandate_id: id });
      const slot = currentSlot('weekly', NOON);
      const rounds = [0, 1].map((process): Round => {
        const client_order_id = `ta-slot-${round}-${process}-00`;
        const draft = changed({ account, mandate: id, slot, client_order_id });
        const facts = toUncountedFacts({ draft }, world, { now: NOON });
        return { limits: {}, now: NOON, orders: [{ draft, facts, fate: 'placed' }] };
      });
      const answers = await Promise.all(rounds.map((one, index) => told(processes[index], one)));
      expect(answers.flat().toSorted()).toEqual(['denied', 'placed']);
      const [decision] = await stores.decisions.list('alice', { limit: 1, effect: 'deny' });
      expect(decision?.reasons).toEqual(['MANDATE_SLOT_USED']);
      expect((await stores.mandates.find('alice', id, { since: 0 }))?.used.orders).toBe(1);
      const { day_orders } = await stores.orders.usage('alice', account, NOON);
      expect(day_orders).toBe(1);
    }
  },
  60_000 + ROUNDS * 1_000,
);

it('a halt survives the process that it was asked of, and holds for all the others', async () => {
  const doomed = processes.pop();
  if (doomed === undefined) throw new Error('there is no process');
  // Answered is committed; it dies with the answer still on its way to anybody else.
  const answered = once(doomed, 'message');
  doomed.send({ halt: 'alice' });
  await answered;
  await end(doomed);
  const draft = changed({ account: 'PA-halted', client_order_id: 'ta-halted-0000' });
  const facts = toUncountedFacts({ draft }, world, { now: NOON });
  const round: Round = { limits: {}, now: NOON, orders: [{ draft, facts, fate: 'placed' }] };
  expect(await told(processes[0], round)).toEqual(['denied']);
  expect(await stores.halts.haltedAt('alice')).toEqual(expect.any(Number));
  const [decision] = await stores.decisions.list('alice', { limit: 1 });
  expect(decision?.reasons).toEqual(['TRADING_HALTED']);
});
