import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addServerWrappingKey, createOrShowServerKey, migrateServer } from '../../src/app/server/server-places.ts';
import type { AgentServer } from '../../src/home/identity-provider/servers/agent-server.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { type Cluster, SUPERUSER } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import type { AgentLoad } from './agent-process.ts';
import { startBalancer } from './balancer.ts';
import { breakable, endAll, heard, type Member } from './processes.ts';

/** Runs that a worker drives at once. */
const CONCURRENCY = 4;

/** Servers behind one address, and workers, over one database. */
export async function prepareAgents(
  cluster: Pick<Cluster, 'address'>,
  counts: { readonly servers: number; readonly workers: number },
) {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-agents-'));
  const places = { home: join(home, 'server'), config: join(home, 'server', 'server.yaml') };
  mkdirSync(places.home, { mode: 0o700 });
  const { jwk } = await createOrShowServerKey(places, { show: false, kty: 'EC' });
  const owner = cluster.address(SUPERUSER, 'postgres');
  const env = { SERVER_URL: cluster.address('agents', 'postgres'), OWNER_URL: owner };
  const servers: Member[] = [];
  const workers: Member[] = [];
  const balancer = await startBalancer(() => servers.map(({ port }) => port));
  const start = async (role: AgentLoad['role']): Promise<Member> => {
    const load: AgentLoad = { role, places, concurrency: CONCURRENCY };
    const child = fork(fileURLToPath(new URL('agent-process.ts', import.meta.url)), [JSON.stringify(load)], {
      execArgv: ['--no-warnings'],
      env: { ...process.env, ...env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const said = String(await heard(child));
    return { child, port: role === 'server' ? Number(new URL(said).port) : 0 };
  };
  const startAt = (members: Member[], role: AgentLoad['role']) => async (index: number) => {
    members[index] = await start(role);
  };
  const server: AgentServer = { client_id: 'agents', address: balancer.url, jwks: { keys: [jwk] } };
  return {
    /** As the identity provider knows them. */
    server,
    servers: breakable(servers, counts.servers, startAt(servers, 'server')),
    workers: breakable(workers, counts.workers, startAt(workers, 'worker')),
    /** Starts them. @param at whose people and orders they serve */
    async open({ issuer, gateway }: { issuer: string; gateway: string }): Promise<void> {
      const settings = {
        ...{ address: server.address, issuer, client_id: server.client_id, gateway },
        ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
      };
      writeFileSync(places.config, JSON.stringify(settings));
      await addServerWrappingKey(places);
      await migrateServer({ env }, places, { url_env: 'OWNER_URL' });
      await runSql(owner, `CREATE ROLE agents LOGIN IN ROLE ${appRole(stateSchema.name)}`);
      for (let n = 0; n < counts.servers; n++) servers.push(await start('server'));
      for (let n = 0; n < counts.workers; n++) workers.push(await start('worker'));
    },
    async close(): Promise<void> {
      await endAll([...servers, ...workers]);
      await balancer.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
