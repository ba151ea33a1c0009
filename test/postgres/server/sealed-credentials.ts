import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/machine/clock.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { createDataKeys } from '../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../../src/secrets/envelope/secret-seal.ts';
import { addWrappingKey, openFileKms } from '../../../src/secrets/kms/file-kms.ts';
import { postgresCredentialStore } from '../../../src/store/postgres/state/credential-store.ts';
import { postgresDataKeyRows } from '../../../src/store/postgres/state/data-key-rows.ts';
import type { TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';

/** People's credentials as a server keeps them, by a wrapping key in a file of its own. */
export async function sealedCredentials() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-sealed-'));
  const file = join(folder, 'wrapping-keys.json');
  await addWrappingKey(file);
  return {
    of(database: TenantDatabase): (sub: string) => CredentialStore {
      const keys = createDataKeys(
        openFileKms(file),
        postgresDataKeyRows(() => database),
        systemClock,
      );
      const seal = createSecretSeal(keys);
      return (sub) => postgresCredentialStore({ database, sub, seal });
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
