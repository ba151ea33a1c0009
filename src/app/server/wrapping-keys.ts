import { resolve } from 'node:path';
import { TradeAgentError } from '../../errors/errors.ts';
import { openKms } from '../../secrets/kms/kms-settings.ts';
import type { App } from '../app.ts';
import { type AddressPlace, readDatabaseAddress } from '../gateway/gateway-database.ts';
import { readServerSettings, type ServerPlaces } from './server-places.ts';

/**
 * Adds a wrapping key to the file that `kms` names, by which all is wrapped from then on; makes the file where there is none.
 * @returns the file
 * @throws {TradeAgentError} `invalid_config`; `usage` where no file is named
 */
export async function addServerWrappingKey({ home, config }: ServerPlaces): Promise<string> {
  const { kms } = await readServerSettings(config);
  if (kms.file === undefined) {
    throw new TradeAgentError('usage', 'wrapping keys are in no file here', {
      hint: 'Set "kms: {file: wrapping-keys.json}" in server.yaml; Vault and AWS KMS make their own.',
    });
  }
  const { addWrappingKey } = await import('../../secrets/kms/file-kms.ts');
  const file = resolve(home, kms.file);
  await addWrappingKey(file);
  return file;
}

/**
 * Wraps the tenant's data keys by the newest wrapping key, after which an older one may go; also while servers and workers run.
 * @returns how many
 * @throws {TradeAgentError} `invalid_config`, `credential_store_…`
 */
export async function rewrapServerKeys(
  { env, clock, fetch }: Pick<App, 'env' | 'clock' | 'fetch'>,
  { home, config }: ServerPlaces,
): Promise<number> {
  const settings = await readServerSettings(config);
  const { tenant, ...place } = settings.database;
  const kms = await openKms(settings.kms, { folder: home, env, fetch });
  const address = readDatabaseAddress(place as AddressPlace, home, env);
  const store = await import('../../store/postgres/server-database.ts');
  const { createDataKeys } = await import('../../secrets/envelope/data-keys.ts');
  const database = await store.openServerDatabase({ address, tenant });
  try {
    return await createDataKeys(
      kms,
      store.postgresDataKeyRows(() => database),
      clock,
    ).rewrap(tenant);
  } finally {
    await database.close();
  }
}
