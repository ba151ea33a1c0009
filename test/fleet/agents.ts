import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addServerWrappingKey, migrateServer, serverKey } from '../../src/app/server/server-places.ts';
import type { AgentServer } from '../../src/home/identity-provider/servers/agent-server.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appOf } from '../../src/store/postgres/schema.ts';
import { type Cluster, SUPERUSER } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import type { AgentLoad } from './agent-process.ts';
import { startBalancer } from './balancer.ts';
import { type Breakable, heard, standStill } from './processes.ts';

/** Servers behind one address, and workers, over one database. */
export interface Agents {
  /** As the identity provider knows them. */
  readonly server: AgentServer;
  readonly servers: Breakable;
  readonly workers: Breakable;
  /** Starts them. @param at whose people and orders they serve */
  open(at: { readonly issuer: string; readonly gateway: string }): Promise<void>;
  close(): Promise<void>;
}

interface Member {
  readonly child: ChildProcess;
  /** Of a server. */
  readonly port: number;
}

/** Runs that a worker drives at once. */
const CONCURRENCY = 4;

export async function prepareAgents(
  cluster: Pick<Cluster, 'address'>,
  counts: { readonly servers: number; readonly workers: number },
): Promise<Agents> {
  const home = mkdtempSync(join(tmpdir(), 'trade-agent-agents-'));
  const places = { home: join(home, 'server'), config: join(home, 'server', 'server.yaml') };
  mkdirSync(places.home, { mode: 0o700 });
  const { jwk } = await serverKey(places, { show: false, kty: 'EC' });
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
  const breakable = (members: Member[], role: AgentLoad['role'], count: number): Breakable => ({
    count,
    async kill(index) {
      const { child } = members[index] as Member;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      members[index] = await start(role);
    },
    standStill: (index, ms) => standStill((members[index] as Member).child, ms),
  });
  const server = { client_id: 'agents', address: balancer.url, jwks: { keys: [jwk] } };
  return {
    server,
    servers: breakable(servers, 'server', counts.servers),
    workers: breakable(workers, 'worker', counts.workers),
    async open({ issuer, gateway }) {
      const settings = {
        ...{ address: server.address, issuer, client_id: server.client_id, gateway },
        ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
      };
      writeFileSync(places.config, JSON.stringify(settings));
      await addServerWrappingKey(places);
      await migrateServer({ env }, places, { url_env: 'OWNER_URL' });
      await runSql(owner, `CREATE ROLE agents LOGIN IN ROLE ${appOf(stateSchema.name)}`);
      for (let n = 0; n < counts.servers; n++) servers.push(await start('server'));
      for (let n = 0; n < counts.workers; n++) workers.push(await start('worker'));
    },
    async close() {
      const ending = [...servers, ...workers].map(async ({ child }) => {
        const ended = once(child, 'exit');
        child.send('close');
        await ended;
      });
      await Promise.all(ending);
      await balancer.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
