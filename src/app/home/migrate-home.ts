import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml, parseYamlDocument } from '../../config/yaml-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type GatewaySettings, gatewaySettingsSchema } from '../../gateway/gateway-settings.ts';
import { createRuleFolder } from '../../gateway/policy/files/rule-folder.ts';
import type { DatabaseSettings } from '../../gateway/settings/common-settings.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { writePrivateFile } from '../../machine/private-file.ts';
import { withProcessLock } from '../../machine/process-lock.ts';
import { prepareHomeDatabase } from '../../store/home/schema.ts';
import type { MovableTenant, SqliteHome } from '../../store/postgres/move-home.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { type ConnectionStringSource, readConnectionString, readDatabasePlace } from '../gateway/gateway-database.ts';
import { DATABASE_WAIT_MS, homeFilePaths, readGatewaySettings, readHomeSettings } from './home-files.ts';
import { requireOwnHomeFolder } from './open-home.ts';

export interface MigrateHomeOptions {
  readonly folder: string;
  /** Destination of the data: files in the home's folder, or a tenant of a PostgreSQL database. */
  readonly to: 'sqlite' | Pick<DatabaseSettings, 'url_file' | 'url_env' | 'tenant'>;
  /** The connection string of the role that owns the tables. Defaults to the home's connection string. */
  readonly owner?: ConnectionStringSource | undefined;
}

export interface MigratedHome {
  readonly folder: string;
  readonly database: 'sqlite' | 'postgres';
  readonly tables: number;
  readonly rows: number;
}

/**
 * Moves all of a home's data from its folder to PostgreSQL, or back. The data is copied and compared in one PostgreSQL
 * transaction. gateway.yaml, which is replaced atomically, determines which database the home uses. After an
 * interruption, running the move again completes it, or restarts it if the home still uses the source:
 *
 * 1. To PostgreSQL: the rows are committed there together with the state `arrived`, in which no home can start. Then
 *    gateway.yaml is replaced, the state is removed, and the SQLite files are renamed.
 * 2. To SQLite: the rows are written to new files. After the files are on disk, the rows are deleted from PostgreSQL,
 *    and the state `left` is stored there. Then the files get their names, and gateway.yaml is replaced.
 *
 * The source can't change meanwhile, because the locks of SQLite or PostgreSQL's tables are held until the commit.
 * @throws {TradeAgentError} `busy` while the home is running; `usage` if the home uses another database or the tenant
 *   has other data; `invalid_config`, `database_unreachable`
 */
export async function migrateHome(app: Pick<App, 'clock' | 'env'>, options: MigrateHomeOptions): Promise<MigratedHome> {
  const { folder, to } = options;
  process.umask(0o077);
  requireOwnHomeFolder(folder);
  const files = homeFilePaths(folder);
  return await withProcessLock(files.lock, { what: `the home ${folder}`, waitMs: 0 }, async () => {
    const settings = await readGatewaySettings(folder);
    const { practice_broker } = await readHomeSettings(folder);
    if (practice_broker !== undefined && to !== 'sqlite') {
      throw new TradeAgentError('usage', 'a home with simulated money works only with the database in its folder', {
        hint: `Add a real broker ("trade-agent home broker add"), then remove "${practice_broker}" from gateway.yaml and home.yaml.`,
      });
    }
    return to === 'sqlite' ? await toSqlite(app, options, settings) : await toPostgres(app, options, settings, to);
  });
}

async function toPostgres(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  { folder, owner }: MigrateHomeOptions,
  settings: GatewaySettings,
  to: Pick<DatabaseSettings, 'url_file' | 'url_env' | 'tenant'>,
): Promise<MigratedHome> {
  const files = homeFilePaths(folder);
  const place = readDatabasePlace(to, folder, env);
  const address = owner === undefined ? place.address : readConnectionString(owner, folder, env);
  const { database: current } = settings;
  const isSwitched = current !== undefined;
  if (isSwitched && !(['url_file', 'url_env', 'tenant'] as const).every((name) => current[name] === to[name])) {
    throw new TradeAgentError('usage', 'this home already uses another PostgreSQL database or tenant', {
      hint: 'Move it back with "trade-agent home migrate --to sqlite" first. Nothing was changed.',
    });
  }
  const written = await withDatabase(files.gateway, {
    ...defined({ url_file: to.url_file, url_env: to.url_env }),
    tenant: to.tenant,
  });
  const { openMovableTenant } = await import('../../store/postgres/home-database.ts');
  const tenant = await openMovableTenant(address, place.tenant, owner === undefined);
  try {
    let copied: Readonly<Record<string, number>> = {};
    if (!isSwitched) {
      copied = await copyIn(tenant, folder, clock.now());
      failpoint('migrate.arrived');
      writePrivateFile(files.gateway, written);
      failpoint('migrate.switched');
    }
    await tenant.settle();
    failpoint('migrate.settled');
    for (const file of [files.gatewayDatabase, files.providerDatabase]) {
      if (existsSync(file)) renameSync(file, `${file}.moved`);
      failpoint('migrate.renamed');
    }
    return summary(folder, 'postgres', copied);
  } finally {
    await tenant.close();
  }
}

/** Copies the databases under write locks, which keep other programs from changing them. */
async function copyIn(tenant: MovableTenant, folder: string, now: number) {
  const { gatewayDatabase: gateway, providerDatabase } = homeFilePaths(folder);
  const { texts } = await createRuleFolder(folder).read();
  const home = await openSqliteHome({ gateway, home: providerDatabase }, true);
  try {
    for (const database of [home.gateway, home.home]) database.exec('BEGIN IMMEDIATE');
    return await tenant.copyFrom(home, texts, now);
  } finally {
    // Closing rolls back the transactions, which contain no changes, and releases the locks.
    for (const database of [home.gateway, home.home]) database.close();
  }
}

async function toSqlite(
  { clock, env }: Pick<App, 'clock' | 'env'>,
  { folder, owner }: MigrateHomeOptions,
  settings: GatewaySettings,
): Promise<MigratedHome> {
  if (settings.database === undefined) return summary(folder, 'sqlite', {});
  if (settings.kms !== undefined) {
    throw new TradeAgentError(
      'usage',
      'the keys of this home are stored in its database, wrapped by a key management service',
      {
        hint: 'A home in a folder needs its keys in files, so it can’t be moved back. Use another PostgreSQL database instead.',
      },
    );
  }
  const files = homeFilePaths(folder);
  const names = [files.gatewayDatabase, files.providerDatabase];
  const place = readDatabasePlace(settings.database, folder, env);
  const address = owner === undefined ? (place.direct ?? place.address) : readConnectionString(owner, folder, env);
  const written = await withDatabase(files.gateway, undefined);
  const { openMovableTenant } = await import('../../store/postgres/home-database.ts');
  const tenant = await openMovableTenant(address, place.tenant, false);
  try {
    let copied: Readonly<Record<string, number>> = {};
    if ((await tenant.state()) !== 'left') {
      copied = await copyOut(tenant, folder, clock.now());
      failpoint('migrate.left');
    }
    for (const name of names) {
      if (existsSync(partFile(name))) renameSync(partFile(name), name);
      failpoint('migrate.named');
    }
    writePrivateFile(files.gateway, written);
    failpoint('migrate.returned');
    return summary(folder, 'sqlite', copied);
  } finally {
    await tenant.close();
  }
}

const partFile = (file: string) => `${file}.part`;

async function copyOut(tenant: MovableTenant, folder: string, now: number) {
  const files = homeFilePaths(folder);
  const [gateway, home] = [partFile(files.gatewayDatabase), partFile(files.providerDatabase)];
  // While the home uses PostgreSQL, the rule files in its folder are ignored.
  const { texts: before } = await createRuleFolder(folder).read();
  for (const file of [gateway, home])
    for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true });
  const target = await openSqliteHome({ gateway, home }, false);
  const databases = [target.gateway, target.home];
  for (const database of databases) database.exec('BEGIN IMMEDIATE');
  try {
    return await tenant.moveTo(
      target,
      (rules) => {
        for (const name of Object.keys(before)) if (!Object.hasOwn(rules, name)) rmSync(join(folder, name));
        for (const [name, text] of Object.entries(rules)) writePrivateFile(join(folder, name), text);
        for (const database of databases) {
          database.exec('COMMIT');
          // Moves the write-ahead log into the database file, because only that file is renamed.
          database.pragma('journal_mode = DELETE');
          database.close();
        }
        for (const file of [gateway, home]) flushFile(file);
        failpoint('migrate.written');
      },
      now,
    );
  } finally {
    for (const database of databases) database.close();
  }
}

function flushFile(file: string): void {
  const handle = openSync(file, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Opens a home's SQLite databases. @param mustExist whether to fail instead of creating missing files */
export async function openSqliteHome(
  files: { readonly gateway: string; readonly home: string },
  mustExist: boolean,
): Promise<SqliteHome> {
  const { default: Sqlite } = await import('better-sqlite3-multiple-ciphers');
  const { prepareGatewayDatabase } = await import('../../store/sqlite/gateway-stores.ts');
  const open = (file: string): Database.Database => {
    if (mustExist && !existsSync(file)) {
      throw new TradeAgentError('invalid_config', `this home has no ${basename(file)}`, {
        hint: 'Pass the folder of a home that was created with "trade-agent home init".',
        details: { file },
      });
    }
    return new Sqlite(file, { timeout: DATABASE_WAIT_MS });
  };
  const [gateway, home] = [open(files.gateway), open(files.home)];
  prepareGatewayDatabase(gateway);
  return { gateway, home: prepareHomeDatabase(home) };
}

/** Returns gateway.yaml with another `database`. Preserves comments. */
export async function withDatabase(file: string, database: DatabaseSettings | undefined): Promise<string> {
  const { document } = await parseYamlDocument(
    readRequiredFile(file, 'gateway configuration', 'Check that this folder is a home.'),
    file,
  );
  if (database === undefined) document.delete('database');
  else document.set('database', document.createNode(database));
  const text = document.toString();
  await parseYaml(gatewaySettingsSchema, text, file);
  return text;
}

function summary(
  folder: string,
  database: MigratedHome['database'],
  copied: Readonly<Record<string, number>>,
): MigratedHome {
  const counts = Object.values(copied);
  return { folder, database, tables: counts.length, rows: counts.reduce((sum, count) => sum + count, 0) };
}
