// Measures two gateways on one database with many pending proposals: the processor time of a proposal and an approval, the
// memory and processor time of waiting, and the time from approval to fill. Then prints the plans of the hot statements.
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../../../test/fleet/fleet.ts';
import { leaveWaiting } from '../../../test/fleet/leave-waiting.ts';
import { tapped } from '../../../test/load/many-proposals.ts';
import { startLoadWorld } from '../../../test/load/world.ts';
import { startDatabase } from './cluster.mjs';
import { memoryOf, processorOf, sumOf } from './processes.mjs';

const PENDING = Number(process.env.FLEET_PENDING ?? 100_000);
const TAPS = Number(process.env.FLEET_TAPS ?? 100);
const IDLE_MS = Number(process.env.FLEET_IDLE_MS ?? 30_000);
/** Proposals before the measurement, to load modules and compile code. */
const WARM_UP = 300;
const GATEWAYS = 2;
/** Approvals after which each gateway has handled at least one. */
const CATCH_UP = 20;
const MIB = 2 ** 20;

export async function benchPending() {
  const database = await startDatabase();
  const fleet = await startFleet(GATEWAYS, { address: database.address, tenant: 'bench' });
  const world = await startLoadWorld({ startGateway: async () => fleet });
  const took = () => ({
    at: performance.now(),
    gateways: sumOf(fleet.pids(), processorOf),
    server: database.processor(),
  });
  const memory = () => ({ gateways: sumOf(fleet.pids(), memoryOf), server: database.memory() });
  let number = 0;
  const propose = () => world.propose((0.01 + ++number / 1_000_000).toFixed(6), `bench-${number}`);
  /** @param idle processor time of waiting, in milliseconds per second */
  const tapsOf = async (count, idle = { gateways: 0, server: 0 }) => {
    const proposals = [];
    const before = took();
    for (let n = 0; n < count; n++) proposals.push(await propose());
    const proposed = took();
    const lasted = [];
    for (const one of proposals) {
      const { at, until } = await tapped(world, one);
      lasted.push(until - at);
    }
    // Includes notifications and writes after the response.
    await sleep(500);
    const all = took();
    return {
      lasted,
      propose: each(before, proposed, count, idle),
      approve: each(proposed, all, count, idle),
    };
  };
  try {
    await tapsOf(WARM_UP);
    // Autovacuum does this within a minute. Until then, plans made for empty tables are used.
    await database.query('ANALYZE');
    const few = await tapsOf(TAPS);
    const before = memory();
    const where = { address: database.address, tenant: 'bench' };
    await leaveWaiting({ where, provider: world.provider, like: (await propose()).id, count: PENDING });
    await database.query('ANALYZE');
    console.log(`${PENDING} proposals wait at ${GATEWAYS} gateways over one PostgreSQL`);
    // Each gateway's copy of the audit log lacks the entries written directly, and no order is sent before it is complete.
    await tapsOf(CATCH_UP);
    const full = memory();
    const from = took();
    await sleep(IDLE_MS);
    const idle = each(from, took(), IDLE_MS / 1000);
    const scanned = await rowsScanned(database);
    const many = await tapsOf(TAPS, idle);
    await sleep(1_500);
    const scans = Object.entries(await rowsScanned(database)).map(([table, rows]) => [
      table,
      rows - (scanned[table] ?? 0),
    ]);
    const { rows } = await database.query(
      `SELECT count(*) FILTER (WHERE state = 'requested')::int AS waiting, pg_total_relation_size('proposals')::int / count(*) AS size FROM proposals`,
    );
    const [{ waiting, size }] = rows;
    console.log(`  waiting: ${waiting}; a row with its indexes is ${(Number(size) / 1024).toFixed(1)} KiB`);
    for (const [what, figures] of [
      ['gateways', 'gateways'],
      ['PostgreSQL', 'server'],
    ]) {
      const grown = (full[figures] - before[figures]) / PENDING / 1024;
      console.log(
        `  memory of ${what}: ${(full[figures] / MIB).toFixed(0)} MiB (${grown.toFixed(1)} KiB each that waits)`,
      );
    }
    const share = (ms) => `${(ms / 10).toFixed(1)} %`;
    console.log(
      `  waiting: ${share(idle.gateways)} of a core for the gateways, ${share(idle.server)} for PostgreSQL (aim: 5 %)`,
    );
    for (const [when, { propose, approve, lasted }] of [
      ['with few', few],
      ['with all', many],
    ]) {
      console.log(
        `  ${when}: a proposal ${shown(propose)}, an approval ${shown(approve)} (aims: 10 and 11 ms, all of it)`,
      );
      console.log(
        `  ${when}: tap to fill ${part(lasted, 0.5)} ms (median), ${part(lasted, 0.95)} (95 %) (aims: 100, 300)`,
      );
    }
    const whole = scans.filter(([, rows]) => rows > PENDING);
    console.log(
      `  read whole, meanwhile: ${whole.length === 0 ? 'no table of many rows' : whole.map(([table, rows]) => `${table} (${rows} rows)`).join(', ')}`,
    );
  } finally {
    await world.close();
    await database.close();
  }
}

/** Returns the rows read by sequential scans, by table. */
async function rowsScanned(database) {
  const { rows } = await database.query('SELECT relname AS name, seq_tup_read::int AS rows FROM pg_stat_user_tables');
  return Object.fromEntries(rows.map(({ name, rows: read }) => [name, read]));
}

/** Returns the processor time of each in milliseconds, without the cost of waiting. */
function each(from, until, count, idle = { gateways: 0, server: 0 }) {
  const waited = (until.at - from.at) / 1000;
  const of = (who) => ((until[who] - from[who]) * 1000 - waited * idle[who]) / count;
  return { gateways: of('gateways'), server: of('server') };
}

const shown = ({ gateways, server }) => `${gateways.toFixed(1)} + ${server.toFixed(1)} ms`;
const part = (values, share) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)].toFixed(0);
