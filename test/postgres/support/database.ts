import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { migrateSchema } from '../../../src/store/postgres/migrate.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { openPool } from '../../../src/store/postgres/pool.ts';
import { appRole, type DatabaseSchema, sweeperRole } from '../../../src/store/postgres/schema.ts';
import { createTenantDatabase, type TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';
import { SUPERUSER, socketAddress } from './cluster.ts';

/** For tests that need PostgreSQL: left out where there is none (`setup.ts` says so, or fails). */
export const withPostgres = describe.runIf(inject('postgresHost') !== undefined);

export type TestDatabase = Awaited<ReturnType<typeof migratedDatabase>>;

/** A new and empty database, whose owner may make roles but is no superuser. */
export async function emptyDatabase() {
  const name = `t_${randomBytes(6).toString('hex')}`;
  const address = addressOf(SUPERUSER, name);
  await asSuperuser('postgres', `CREATE ROLE ${name} LOGIN CREATEROLE`, `CREATE DATABASE ${name} OWNER ${name}`);
  return {
    owner: addressOf(name, name),
    /** Row security does not hold for it: to look at what is really there. */
    superuser: address,
    drop: () => asSuperuser('postgres', `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

export const newTenant = (): string => `tenant-${randomBytes(6).toString('hex')}`;

/** A database of its own, with logins as an operator would make them. */
export async function migratedDatabase(schema: DatabaseSchema) {
  const empty = await emptyDatabase();
  await migrateSchema(empty.owner, schema);
  const name = databaseOf(empty.owner);
  const [app, sweeper] = [`${name}_app`, `${name}_sweeper`];
  await asSuperuser(
    name,
    `CREATE ROLE ${app} LOGIN IN ROLE ${appRole(schema.name)}`,
    `CREATE ROLE ${sweeper} LOGIN IN ROLE ${sweeperRole(schema.name)}`,
  );
  const opened: TenantDatabase[] = [];
  const pools: pg.Pool[] = [];
  return {
    ...empty,
    app: addressOf(app, name),
    sweeper: addressOf(sweeper, name),
    /** A new tenant's part, as the application opens it; closed with the database. @param tenant an earlier one again */
    async open(tenant = newTenant()): Promise<TenantDatabase> {
      const database = await openDatabase({ address: addressOf(app, name), schema, tenant, max: 8 });
      opened.push(database);
      return database;
    },
    /** The same over connections shared by tenants: to open new ones takes longer than most tests. */
    async lend(): Promise<(tenant: string) => TenantDatabase> {
      const pool = await openPool({ address: addressOf(app, name), schema: schema.name, max: 8 });
      pools.push(pool);
      return (tenant) => {
        const lent = {
          async connect() {
            const client = await pool.connect();
            await client.query("SELECT set_config('ta.tenant', $1, false)", [tenant]);
            return client;
          },
          end: async () => undefined,
          ...{ options: pool.options, totalCount: 0, idleCount: 0, waitingCount: 0 },
        };
        return createTenantDatabase(tenant, { synced: lent, unsynced: lent });
      };
    },
    async drop(): Promise<void> {
      await Promise.all([...opened.map((database) => database.close()), ...pools.map((pool) => pool.end())]);
      await empty.drop();
    },
  };
}

export const blockDatabase = (schema: DatabaseSchema): TestDatabase => forBlock(() => migratedDatabase(schema));

/** Makes a database before the tests of a block, and drops it after them. */
export function forBlock(make: () => Promise<TestDatabase>): TestDatabase {
  const made = {} as TestDatabase;
  beforeAll(async () => void Object.assign(made, await make()));
  afterAll(() => made.drop?.());
  return made;
}

/** Runs statements one by one, each as it is, without a transaction. */
export async function runSql(address: string, ...statements: string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({ connectionString: address });
  await client.connect();
  try {
    const results: pg.QueryResult[] = [];
    for (const statement of statements) results.push(await client.query(statement));
    return results;
  } finally {
    await client.end();
  }
}

async function asSuperuser(database: string, ...statements: string[]): Promise<void> {
  await runSql(addressOf(SUPERUSER, database), ...statements);
}

function addressOf(user: string, database: string): string {
  const host = inject('postgresHost');
  if (host === undefined) throw new Error('there is no PostgreSQL on this machine');
  return socketAddress(host, user, database);
}

const databaseOf = (address: string): string => new URL(address).pathname.slice(1);
