import { resolve } from 'node:path';
import type { JWK } from 'jose';
import { readRequiredFile } from '../../config/required-file.ts';
import { parseYaml } from '../../config/yaml-file.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { openKms } from '../../secrets/kms/kms-settings.ts';
import { type ServerSettings, serverSettingsSchema } from '../../server/settings/server-settings.ts';
import type { App } from '../app.ts';
import { type ConnectionStringSource, readConnectionString, readDatabasePlace } from '../gateway/gateway-database.ts';
import { addWrappingKeyToFile, createKeyFile, type PublicKey, readKeyFile, toPublicKey } from '../gateway/key-file.ts';

/** A server's folder and settings file. The server's workers use the same folder or a copy of it. */
export interface ServerPaths {
  readonly home: string;
  readonly config: string;
}

/** Reads server.yaml. @throws {TradeAgentError} `invalid_config` */
export async function readServerSettings(file: string): Promise<ServerSettings> {
  const hint = 'See docs/operate/SERVER.md for its contents, or pass another file with --config.';
  return await parseYaml(serverSettingsSchema, readRequiredFile(file, 'server configuration', hint), file);
}

const serverKeyFile = ({ home }: ServerPaths, name = 'key.json') => resolve(home, name);

/** Reads the server's private key. @throws {TradeAgentError} `invalid_config` if there is no key */
export function readServerKey(paths: ServerPaths, { key_file }: Pick<ServerSettings, 'key_file'>): JWK {
  const file = serverKeyFile(paths, key_file);
  const key = readKeyFile(file);
  if (key !== undefined) return key;
  throw new TradeAgentError('invalid_config', `the server has no key: ${file} does not exist`, {
    hint: 'Create one with "trade-agent server key", and register its output at the identity provider.',
    details: { file },
  });
}

/**
 * Creates or shows the key with which the server authenticates to the identity provider as an OAuth client.
 * @throws {TradeAgentError} `usage` if a key to create already exists; `invalid_config` if there is no key to show
 */
export async function createOrShowServerKey(
  paths: ServerPaths,
  { show, kty }: { readonly show: boolean; readonly kty: 'EC' | 'RSA' },
): Promise<PublicKey & { readonly status: 'made' | 'in_use'; readonly file: string }> {
  const settings = await readServerSettings(paths.config).catch((error: unknown) => {
    // The settings, which name the key's file, may not exist yet, because the key is created first.
    if (isTradeAgentError(error)) return undefined;
    throw error;
  });
  const file = serverKeyFile(paths, settings?.key_file);
  if (!show) return { status: 'made', file, ...(await createKeyFile(file, kty, '--show prints its public key.')) };
  const key = readKeyFile(file);
  if (key !== undefined) return { status: 'in_use', file, ...toPublicKey(key) };
  throw new TradeAgentError('invalid_config', `the server has no key: ${file} does not exist`, {
    hint: 'Create one with "trade-agent server key".',
    details: { file },
  });
}

/** Adds a wrapping key. @throws {TradeAgentError} `invalid_config`, any error from {@link addWrappingKeyToFile} */
export async function addServerWrappingKey({ home, config }: ServerPaths): Promise<string> {
  return await addWrappingKeyToFile((await readServerSettings(config)).kms.file, home, 'server.yaml');
}

/**
 * Wraps the tenant's data keys with the newest wrapping key. Older wrapping keys may be removed afterward. Works while
 * servers and workers are running.
 * @returns the number of keys that were wrapped
 * @throws {TradeAgentError} `invalid_config`, `credential_store_…`
 */
export async function rewrapServerKeys(
  { env, clock, fetch }: Pick<App, 'env' | 'clock' | 'fetch'>,
  { home, config }: ServerPaths,
): Promise<number> {
  const settings = await readServerSettings(config);
  const place = readDatabasePlace(settings.database, home, env);
  const kms = await openKms(settings.kms, { folder: home, env, fetch });
  const store = await import('../../store/postgres/server-database.ts');
  const { createDataKeys } = await import('../../secrets/envelope/data-keys.ts');
  const database = await store.openServerDatabase(place);
  try {
    return await createDataKeys(
      kms,
      store.postgresDataKeyRows(() => database),
      clock,
    ).rewrap(place.tenant);
  } finally {
    await database.close();
  }
}

/**
 * Creates or migrates a server's tables, including the job queue's tables. Works while servers and workers are running.
 * @param source the location of the connection string of the role that owns the tables
 * @returns the schema versions before and after
 * @throws {TradeAgentError} `invalid_config`
 */
export async function migrateServer(
  { env }: Pick<App, 'env'>,
  { home }: Pick<ServerPaths, 'home'>,
  source: ConnectionStringSource,
): Promise<{ readonly from: number; readonly to: number }> {
  const address = readConnectionString(source, home, env);
  const [{ migrateServerDatabase }, { migrateJobs }] = await Promise.all([
    import('../../store/postgres/server-database.ts'),
    import('../../jobs/pg-boss/migrate-jobs.ts'),
  ]);
  const migrated = await migrateServerDatabase(address);
  await migrateJobs(address);
  return migrated;
}
