import { beforeAll, expect, it } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { TenantDatabase, Transaction } from '../../src/store/postgres/tenant-database.ts';
import { plainSigner } from '../fixtures/record-lines.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { drafted, granted } from './support/filled-stores.ts';

/** Enough that a plan which reads them all is never the cheaper one. */
const WAITING = 5_000;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Plan Rows': number;
  readonly Plans?: readonly Plan[];
}

/** Each statement's text, and which tables its plan reads whole. */
type Planned = { readonly text: string; readonly whole: readonly string[] };

/** Has each statement's plan noted before it is run. */
function planned(database: TenantDatabase, seen: Planned[]): TenantDatabase {
  const noting = (unit: Transaction): Transaction => {
    const note = async (...[text, values]: Parameters<Transaction['all']>) => {
      // Locks and settings have no plan worth a look.
      if (!/\b(proposals|record_lines|proposal_keys|standing_orders|mandates)\b/.test(text)) return;
      const [row] = await unit.all<{ 'QUERY PLAN': { Plan: Plan }[] }>(`EXPLAIN (FORMAT JSON) ${text}`, values);
      const [plan] = row?.['QUERY PLAN'] ?? [];
      seen.push({ text, whole: plan === undefined ? ['?'] : readWhole(plan.Plan) });
    };
    const noted = (by: Transaction['last']): Transaction['last'] => ({
      all: async <Row>(...statement: Parameters<Transaction['all']>) => {
        await note(...statement);
        return await by.all<Row>(...statement);
      },
      one: async <Row>(...statement: Parameters<Transaction['one']>) => {
        await note(...statement);
        return await by.one<Row>(...statement);
      },
      run: async (...statement) => {
        await note(...statement);
        return await by.run(...statement);
      },
    });
    return { execute: unit.execute, ...noted(unit), last: noted(unit.last) };
  };
  const within =
    (run: TenantDatabase['write']): TenantDatabase['write'] =>
    (work) =>
      run((unit) => work(noting(unit)));
  const { write, writeUnsynced, read } = database;
  return { ...database, write: within(write), writeUnsynced: within(writeUnsynced), read: within(read) };
}

function readWhole(plan: Plan, isLimited = plan['Node Type'] === 'Limit'): string[] {
  // Row security compares the tenant; an index read with that condition alone has all of the tenant's rows.
  const isWhole =
    plan['Node Type'] === 'Seq Scan' ||
    (!isLimited &&
      plan['Relation Name'] === 'record_lines' &&
      plan['Index Cond'] === '(tenant = current_tenant())' &&
      plan['Plan Rows'] >= WAITING);
  const own = isWhole ? [plan['Relation Name'] ?? '?'] : [];
  return [...own, ...(plan.Plans ?? []).flatMap((one) => readWhole(one, isLimited || one['Node Type'] === 'Limit'))];
}

withPostgres('with thousands of proposals and standing orders that wait', () => {
  const server = blockDatabase(gatewaySchema);
  let stores: GatewayStores;
  const seen: Planned[] = [];
  beforeAll(async () => {
    const database = await server.open(newTenant());
    const filling = await postgresGatewayStores(database);
    await drafted(filling, 'pr_1', 1000);
    await granted(filling);
    const copy = `jsonb_populate_record(p, jsonb_build_object(
      'id', 'pr_waits' || n, 'sub', 'person-' || n / 20, 'subject_id', 'ta-waits-' || n, 'fingerprint', 'f-' || n,
      'state', 'requested', 'auth_req_id', 'waits-' || n, 'version', p.version + n, 'place', p.version + n,
      'due_at', now() + n * interval '1 second' - interval '1 minute'))`;
    await runSql(
      server.superuser,
      `SET search_path = ${gatewaySchema.name}`,
      `INSERT INTO proposals SELECT (${copy}).* FROM proposals p, generate_series(1, ${WAITING}) n`,
      `INSERT INTO record_lines (tenant, leaf, sub, about, line)
       SELECT tenant, n - 1, 'person-' || n / 20, 'pr_waits' || n, '{}' FROM proposals, generate_series(1, ${WAITING}) n WHERE proposals.id = 'pr_1'`,
      `INSERT INTO record_tree (tenant, size) SELECT tenant, ${WAITING} FROM proposals WHERE id = 'pr_1'`,
      `INSERT INTO mandates SELECT (jsonb_populate_record(m, jsonb_build_object('id', 'M-waits' || n))).*
       FROM mandates m, generate_series(1, ${WAITING}) n`,
      `INSERT INTO standing_orders SELECT (jsonb_populate_record(s, jsonb_build_object(
         'mandate', 'M-waits' || n, 'symbol', 'S' || n % 100, 'check_at', n))).*
       FROM standing_orders s, generate_series(1, ${WAITING}) n`,
      `SELECT setval('proposal_versions', ${2 * WAITING})`,
      'ANALYZE',
    );
    stores = await postgresGatewayStores(planned(database, seen));
  });

  const work: Readonly<Record<string, (stores: GatewayStores) => Promise<unknown>>> = {
    'a gateway claims what is due': ({ queue }) => queue.claimDue(16, 0),
    'one is claimed, and released': async ({ queue }) => [
      await queue.claim('pr_1', true),
      await queue.renew(['pr_1']),
      await queue.release('pr_1', 1000, 0),
    ],
    'one is drafted': (all) => drafted(all, 'pr_2', 1000),
    'one changes': async ({ proposals }) => {
      const one = await proposals.get('pr_1');
      if (one === undefined) throw new Error('it is not there');
      const change = { ...one, state: 'cancelled', token: 'erased' } as const;
      return proposals.change(one, change, { event: 'cancelled', facts: {} }, { now: 1001 });
    },
    'the provider calls about one': ({ proposals }) => proposals.byAuthReqId('waits-77'),
    'the phone is to be told': ({ proposals }) => proposals.unreported(),
    'a person looks at what is theirs': async ({ proposals }) => [
      await proposals.list({ sub: 'person-7', state: 'open' }),
      await proposals.list({ party: 'person-7', state: 'all', limit: 100 }),
    ],
    'a person follows what changes': ({ proposals }) => proposals.changedSince('person-7', 100),
    'a program asks under its key': ({ proposals }) =>
      proposals.keyed({ sub: 'alice', client: 'trade-agent', key: 'pr_1' }),
    'standing orders that are due are claimed, and released': async ({ standing }) =>
      standing.release(await standing.claimDue(250, 0), () => 15_000, 0),
    'a standing order ends with its mandate': async ({ standing, mandates }) => {
      await mandates.end({ sub: 'alice', id: 'M-waits7' }, 'revoked', 'phone', 1);
      const { orders } = await standing.claimDue(1, 0);
      const [seen] = orders;
      if (seen === undefined) throw new Error('nothing is due');
      await standing.step(seen, { ...seen, state: 'stopped', event: 'standing_ended' }, 1);
    },
    'the database is measured': async ({ queue, proposals, audit }) => [
      await queue.overdueMs(0),
      await proposals.oldestUnreported(),
      await audit.pendingCount(),
    ],
    'the record is sequenced': ({ audit }) => audit.sequence(plainSigner, true).catch(() => undefined),
    'the record’s lines about a proposal are found': ({ audit }) => audit.about(['pr_1', 'pr_2']),
    'a person’s lines of the record are listed': ({ audit }) => audit.listByPerson('person-7', 100),
    'a page of the record is read': ({ audit }) => audit.leaves(100, 10),
  };

  it.each(Object.keys(work))('no table is read whole when %s', async (name) => {
    seen.length = 0;
    await work[name]?.(stores);
    expect(seen.length).toBeGreaterThan(0);
    const large = ['proposals', 'record_lines', 'standing_orders', 'mandates'];
    expect(seen.filter(({ whole }) => whole.some((table) => large.includes(table)))).toEqual([]);
  });
});
