import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewaySecrets } from '../../gateway/gateway-settings.ts';
import type { DatabaseSettings } from '../../gateway/settings/common-settings.ts';
import { readPrivateFile } from '../../machine/private-file.ts';
import { type KmsSettings, openKms } from '../../secrets/kms/kms-settings.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { createAuthReqIdSeal } from '../../store/rows/auth-req-id.ts';
import type { RedateResult } from '../../store/sql/order-recount.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { createFolderKeys, createWrappedKeys, type GatewayKeys, sealSecretDigest } from './gateway-keys.ts';
import { readOrCreateSealSecret, sealFilePath, unusableFileError } from './key-file.ts';
import type { GatewayPaths, StorageSettings } from './settings-file.ts';

/** Maximum time in milliseconds to wait for a running gateway to release its SQLite database. */
const BUSY_TIMEOUT_MS = 10_000;
const MAX_ADDRESS_LENGTH = 4_096;

/** The source of the PostgreSQL connection string. Not an argument, because any local user can read arguments. */
export type ConnectionStringSource = { readonly url_file: string } | { readonly url_env: string };

interface OpenedDatabase<Stores> {
  readonly stores: Stores;
  close(): Promise<void>;
}

export interface AuditStores
  extends Pick<GatewayStores, 'halts' | 'audit' | 'checkpoints' | 'rules'>,
    Partial<Pick<GatewayStores, 'limits' | 'brokerKeys'>> {
  recount(now: number): Promise<RedateResult>;
}

/**
 * Opens all of a gateway's data and keys, in its folder or at the locations that its settings name.
 * @throws {TradeAgentError} `invalid_config`, including if there is no key yet or if the other gateways on this
 *   database use a different `seal.key`; `credential_store_…` if the key management service fails
 */
export async function openGatewayDatabase(
  settings: StorageSettings,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<OpenedDatabase<GatewayStores> & { readonly secrets: GatewaySecrets }> {
  const { database } = settings;
  if (database === undefined) {
    const secrets = await loadSecrets(createFolderKeys(folder));
    const { default: Database } = await import('better-sqlite3-multiple-ciphers');
    const { createSqliteGatewayStores } = await import('../../store/sqlite/gateway-stores.ts');
    const opened = new Database(join(folder, 'gateway.db'));
    const stores = createSqliteGatewayStores(opened, createAuthReqIdSeal(secrets.sealSecret));
    return { stores, secrets, close: async () => void opened.close() };
  }
  const { postgres, opened } = await openPostgres(database, folder, env);
  try {
    const keys = await openKeys({ postgres, opened }, settings.kms, folder, env);
    const secrets = await loadSecrets(keys);
    // All gateways on a database need the same seal key, because each must be able to open another gateway's secrets.
    if (
      settings.kms === undefined &&
      !(await postgres.claimOrMatchSealKey(opened, sealSecretDigest(readOrCreateSealSecret(folder))))
    ) {
      throw new TradeAgentError('invalid_config', 'the other gateways on this database use a different seal.key', {
        hint: 'Copy seal.key and key.json from the first gateway\'s folder, or set "kms" as in the other gateways.',
        details: { file: sealFilePath(folder) },
      });
    }
    const stores = postgres.postgresGatewayStores(opened, createAuthReqIdSeal(secrets.sealSecret));
    const registration = postgres.postgresRegistrationStorage(opened);
    return { stores, secrets: { ...secrets, registration }, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function loadSecrets(keys: GatewayKeys): Promise<GatewaySecrets> {
  return { privateKey: await keys.client(), sealSecret: await keys.seal() };
}

/** Opens only the keys, even while the gateway runs. @throws {TradeAgentError} `invalid_config`; any error of `work` */
export async function withGatewayKeys<T>(
  { database, kms }: StorageSettings,
  folder: string,
  env: NodeJS.ProcessEnv,
  work: (keys: GatewayKeys) => Promise<T>,
): Promise<T> {
  if (database === undefined || kms === undefined) return await work(createFolderKeys(folder));
  const opened = await openPostgres(database, folder, env);
  try {
    return await work(await openKeys(opened, kms, folder, env));
  } finally {
    await opened.opened.close();
  }
}

async function openKeys(
  { postgres, opened }: Awaited<ReturnType<typeof openPostgres>>,
  kms: KmsSettings | undefined,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<GatewayKeys> {
  if (kms === undefined) return createFolderKeys(folder);
  const rows = postgres.postgresGatewayKeyRows(opened);
  return createWrappedKeys({ kms: await openKms(kms, { folder, env }), rows, tenant: opened.tenant, folder });
}

/**
 * Opens only the audit log, the halts and, if they are in the database, the rules. Works while the gateway is running.
 * @throws {TradeAgentError} `invalid_config` if no gateway has run in the folder
 */
export async function openAuditStores(
  database: DatabaseSettings | undefined,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<OpenedDatabase<AuditStores>> {
  if (database !== undefined) {
    const { postgres, opened } = await openPostgres(database, folder, env);
    const { halts, audit, checkpoints, rules, limits, brokerKeys } = postgres.postgresGatewayStores(opened);
    const recount = (now: number) => postgres.recountTenantOrders(opened, now);
    const shared = { ...defined({ rules }), limits, brokerKeys };
    return { stores: { halts, audit, checkpoints, ...shared, recount }, close: () => opened.close() };
  }
  const file = join(folder, 'gateway.db');
  if (!existsSync(file)) {
    throw new TradeAgentError('invalid_config', `no gateway has run in ${folder}: ${file} does not exist`, {
      hint: "Pass the gateway's own folder with --home.",
      details: { file },
    });
  }
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const { createSqliteAuditStores } = await import('../../store/sqlite/gateway-stores.ts');
  const opened = new Database(file, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
  return { stores: createSqliteAuditStores(opened), close: async () => void opened.close() };
}

/** Reads the connection string. @throws {TradeAgentError} `invalid_config` if it's missing or its file isn't private */
export function readConnectionString(source: ConnectionStringSource, folder: string, env: NodeJS.ProcessEnv): string {
  const missing = (where: string) =>
    new TradeAgentError('invalid_config', `the database's connection string is missing: ${where}`, {
      hint: 'It must contain only postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full',
    });
  if ('url_env' in source) {
    const address = env[source.url_env]?.trim();
    if (address === undefined || address === '') throw missing(`${source.url_env} is not set`);
    return address;
  }
  const file = resolve(folder, source.url_file);
  const address = readPrivateFile(file, MAX_ADDRESS_LENGTH, unusableFileError(file))?.trim();
  if (address === undefined || address === '') throw missing(file);
  return address;
}

/**
 * Returns a database's tenant and addresses. `direct` is the address without the connection pooler, if there is one.
 * @throws {TradeAgentError} `invalid_config`
 */
export function readDatabasePlace(
  { tenant, direct_url_file, direct_url_env, ...source }: DatabaseSettings,
  folder: string,
  env: NodeJS.ProcessEnv,
) {
  const read = (one: object) => readConnectionString(one as ConnectionStringSource, folder, env);
  const direct = defined({ url_file: direct_url_file, url_env: direct_url_env });
  return {
    tenant,
    address: read(defined(source)),
    direct: Object.keys(direct).length === 0 ? undefined : read(direct),
  };
}

async function openPostgres(settings: DatabaseSettings, folder: string, env: NodeJS.ProcessEnv) {
  const postgres = await import('../../store/postgres/gateway-database.ts');
  return { postgres, opened: await postgres.openPostgresGatewayDatabase(readDatabasePlace(settings, folder, env)) };
}

/**
 * Creates or migrates a gateway's tables in PostgreSQL. Works while gateways are running.
 * @param source the location of the connection string of the role that owns the tables
 * @returns the versions before and after
 * @throws {TradeAgentError} `invalid_config`
 */
export async function migrateDatabase(
  { env }: Pick<App, 'env'>,
  { home }: Pick<GatewayPaths, 'home'>,
  source: ConnectionStringSource,
): Promise<{ readonly from: number; readonly to: number }> {
  const { migrateGatewayDatabase } = await import('../../store/postgres/gateway-database.ts');
  return await migrateGatewayDatabase(readConnectionString(source, home, env));
}
