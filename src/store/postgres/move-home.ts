import { createHash } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import type { PoolClient } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import type { RuleTexts } from '../rule-store.ts';
import { migrateSchema } from './migrate.ts';
import { gatewaySchema } from './migrations/gateway.ts';
import { homeSchema } from './migrations/home.ts';
import { openPool } from './pool.ts';
import { appRole } from './schema.ts';
import { validateTenantName } from './tenant-database.ts';

/** A home's two SQLite databases, migrated to their latest versions. */
export interface SqliteHome {
  readonly gateway: Database.Database;
  readonly home: Database.Database;
}

/** How many rows each table of the destination has, by `SCHEMA.TABLE`. */
type CopiedRows = Readonly<Record<string, number>>;

/**
 * A connection as the owner of the tables, for one tenant. The owner may also change rows that the application's role
 * can only insert. Each method is one transaction over the tables of the gateway and of the home.
 */
export interface MovableTenant {
  /** Returns which move is committed but not completed: into the tenant (`arrived`), out of it (`left`), or none. */
  state(): Promise<MoveState>;
  /**
   * Copies all rows of `source` and its rules into the tenant and compares the rows, in one transaction. Afterwards the
   * tenant's state is `arrived`. The rows of an earlier attempt are replaced.
   * @throws {TradeAgentError} `usage` if the tenant has any rows other than those that an unfinished move wrote
   */
  copyFrom(source: SqliteHome, rules: RuleTexts, now: number): Promise<CopiedRows>;
  /** Completes the move into the tenant, so that homes may use it. */
  settle(): Promise<void>;
  /**
   * Copies all rows into `target` and compares them, and then deletes them from the tenant, in one transaction that
   * blocks all other writers. Afterwards the tenant's state is `left`, and a process that still uses it finds no rows.
   * @param flush puts the target's files and the rules on disk; called before the commit
   */
  moveTo(target: SqliteHome, flush: (rules: RuleTexts) => void, now: number): Promise<CopiedRows>;
  close(): Promise<void>;
}

type MoveState = 'none' | 'arrived' | 'left';

/** Tables that only PostgreSQL has. `rules` is moved separately, because a home in a folder has its rules in files. */
const UNMOVED = new Set([
  `${gatewaySchema.name}.schema_version`,
  `${gatewaySchema.name}.rate_buckets`,
  `${gatewaySchema.name}.gateway_keys`,
  `${gatewaySchema.name}.registered_clients`,
  `${gatewaySchema.name}.rules`,
  `${gatewaySchema.name}.seal_checks`,
  `${homeSchema.name}.schema_version`,
  `${homeSchema.name}.moves`,
  `${homeSchema.name}.served_address`,
]);
/** Columns that SQLite doesn't need: it has `rowid` and no tenants, and only one process claims its proposals. */
const ONLY_POSTGRES = new Set(['tenant', 'place', 'claimed_by', 'pinged']);
const RULES = `${gatewaySchema.name}.rules`;
const MAX_ROWS_PER_QUERY = 200;

interface Table {
  readonly schema: string;
  readonly name: string;
  /** The columns that both databases have. */
  readonly columns: readonly Column[];
  /** Columns that only SQLite has: the key of a one-row table. Its value is always 1. */
  readonly constants: readonly string[];
  /** Whether PostgreSQL orders rows of the same time by its column `place`, as SQLite does by `rowid`. */
  readonly hasPlace: boolean;
  /** Whether the copied rows must be numbered, because PostgreSQL does not generate their `place`. */
  readonly isNumbered: boolean;
  readonly hasRowId: boolean;
  /** The ORDER BY clause that sorts by the primary key. Texts are sorted by their bytes. */
  readonly keyOrder: { readonly sqlite: string; readonly postgres: string };
}

interface Column {
  readonly name: string;
  /** PostgreSQL's type, as in `information_schema.columns`. */
  readonly type: string;
  readonly isIdentity: boolean;
}

type Value = string | number | Buffer | null;

/**
 * Migrates a home's tables in PostgreSQL to the latest version and opens one tenant of them.
 * @param address connection string of the login that owns the tables
 * @param grantApp true to let that login also run the home, if there is no other login
 * @throws {TradeAgentError} `invalid_config`, `busy`, `database_unreachable`
 */
export async function openMovableTenant(address: string, tenant: string, grantApp: boolean): Promise<MovableTenant> {
  validateTenantName(tenant);
  for (const schema of [gatewaySchema, homeSchema]) await migrateSchema(address, schema);
  const pool = await openPool({ address, schema: homeSchema.name, tenant, max: 1, statementTimeoutMs: 0 });
  const inTransaction = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  };
  if (grantApp) {
    for (const { name } of [gatewaySchema, homeSchema]) await pool.query(`GRANT ${appRole(name)} TO CURRENT_USER`);
  }
  return {
    state: () => inTransaction(readState),
    copyFrom: (source, rules, now) =>
      inTransaction(async (client) => {
        const tables = await readTables(client, source);
        if ((await readState(client)) === 'none') await requireEmpty(client, tables, tenant);
        await deleteRows(client, tables);
        const copied: Record<string, number> = {};
        for (const table of tables) {
          await copyToPostgres(client, table, databaseOf(source, table));
          copied[`${table.schema}.${table.name}`] = await compare(client, table, databaseOf(source, table));
        }
        const { name } = gatewaySchema;
        await skipValues(client, `${name}.proposal_versions`, `${name}.proposals`, 'version');
        await writeRules(client, rules);
        await writeState(client, 'arrived', now);
        return copied;
      }),
    settle: () => inTransaction(async (client) => void (await client.query('DELETE FROM moves'))),
    moveTo: (target, flush, now) =>
      inTransaction(async (client) => {
        const tables = await readTables(client, target);
        // Waits for active writers, and blocks later ones until the commit.
        const names = tables.map(({ schema, name }) => `${schema}.${name}`);
        await client.query(`LOCK TABLE ${names.join(', ')} IN EXCLUSIVE MODE`);
        const copied: Record<string, number> = {};
        for (const table of tables) {
          await copyToSqlite(client, table, databaseOf(target, table));
          copied[`${table.schema}.${table.name}`] = await compare(client, table, databaseOf(target, table));
        }
        flush(await readRules(client));
        await deleteRows(client, tables);
        await writeRules(client, {});
        await client.query(`DELETE FROM ${gatewaySchema.name}.seal_checks`);
        await writeState(client, 'left', now);
        return copied;
      }),
    close: () => pool.end(),
  };
}

/**
 * Copies a snapshot of a tenant's rows into `target`, and compares the rows. Homes may use the tenant meanwhile.
 * @param address connection string of a login that runs the home
 * @returns the tenant's rules
 */
export async function copyTenant(address: string, tenant: string, target: SqliteHome): Promise<RuleTexts> {
  const pool = await openPool({ address, schema: homeSchema.name, tenant, max: 1, statementTimeoutMs: 0 });
  const client = await pool.connect();
  try {
    await client.query(
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0',
    );
    for (const table of await readTables(client, target)) {
      await copyToSqlite(client, table, databaseOf(target, table));
      await compare(client, table, databaseOf(target, table));
    }
    return await readRules(client);
  } finally {
    // Closes the connection, which ends the transaction.
    client.release(true);
    await pool.end();
  }
}

async function readRules(client: PoolClient): Promise<RuleTexts> {
  const { rows } = await client.query<{ name: string; text: string }>(`SELECT name, text FROM ${RULES}`);
  return Object.fromEntries(rows.map(({ name, text }) => [name, text]));
}

async function writeRules(client: PoolClient, rules: RuleTexts): Promise<void> {
  await client.query(`DELETE FROM ${RULES}`);
  for (const [name, text] of Object.entries(rules)) {
    const digest = createHash('sha256').update(text).digest('hex');
    await client.query(`INSERT INTO ${RULES} (name, text, digest) VALUES ($1, $2, $3)`, [name, text, digest]);
  }
}

/**
 * Advances a sequence beyond the copied values of a column. All tenants share the sequence, and others may use it at
 * the same time, so it is never set back: it is advanced by more values than the others can use in the meantime.
 */
async function skipValues(client: PoolClient, sequence: string, table: string, column: string): Promise<void> {
  await client.query(
    `SELECT setval($1::regclass, last + 10000) FROM (SELECT max(${column}) AS last FROM ${table}) AS copied
     WHERE last >= nextval($1::regclass)`,
    [sequence],
  );
}

const databaseOf = (home: SqliteHome, { schema }: Table) => (schema === gatewaySchema.name ? home.gateway : home.home);

async function readState(client: PoolClient): Promise<MoveState> {
  const { rows } = await client.query<{ state: MoveState }>('SELECT state FROM moves');
  return rows[0]?.state ?? 'none';
}

async function writeState(client: PoolClient, state: MoveState, now: number): Promise<void> {
  await client.query('DELETE FROM moves; DELETE FROM served_address');
  await client.query('INSERT INTO moves (state, at) VALUES ($1, $2)', [state, now]);
}

/** Returns the tables to copy. Each table comes after the tables that it references. */
async function readTables(client: PoolClient, home: SqliteHome): Promise<readonly Table[]> {
  const schemas = [gatewaySchema.name, homeSchema.name];
  const { rows } = await client.query<{ schema: string; table: string; column: string; type: string; id: boolean }>(
    `SELECT table_schema AS schema, table_name AS table, column_name AS column, data_type AS type,
       is_identity = 'YES' AS id
     FROM information_schema.columns WHERE table_schema = ANY ($1) ORDER BY table_schema, table_name, ordinal_position`,
    [schemas],
  );
  const { rows: keys } = await client.query<{ schema: string; table: string; column: string; type: string }>(
    `SELECT key.table_schema AS schema, key.table_name AS table, column_name AS column, constraint_type AS type
     FROM information_schema.key_column_usage AS key
       JOIN information_schema.table_constraints USING (constraint_schema, constraint_name)
     WHERE key.table_schema = ANY ($1) ORDER BY ordinal_position`,
    [schemas],
  );
  const tables = [...Map.groupBy(rows, ({ schema, table }) => `${schema}.${table}`).values()]
    .filter(([first]) => first !== undefined && !UNMOVED.has(`${first.schema}.${first.table}`))
    .map((columns) => toTable(columns, home, keys));
  const isReferencing = ({ schema, name }: Table) =>
    keys.some((one) => one.type === 'FOREIGN KEY' && one.schema === schema && one.table === name);
  return [...tables.filter((table) => !isReferencing(table)), ...tables.filter(isReferencing)];
}

function toTable(
  found: readonly { schema: string; table: string; column: string; type: string; id: boolean }[],
  home: SqliteHome,
  keys: readonly { schema: string; table: string; column: string; type: string }[],
): Table {
  const [{ schema, table: name } = { schema: '', table: '' }] = found;
  const database = schema === gatewaySchema.name ? home.gateway : home.home;
  const theirs = database
    .prepare<[string], { name: string; pk: number }>('SELECT name, pk FROM pragma_table_info(?)')
    .all(name);
  if (theirs.length === 0) throw new Error(`SQLite has no table ${name}`);
  const columns = found
    .filter(({ column }) => theirs.some((one) => one.name === column))
    .map(({ column, type, id }) => ({ name: column, type, isIdentity: id }));
  const place = found.find(({ column }) => column === 'place');
  const constants = theirs.filter((one) => !columns.some((column) => column.name === one.name));
  const unknown = found
    .map(({ column }) => column)
    .filter((column) => !columns.some((one) => one.name === column) && !ONLY_POSTGRES.has(column));
  const lost = constants.filter(({ pk }) => pk !== 1).map((one) => one.name);
  if (unknown.length + lost.length > 0) {
    throw new Error(`${name}: only PostgreSQL has (${unknown.join(', ')}), only SQLite has (${lost.join(', ')})`);
  }
  const key = keys
    .filter((one) => one.type === 'PRIMARY KEY' && one.schema === schema && one.table === name)
    .map((one) => columns.find(({ name: column }) => column === one.column))
    .filter((column) => column !== undefined);
  return {
    schema,
    name,
    columns,
    constants: constants.map((one) => one.name),
    hasPlace: place !== undefined,
    isNumbered: place?.id === false,
    hasRowId: hasRowId(database, name),
    keyOrder: {
      sqlite: key.map((column) => `"${column.name}"`).join(', ') || '1',
      postgres:
        key.map((column) => `"${column.name}"${column.type === 'text' ? ' COLLATE "C"' : ''}`).join(', ') || '1',
    },
  };
}

function hasRowId(database: Database.Database, table: string): boolean {
  const sql = database
    .prepare<[string], string>("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?")
    .pluck()
    .get(table);
  return sql?.includes('WITHOUT ROWID') !== true;
}

async function requireEmpty(client: PoolClient, tables: readonly Table[], tenant: string): Promise<void> {
  for (const { schema, name } of tables) {
    const { rows } = await client.query(`SELECT FROM ${schema}.${name} LIMIT 1`);
    if (rows.length === 0) continue;
    throw new TradeAgentError('usage', `the tenant "${tenant}" of this database already has data`, {
      hint: 'Choose another tenant with --tenant, or another database. Nothing was changed.',
    });
  }
}

async function deleteRows(client: PoolClient, tables: readonly Table[]): Promise<void> {
  for (const { schema, name } of tables.toReversed()) await client.query(`DELETE FROM ${schema}.${name}`);
}

/** Compares a table's rows. @returns their number @throws if the two databases have different rows */
async function compare(client: PoolClient, table: Table, database: Database.Database): Promise<number> {
  const [ours, theirs] = [startDigest(), startDigest()];
  for (const row of sqliteRows(database, table, table.keyOrder.sqlite)) ours.add(row);
  for await (const row of postgresRows(client, table, table.keyOrder.postgres)) theirs.add(row);
  const [sqlite, postgres] = [ours.end(), theirs.end()];
  if (sqlite.count === postgres.count && sqlite.digest === postgres.digest) return sqlite.count;
  throw new Error(
    `the copy of ${table.schema}.${table.name} is different: ${sqlite.count} rows in SQLite, ${postgres.count} in PostgreSQL`,
  );
}

/** Starts a digest of rows. The values that are added must be in SQLite's form. */
function startDigest() {
  const hash = createHash('sha256');
  let count = 0;
  return {
    add(values: readonly Value[]) {
      count += 1;
      hash.update(JSON.stringify(values.map((value) => (Buffer.isBuffer(value) ? value.toString('base64') : value))));
    },
    end: () => ({ count, digest: hash.digest('hex') }),
  };
}

const columnList = ({ columns }: Table) => columns.map(({ name }) => `"${name}"`).join(', ');

function* sqliteRows(database: Database.Database, table: Table, order: string): Generator<Value[]> {
  const select = `SELECT ${columnList(table)} FROM "${table.name}" ORDER BY ${order}`;
  for (const row of database.prepare(select).raw().iterate()) yield row as Value[];
}

async function* postgresRows(client: PoolClient, table: Table, order: string): AsyncGenerator<Value[]> {
  await client.query(
    `DECLARE copied NO SCROLL CURSOR FOR
       SELECT ${columnList(table)} FROM ${table.schema}.${table.name} ORDER BY ${order}`,
  );
  for (;;) {
    const { rows } = await client.query({ text: `FETCH ${MAX_ROWS_PER_QUERY} FROM copied`, rowMode: 'array' });
    if (rows.length === 0) break;
    for (const row of rows as unknown[][]) yield row.map(toSqlite);
  }
  await client.query('CLOSE copied');
}

/** Copies the rows in the order in which they were added, to give PostgreSQL's `place` the same order. */
async function copyToPostgres(client: PoolClient, table: Table, database: Database.Database): Promise<void> {
  const { schema, name, columns, isNumbered } = table;
  const overriding = columns.some(({ isIdentity }) => isIdentity) ? 'OVERRIDING SYSTEM VALUE' : '';
  const names = isNumbered ? `${columnList(table)}, place` : columnList(table);
  let place = 0;
  let batch: unknown[][] = [];
  const flush = async () => {
    const [first] = batch;
    if (first === undefined) return;
    const rows = batch.map((_, n) => `(${first.map((_value, i) => `$${n * first.length + i + 1}`).join(', ')})`);
    await client.query(
      `INSERT INTO ${schema}.${name} (${names}) ${overriding} VALUES ${rows.join(', ')}`,
      batch.flat(),
    );
    batch = [];
  };
  for (const row of sqliteRows(database, table, table.hasRowId ? 'rowid' : table.keyOrder.sqlite)) {
    place += 1;
    const values = row.map((value, i) => toPostgres(value, columns[i]?.type));
    batch.push(isNumbered ? [...values, place] : values);
    if (batch.length === MAX_ROWS_PER_QUERY) await flush();
  }
  await flush();
  for (const { name: column, isIdentity } of columns) {
    if (!isIdentity) continue;
    await skipValues(client, `${schema}.${name}_${column}_seq`, `${schema}.${name}`, column);
  }
}

async function copyToSqlite(client: PoolClient, table: Table, database: Database.Database): Promise<void> {
  const { name, columns, constants } = table;
  database.prepare(`DELETE FROM "${name}"`).run();
  const names = [...columns.map((column) => `"${column.name}"`), ...constants.map((column) => `"${column}"`)];
  const insert = database.prepare(
    `INSERT INTO "${name}" (${names.join(', ')})
     VALUES (${[...columns.map(() => '?'), ...constants.map(() => '1')].join(', ')})`,
  );
  const order = table.hasPlace ? 'place' : table.keyOrder.postgres;
  for await (const row of postgresRows(client, table, order)) insert.run(row);
}

function toPostgres(value: Value, type: string | undefined): unknown {
  if (value === null) return null;
  if (type === 'boolean') return value === 1;
  if (type === 'timestamp with time zone') return new Date(value as number);
  return value;
}

function toSqlite(value: unknown): Value {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  return value as Value;
}
