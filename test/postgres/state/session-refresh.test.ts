import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { createDataKeys } from '../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../../src/secrets/envelope/secret-seal.ts';
import { addWrappingKey, openFileKms } from '../../../src/secrets/kms/file-kms.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCredentialStore } from '../../../src/store/postgres/state/credential-store.ts';
import { postgresDataKeyRows } from '../../../src/store/postgres/state/data-key-rows.ts';
import { createWorld, type World } from '../../integration/auth/identity-provider-world.ts';
import { blockDatabase, withPostgres } from '../support/database.ts';

/** So many machines, each with a pool, a key cache and a session of its own. */
const MACHINES = 5;

withPostgres('a session that several machines hold', () => {
  const server = blockDatabase(stateSchema);
  let folder: string;
  let world: World;
  let machines: CredentialStore[];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-refresh-'));
    await addWrappingKey(join(folder, 'keys.json'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    world = await createWorld();
    const { tenant } = await server.open();
    machines = await Promise.all(
      Array.from({ length: MACHINES }, async () => {
        const database = await server.open(tenant);
        const kms = openFileKms(join(folder, 'keys.json'));
        const keys = createDataKeys(
          kms,
          postgresDataKeyRows(() => database),
          systemClock,
        );
        return postgresCredentialStore({ database, sub: 'alice', seal: createSecretSeal(keys) });
      }),
    );
    await world.login('alice', machines[0]);
    world.asked.length = 0;
  });
  afterEach(() => world.close());

  const exchanges = () => world.asked.filter(({ path }) => path === '/token').length;
  const statusAt = async (store: CredentialStore, scope: string) => {
    const session = await openSession({ ...world, store });
    return (await session?.fetch(`${world.profile.gateway}/v1/clock`, {}, [scope]))?.status;
  };

  it('is renewed once for all that need the same token', async () => {
    const statuses = await Promise.all(machines.map((store) => statusAt(store, 'portfolio:read')));
    expect(statuses).toEqual(machines.map(() => 200));
    expect(exchanges()).toBe(1);
  });

  it('survives that all renew it at the same time, again and again', async () => {
    const rounds = machines.map(async (store) => {
      const statuses: unknown[] = [];
      for (let round = 0; round < 3; round++) statuses.push(await statusAt(store, 'orders:cancel'));
      return statuses;
    });
    expect((await Promise.all(rounds)).flat()).toEqual(Array(MACHINES * 3).fill(200));
    expect(exchanges()).toBe(MACHINES * 3);
  });
});
