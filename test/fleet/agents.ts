import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { AgentServer } from '../../src/home/identity-provider/servers/agent-server.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { startCommand } from '../e2e/world.ts';
import { freePort } from '../free-port.ts';
import { type Cluster, SUPERUSER } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { startBalancer } from './balancer.ts';
import { breakable, endAll, type Member, startServing } from './processes.ts';

/** Runs that a worker drives at once. */
const CONCURRENCY = '4';
const CLIENT = 'agents';

/** Servers behind one address, and workers, over one database, made and run by the public commands. */
export async function prepareAgents(
  cluster: Pick<Cluster, 'address'>,
  counts: { readonly servers: number; readonly workers: number },
) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-agents-'));
  const home = join(folder, 'server');
  mkdirSync(home, { mode: 0o700 });
  const owner = cluster.address(SUPERUSER, 'postgres');
  const env = {
    ...{ HOME: folder, TRADE_AGENT_HOME: join(folder, 'operator') },
    ...{ SERVER_URL: cluster.address('agents', 'postgres'), OWNER_URL: owner },
  };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await startCommand(args, { env }).finished;
    if (code !== 0) throw new Error(`"${args.join(' ')}" ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  const { jwk } = JSON.parse(await run('server', 'key', '--home', home, '--output', 'json')) as { jwk: JWK };
  const members: Record<'server' | 'worker', Pick<Member, 'child'>[]> = { server: [], worker: [] };
  const ports = await Promise.all(Array.from({ length: counts.servers }, () => freePort()));
  const balancer = await startBalancer(() => ports);
  const startAt = (role: 'server' | 'worker') => async (index: number) => {
    const more = role === 'server' ? ['--port', String(ports[index])] : ['--concurrency', CONCURRENCY];
    members[role][index] = await startServing({
      args: [role, '--home', home, ...more],
      env,
      readyFile: join(folder, `${role}-${index}.ready`),
      logFile: join(folder, `${role}-${index}.log`),
    });
  };
  const server: AgentServer = { client_id: CLIENT, address: balancer.url, jwks: { keys: [jwk] } };
  return {
    /** As the home knows them. */
    server,
    servers: breakable(members.server, counts.servers, startAt('server')),
    workers: breakable(members.worker, counts.workers, startAt('worker')),
    /** Starts them. @param address of the home whose people and orders they serve */
    async open(address: string): Promise<void> {
      const settings = {
        ...{ address: server.address, issuer: address, client_id: CLIENT, gateway: address },
        ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
      };
      writeFileSync(join(home, 'server.yaml'), JSON.stringify(settings));
      await run('server', 'key', '--add-wrapping-key', '--home', home);
      await run('server', 'migrate', '--url-env', 'OWNER_URL', '--home', home);
      await runSql(owner, `CREATE ROLE agents LOGIN IN ROLE ${appRole(stateSchema.name)}`);
      for (let n = 0; n < counts.servers; n++) await startAt('server')(n);
      for (let n = 0; n < counts.workers; n++) await startAt('worker')(n);
    },
    async close(): Promise<void> {
      await endAll([...members.server, ...members.worker]);
      await balancer.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
