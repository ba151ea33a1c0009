import { afterAll, beforeAll, expect, it } from 'vitest';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { questionSeal } from '../../src/store/rows/question-id.ts';
import { migratedDatabase, newTenant, type TestDatabase, withPostgres } from './support/database.ts';

const seal = questionSeal('of the gateways');
const note = { event: 'requested', facts: {} } as const;

withPostgres('the id of a question to the identity provider, on PostgreSQL', () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await migratedDatabase(gatewaySchema);
  });
  afterAll(() => server.drop());

  /** As gateways of an older version write it. */
  const asked = (database: TenantDatabase, id: string, state: string, version: number) =>
    database.write((unit) =>
      unit.run(
        `INSERT INTO proposals (id, sub, client, kind, state, code, subject, subject_id, fingerprint, digest, shown, typed,
           created_at, updated_at, version, place, deadline, expires_at, poll_interval, auth_req_id,
           notification_token)
         VALUES (@id, 'alice', 'trade-agent', 'order', @state, '7K3M', '{}', @id, 'f', 'd', '{}', false,
           1, 1, @version, @version, 9, 9, 5, @question, @token)`,
        {
          ...{ id, state, version, question: `question of ${id}` },
          token: state === 'requested' ? `token with ${id}` : null,
        },
      ),
    );
  const clear = (database: TenantDatabase) =>
    database.read(async (unit) => {
      const rows = await unit.all<{ row: string }>(
        'SELECT row_to_json(proposals)::text AS row FROM proposals',
      );
      return rows.flatMap(({ row }) => row.match(/(?:question of|token with) \w+/g) ?? []).toSorted();
    });

  it('is sealed once it is over, and stays readable to gateways of an older version until then', async () => {
    const database = await server.open(newTenant());
    await postgresGatewayStores(database, seal);
    await asked(database, 'open', 'requested', 1);
    await asked(database, 'over', 'cancelled', 2);
    const { proposals } = await postgresGatewayStores(database, seal);
    expect(await clear(database)).toEqual(['question of open', 'token with open']);
    for (const id of ['open', 'over'])
      expect(await proposals.byAuthReqId(`question of ${id}`)).toMatchObject({
        id,
        authReqId: `question of ${id}`,
      });
    expect((await proposals.untold()).map(({ id }) => id)).toEqual(['over']);
  });

  it('is in clear nowhere after its next change; what an older gateway writes after that counts', async () => {
    const database = await server.open(newTenant());
    const { proposals } = await postgresGatewayStores(database, seal);
    await asked(database, 'one', 'requested', 1);
    const seen = await proposals.get('one');
    if (seen === undefined) throw new Error('one');
    await proposals.change(seen, { ...seen, token: 'kept' }, note, { now: 2 });
    expect(await clear(database)).toEqual([]);
    expect((await proposals.byAuthReqId('question of one'))?.id).toBe('one');
    await database.write((unit) =>
      unit.run(`UPDATE proposals SET auth_req_id = 'asked anew' WHERE id = 'one'`),
    );
    expect((await proposals.get('one'))?.authReqId).toBe('asked anew');
    expect((await proposals.byAuthReqId('asked anew'))?.id).toBe('one');
  });
});
