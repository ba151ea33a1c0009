import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addServerWrappingKey, createOrShowServerKey, migrateServer } from '../../src/app/server/server-places.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appRole } from '../../src/store/postgres/schema.ts';
import { freePort } from '../free-port.ts';
import { running } from '../postgres/server/served.ts';
import { postgresPrograms, SUPERUSER, startCluster } from '../postgres/support/cluster.ts';
import { runSql } from '../postgres/support/database.ts';
import { SERVER_CLIENT, SERVER_LOGIN_CLIENT } from './realm.ts';

/** A server of agents before it serves: the realm must know its address and its key. */
export async function agentServer(folder: string) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const home = join(folder, 'agents');
  const places = { home, config: join(home, 'server.yaml') };
  mkdirSync(home, { mode: 0o700 });
  const { jwk } = await createOrShowServerKey(places, { show: false, kty: 'EC' });
  return {
    address,
    jwk,
    /** With a worker, over a PostgreSQL of its own; undefined where this machine has none. */
    async serve(issuer: string, gateway: string) {
      const programs = postgresPrograms();
      if (programs === undefined) return undefined;
      const cluster = await startCluster(programs);
      const env = {
        OWNER_URL: cluster.address(SUPERUSER, 'postgres'),
        SERVER_URL: cluster.address('agents', 'postgres'),
      };
      const settings = {
        ...{ address, issuer, gateway, client_id: SERVER_CLIENT, login_client: SERVER_LOGIN_CLIENT },
        ...{ database: { url_env: 'SERVER_URL' }, kms: { file: 'wrapping-keys.json' } },
      };
      writeFileSync(places.config, JSON.stringify(settings));
      await addServerWrappingKey(places);
      await migrateServer({ env }, places, { url_env: 'OWNER_URL' });
      await runSql(env.OWNER_URL, `CREATE ROLE agents LOGIN IN ROLE ${appRole(stateSchema.name)}`);
      const { server, worker, stop } = running({ places, env, port });
      await Promise.all([server(), worker()]);
      return {
        async close() {
          await stop();
          await cluster.remove();
        },
      };
    },
  };
}
