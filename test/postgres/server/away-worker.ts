import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { JWK } from 'jose';
import { profileSchema } from '../../../src/config/profile.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createDataKeys } from '../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../../src/secrets/envelope/secret-seal.ts';
import { openFileKms } from '../../../src/secrets/kms/file-kms.ts';
import { createTokenExchangeSessions } from '../../../src/server/sessions/exchanging-sessions.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { postgresCredentialStore } from '../../../src/store/postgres/state/credential-store.ts';
import { postgresDataKeyRows } from '../../../src/store/postgres/state/data-key-rows.ts';

export interface WorkerTask {
  readonly address: string;
  readonly tenant: string;
  readonly keys: string;
  readonly person: string;
  readonly rounds: number;
  readonly issuer: string;
  readonly gateway: string;
  readonly client: string;
  readonly privateKey: JWK;
}

/** Acts for a person who is away, each round by a token that has to be got again; tells what the gateway answered. */
async function work(task: WorkerTask): Promise<number[]> {
  const { address, tenant, person, issuer, gateway } = task;
  const database = await openDatabase({ address, schema: stateSchema, tenant, max: 4 });
  const keys = createDataKeys(
    openFileKms(task.keys),
    postgresDataKeyRows(() => database),
    systemClock,
  );
  const seal = createSecretSeal(keys);
  const answers: number[] = [];
  for (let round = 0; round < task.rounds; round++) {
    // A new one each time: nothing is in memory.
    const sessions = createTokenExchangeSessions({
      profile: {
        ...profileSchema.parse({}),
        name: 'server',
        ...{ issuer, gateway, audience: gateway },
        login_client: { client_id: task.client },
        credential_store: 'file',
        phone: undefined,
      },
      access: { privateKey: { ...task.privateKey, kid: task.client, alg: 'ES256' } },
      clock: systemClock,
      credentials: (sub) => postgresCredentialStore({ database, sub, seal }),
    });
    const session = await sessions.forPerson(person);
    const response = await session.fetch(`${gateway}/v1/clock`, {}, ['market:read', 'orders:propose']);
    await response.body?.cancel();
    answers.push(response.status);
  }
  await database.close();
  return answers;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(JSON.stringify(await work(JSON.parse(await text(process.stdin)))));
}
