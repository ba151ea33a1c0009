import type { DataKeys } from '../../../secrets/envelope/data-keys.ts';
import type { SecretSeal } from '../../../secrets/envelope/secret-seal.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { personDatabase } from './person-database.ts';

/**
 * Gives a tenant a new data key, and seals by it all that is sealed by an older one. What is written meanwhile is by the new one
 * already, and stays. May be run again where it was cut off.
 * @returns how many secrets were sealed anew
 * @throws {TradeAgentError} `credential_store_…`
 */
export async function rotateDataKey(
  database: TenantDatabase,
  { keys, seal }: { readonly keys: DataKeys; readonly seal: SecretSeal },
): Promise<number> {
  const { tenant } = database;
  const version = await keys.rotate(tenant);
  const holders = await database.read((unit) =>
    unit.last.all<{ sub: string }>('SELECT person AS sub FROM credential_holders'),
  );
  let count = 0;
  for (const { sub } of holders) {
    const theirs = personDatabase(database, sub);
    const older = await theirs.read((unit) =>
      unit.last.all<{ name: string; key_version: number; sealed: Buffer }>(
        'SELECT name, key_version, sealed FROM credentials WHERE key_version < @version',
        { version },
      ),
    );
    for (const { name, key_version, sealed: before } of older) {
      const of = { tenant, sub, name };
      const text = await seal.open(of, { keyVersion: key_version, sealed: before });
      const { keyVersion, sealed } = await seal.seal(of, text);
      count += await theirs.write((unit) =>
        unit.last.run(
          `UPDATE credentials SET key_version = @keyVersion, sealed = @sealed
           WHERE name = @name AND sealed = @before`,
          { name, keyVersion, sealed, before },
        ),
      );
    }
  }
  return count;
}
