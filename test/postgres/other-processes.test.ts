import pg from 'pg';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import type { OtherProcesses, ProcessNotification } from '../../src/store/other-processes.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { drafted } from './support/filled-stores.ts';

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
  const died = () => sql(`UPDATE gateways SET until = now() - interval '1 second' WHERE tenant = '${tenant}'`);
  const draft = (process: Process, id: string) => drafted(process.stores, id, 1000);

  beforeEach(async () => {
    tenant = newTenant();
    [one, two] = await Promise.all([open(tenant), open(tenant)]);
  });
  afterEach(() => Promise.all(both().map(({ others }) => others.leave())));

  it('have each open proposal looked after by one of them', async () => {
    const [first, second] = both();
    await draft(first, 'pr_1');
    const takes = await Promise.all(Array.from({ length: 10 }, (_, n) => [first, second][n % 2]?.others.take('pr_1')));
    const whose = takes[0] === true ? 0 : 1;
    expect(takes).toEqual(Array.from({ length: 10 }, (_, n) => n % 2 === whose));
  });

  it('leave it to whose it is as long as that one lives', async () => {
    const [first, second] = both();
    await draft(first, 'pr_1');
    expect(await first.others.take('pr_1')).toBe(true);
    await first.others.renew();
    expect(await second.others.renew()).toEqual({ taken: [], lapsed: false, died: false });
    await first.others.leave();
    expect(await second.others.renew()).toEqual({ taken: ['pr_1'], lapsed: false, died: false });
  });

  it('take what is nobody’s, and what a dead one had, once', async () => {
    const [first, second] = both();
    await draft(first, 'pr_1');
    await draft(first, 'pr_2');
    await first.others.take('pr_1');
    await died();
    const third = await open(tenant);
    const renewed = await Promise.all([second.others.renew(), third.others.renew()]);
    expect(renewed.flatMap(({ taken }) => taken).toSorted()).toEqual(['pr_1', 'pr_2']);
    expect(renewed.map((each) => each.died).toSorted()).toEqual([false, true]);
    await third.others.leave();
  });

  it('leave to a new one what it took while another looked for the same', async () => {
    const [first, second] = both();
    await second.others.renew();
    await draft(first, 'pr_1');
    const client = new pg.Client({ connectionString: server.superuser });
    await client.connect();
    try {
      // It lives, and takes it, in a unit of work that nobody sees the end of yet.
      await client.query(`SET search_path = ${gatewaySchema.name}`);
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO gateways (tenant, name, until) VALUES ('${tenant}', 'new', now() + interval '1 minute')`,
      );
      await client.query(`UPDATE proposals SET attendant = 'new' WHERE tenant = '${tenant}'`);
      let isOver = false;
      const renewed = second.others.renew().finally(() => {
        isOver = true;
      });
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
      await expect.poll(async () => isOver || (await runSql(server.superuser, waiting))[0]?.rowCount === 1).toBe(true);
      await client.query('COMMIT');
      expect((await renewed).taken).toEqual([]);
      expect((await second.others.renew()).taken).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('take all of what a dead one had, however much it is', async () => {
    const [first, second] = both();
    await draft(first, 'pr_0');
    const copy = `jsonb_populate_record(p, jsonb_build_object(
      'id', 'pr_' || n, 'subject_id', 'ta-' || n, 'version', p.version + n, 'attendant', 'dead'))`;
    await sql(
      `INSERT INTO proposals SELECT (${copy}).* FROM proposals p, generate_series(1, 2500) n WHERE tenant = '${tenant}'`,
    );
    const renewed = await Promise.all([first.others.renew(), second.others.renew()]);
    const taken = renewed.flatMap((each) => each.taken);
    expect(taken).toHaveLength(2501);
    expect(new Set(taken).size).toBe(2501);
  });

  it('tell one that stood still that it was taken for dead, and what is its own still', async () => {
    const [first, second] = both();
    await first.others.renew();
    await draft(first, 'pr_1');
    await first.others.take('pr_1');
    await died();
    await second.others.renew();
    await draft(first, 'pr_2');
    await first.others.take('pr_2');
    expect(await first.others.renew()).toEqual({ taken: ['pr_2'], lapsed: true, died: false });
    expect(await first.others.renew()).toEqual({ taken: [], lapsed: false, died: false });
  });

  it('take nothing that is settled', async () => {
    const [first, second] = both();
    const proposal = await draft(first, 'pr_1');
    await first.stores.proposals.change(
      proposal,
      { ...proposal, state: 'cancelled', token: 'erased' },
      { event: 'cancelled', facts: {} },
      { now: 1001 },
    );
    expect((await second.others.renew()).taken).toEqual([]);
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
    await elsewhere.others.leave();
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
