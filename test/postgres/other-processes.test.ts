import { beforeEach, expect, it, vi } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import type { OtherProcesses, ProcessNotification } from '../../src/store/other-processes.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';

interface Process {
  readonly stores: GatewayStores;
  readonly others: OtherProcesses;
  readonly heard: ProcessNotification[];
}

withPostgres('gateways over one database', () => {
  const server = blockDatabase(gatewaySchema);
  let tenant: string;
  let [one, two]: Process[] = [];
  const open = async (of: string): Promise<Process> => {
    const stores = await postgresGatewayStores(await server.open(of));
    const { others } = stores;
    if (others === undefined) throw new Error('there are none');
    const heard: ProcessNotification[] = [];
    others.subscribe((news) => heard.push(news));
    // It says so once it listens.
    await vi.waitFor(() => expect(heard).toEqual(['missed']));
    heard.length = 0;
    return { stores, others, heard };
  };
  const both = (): [Process, Process] => {
    if (one === undefined || two === undefined) throw new Error('not opened');
    return [one, two];
  };
  const sql = (text: string) => runSql(server.superuser, `SET search_path = ${gatewaySchema.name}`, text);

  beforeEach(async () => {
    tenant = newTenant();
    [one, two] = await Promise.all([open(tenant), open(tenant)]);
  });

  it('hear each other, and not themselves, and no other tenant', async () => {
    const [first, second] = both();
    const elsewhere = await open(newTenant());
    elsewhere.others.notify({ moved: 'theirs' });
    first.others.notify({ moved: 'pr_1' });
    await vi.waitFor(() => expect(second.heard).toEqual([{ moved: 'pr_1' }]));
    second.others.notify({ landed: 'ta-1' });
    await vi.waitFor(() => expect(first.heard).toEqual([{ landed: 'ta-1' }]));
    expect([second.heard, elsewhere.heard]).toEqual([[{ moved: 'pr_1' }], []]);
  });

  it('listen again where their connections were cut, and say that they may have missed something', async () => {
    const [first, second] = both();
    await sql(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    await vi.waitFor(() => expect(second.heard).toEqual(['missed']), 5_000);
    first.others.notify({ moved: 'pr_1' });
    await vi.waitFor(() => expect(second.heard).toEqual(['missed', { moved: 'pr_1' }]));
  });
});
