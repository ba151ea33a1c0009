// A PostgreSQL of a benchmark's own, as an operator would set it up, and what it takes of the machine.
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { migrate } from '../../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../../src/store/postgres/migrations/gateway.ts';
import { appOf } from '../../../src/store/postgres/schema.ts';
import { postgresPrograms, SUPERUSER, startCluster } from '../../../test/postgres/support/cluster.ts';

/** Clock ticks a second in /proc (Linux: USER_HZ). */
const TICKS = 100;

/** Waits for the disk, as one must that others rely on. @throws where there is no PostgreSQL on this machine */
export async function startDatabase() {
  const programs = postgresPrograms();
  if (programs === undefined)
    throw new Error('there is no PostgreSQL here (Debian: apt-get install postgresql)');
  const cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrate(owner, gatewaySchema);
  const client = new pg.Client({ connectionString: owner });
  await client.connect();
  await client.query(`CREATE ROLE gateways LOGIN IN ROLE ${appOf(gatewaySchema.name)}`);
  await client.query(`SET search_path = ${gatewaySchema.name}`);
  return {
    /** As the gateways sign in. */
    address: cluster.address('gateways', 'postgres'),
    /** As one whom row security does not hold. */
    query: (text, values) => client.query(text, values),
    processor: () => ofServer(({ stat }) => (stat[11] + stat[12] + stat[13] + stat[14]) / TICKS),
    /** Bytes, what processes share counted once. */
    memory: () => ofServer(({ pid }) => proportionalSize(pid)),
    async close() {
      await client.end();
      await cluster.remove();
    },
  };
}

/** Bytes of a process's own, and its part of what it shares. */
export function proportionalSize(pid) {
  const [, kibibytes = 0] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

/** Sums up over the server's processes; what those took that have ended is in their parent's. */
function ofServer(figure) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(statOf);
  const server = all.find(({ parent, name }) => parent === process.pid && name === 'postgres');
  const its = all.filter(({ pid, parent }) => pid === server?.pid || parent === server?.pid);
  return its.reduce((sum, one) => sum + figure(one), 0);
}

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [, name = '', rest = ''] = /\((.*)\) (.*)$/s.exec(text) ?? [];
    // Fields from the third on (proc_pid_stat(5)); `stat[11]` is utime, of its own, `stat[13]` of its children.
    const stat = rest.split(' ').map(Number);
    return [{ pid: Number(pid), name, parent: stat[1], stat }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
