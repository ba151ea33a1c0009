import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appOf } from '../../src/store/postgres/schema.ts';
import { seededRandom, shuffled } from '../fixtures/seeded-random.ts';
import { GatewayStandIn } from '../integration/agent/gateway-stand-in.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { type EarlierProgram, earlierProgram, migrateServerBy } from './earlier-program.ts';
import { type Program, THIS_PROGRAM } from './fleet.ts';
import type { RunToBegin } from './run-worker.ts';

/** `npm run test:upgrade` asks for 1,000; `npm run test:all` leaves it out. */
const COUNT = Number(process.env.UPGRADE_PROPOSALS ?? 0);
/** So many runs of one person: each of another order, or two would be one. */
const OF_ONE = 10;
const WAIT_MS = 60_000 + COUNT * 1_000;
const SCRIPT = fileURLToPath(new URL('run-worker.ts', import.meta.url));

/** What the agent is at a server. */
const PARTS = ['src/agent', 'src/jobs', 'src/server', 'src/store'];

const programs = postgresPrograms();
const earlier: EarlierProgram | undefined =
  COUNT > 0 && programs !== undefined ? earlierProgram(PARTS) : undefined;

let cluster: Cluster;
let owner: string;
const gateway = new GatewayStandIn();
const running = new Set<ChildProcess>();
beforeAll(async () => {
  if (programs === undefined || earlier === undefined) return;
  cluster = await startCluster(programs, { durable: true });
  owner = cluster.address(SUPERUSER, 'postgres');
  migrateServerBy(earlier.folder, owner);
  await runSql(owner, `CREATE ROLE agents LOGIN IN ROLE ${appOf(stateSchema.name)}`);
  await gateway.start();
});
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(async () => {
  await gateway.stop();
  await cluster?.remove();
  earlier?.remove();
});

/** A worker of one program or another. */
async function startWorker(program: Program) {
  const args = [
    '--no-warnings',
    SCRIPT,
    program,
    cluster.address('agents', 'postgres'),
    'fleet',
    gateway.url,
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  running.add(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += String(chunk);
  });
  await expect.poll(() => said, { timeout: 60_000 }).toContain('ready');
  return {
    begin: (runs: readonly RunToBegin[]) => void child.stdin.write(`${JSON.stringify(runs)}\n`),
    turns: () => said.match(/^did /gm)?.length ?? 0,
    errors: () => said.match(/^error .*$/gm) ?? [],
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      running.delete(child);
    },
  };
}

const counted = async (state: string): Promise<number> => {
  const [found] = await runSql(
    owner,
    `SELECT count(*)::int AS count FROM trade_agent_state.runs WHERE state = '${state}'`,
  );
  const [row] = (found?.rows ?? []) as { count: number }[];
  return row?.count ?? 0;
};
const runsFrom = (first: number, count: number): RunToBegin[] =>
  Array.from({ length: count }, (_, index) => {
    const n = first + index;
    const limit = (100 + (n % OF_ONE)).toFixed(2);
    const person = `person-${Math.floor(n / OF_ONE)}`;
    return { id: `run-${n}`, person, prompt: `buy 1 AAPL limit ${limit}` };
  });

it.runIf(earlier !== undefined)(
  `${COUNT} runs that wait under an earlier program (${earlier?.commit.slice(0, 8)}) are carried on while its worker and this one's work beside each other, and then this one's alone`,
  async () => {
    const old = await startWorker((earlier as EarlierProgram).folder);
    old.begin(runsFrom(0, COUNT));
    await expect.poll(() => counted('waiting'), { timeout: WAIT_MS, interval: 500 }).toBe(COUNT);
    migrateServerBy(THIS_PROGRAM, owner);

    const young = await startWorker(THIS_PROGRAM);
    // Begun by the new one, taken up by either.
    const more = Math.ceil(COUNT / 5);
    young.begin(runsFrom(COUNT, more));
    const all = COUNT + more;
    await expect.poll(() => gateway.proposals.asked.length, { timeout: WAIT_MS, interval: 500 }).toBe(all);
    const before = [old.turns(), young.turns()] as const;
    const asked = shuffled(gateway.proposals.asked, seededRandom(1));
    const half = Math.floor(all / 2);
    for (const { id } of asked.slice(0, half)) gateway.proposals.decideOn(id, 'approve');
    await expect.poll(() => counted('ended'), { timeout: WAIT_MS, interval: 500 }).toBe(half);
    const beside = [old.turns() - before[0], young.turns() - before[1]] as const;
    for (const { id } of asked.slice(half)) gateway.proposals.decideOn(id, 'approve');
    await old.end();
    await expect.poll(() => counted('ended'), { timeout: WAIT_MS, interval: 500 }).toBe(all);
    await young.end();

    process.stderr.write(
      `${all} runs: beside each other the earlier worker took ${beside[0]} turns, this one's ${beside[1]}\n`,
    );
    expect(Math.min(...beside)).toBeGreaterThan(0);
    expect(gateway.proposals.asked).toHaveLength(all);
    expect(gateway.book).toHaveLength(all);
    const [results] = await runSql(
      owner,
      `SELECT event::jsonb->'result'->>'status' AS status, count(*)::int AS runs FROM trade_agent_state.run_events
       WHERE event::jsonb->>'type' = 'result' GROUP BY 1`,
    );
    expect(results?.rows).toEqual([{ status: 'done', runs: all }]);
    expect([...old.errors(), ...young.errors()]).toEqual([]);
  },
  3_600_000,
);
