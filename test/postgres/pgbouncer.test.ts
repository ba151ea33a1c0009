import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import type { ProcessNotification } from '../../src/store/other-processes.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { openDatabase } from '../../src/store/postgres/open-database.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { proposalsIn } from '../contract/stores/drafted-proposals.ts';
import { socketAddress, unprivileged } from './support/cluster.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

const PROGRAM = '/usr/sbin/pgbouncer';
/** Fewer than there are clients: every transaction may get another's connection. */
const SERVER_CONNECTIONS = 3;
const PROPOSALS = 150;

withPostgres('behind PgBouncer in transaction mode', () => {
  const server = blockDatabase(gatewaySchema);
  const opened: TenantDatabase[] = [];
  let folder: string;
  let bouncer: ChildProcess | undefined;
  beforeAll(async () => {
    if (!existsSync(PROGRAM)) return;
    folder = mkdtempSync(join(tmpdir(), 'ta-pgb-'));
    const login = new URL(server.app).searchParams.get('user');
    const settings = `
      [databases]
      * = host=${inject('postgresHost')}
      [pgbouncer]
      listen_addr =
      unix_socket_dir = ${folder}
      auth_type = trust
      auth_file = ${join(folder, 'users.txt')}
      pool_mode = transaction
      default_pool_size = ${SERVER_CONNECTIONS}
      max_client_conn = 200`;
    writeFileSync(join(folder, 'users.txt'), `"${login}" ""\n`);
    writeFileSync(join(folder, 'pgbouncer.ini'), settings.replaceAll(/^ +/gm, ''));
    const user = unprivileged();
    if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
    bouncer = spawn(PROGRAM, ['-q', join(folder, 'pgbouncer.ini')], { ...user, cwd: folder, stdio: 'ignore' });
    await vi.waitFor(() => expect(existsSync(join(folder, '.s.PGSQL.6432'))).toBe(true), 10_000);
  });
  afterAll(async () => {
    await Promise.all(opened.map((database) => database.close()));
    if (bouncer === undefined) return;
    const ended = once(bouncer, 'exit');
    bouncer.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  const open = async (tenant: string): Promise<GatewayStores> => {
    const direct = new URL(server.app);
    const login = direct.searchParams.get('user') ?? '';
    const address = `${socketAddress(folder, login, direct.pathname.slice(1))}&port=6432`;
    const database = await openDatabase({ address, direct: direct.href, schema: gatewaySchema, tenant });
    opened.push(database);
    return await postgresGatewayStores(database);
  };

  it.runIf(existsSync(PROGRAM))('every transaction is its own tenant’s, whichever connection it gets', async () => {
    const tenants = [newTenant(), newTenant(), newTenant()];
    const all = await Promise.all(tenants.map(open));
    await Promise.all(
      all.map(async ({ proposals, queue }, index) => {
        const { drafted, change } = proposalsIn(proposals);
        await Promise.all(
          Array.from({ length: PROPOSALS / 3 }, async (_, n) => {
            const proposal = await drafted(`pr_${index}_${n}`, { sub: `person-${n}` });
            expect(await queue.claim(proposal.id, false)).toBe(true);
            await change(proposal, { state: 'cancelled', token: 'erased' });
          }),
        );
      }),
    );
    for (const [index, { proposals }] of all.entries()) {
      const ids = (await proposals.list({ state: 'all' })).map(({ id }) => id);
      expect(ids).toHaveLength(PROPOSALS / 3);
      expect(ids.every((id) => id.startsWith(`pr_${index}_`))).toBe(true);
    }
  });

  it.runIf(existsSync(PROGRAM))('gateways hear each other, by the address without the pooler', async () => {
    const tenant = newTenant();
    const [one, two] = await Promise.all([open(tenant), open(tenant)]);
    const heard: ProcessNotification[] = [];
    two.others?.subscribe((news) => heard.push(news));
    await vi.waitFor(() => expect(heard).toEqual(['missed']));
    one.others?.notify({ moved: 'pr_1' });
    await vi.waitFor(() => expect(heard).toEqual(['missed', { moved: 'pr_1' }]));
  });
});
