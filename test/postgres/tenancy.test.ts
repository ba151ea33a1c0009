import { beforeAll, expect, it } from 'vitest';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { appRole, sweeperRole } from '../../src/store/postgres/schema.ts';
import { limitToPerson } from '../../src/store/postgres/state/person-database.ts';
import { postgresStateStores } from '../../src/store/postgres/state/state-stores.ts';
import { plainSigner } from '../fixtures/record-lines.ts';
import { blockDatabase, runSql, type TestDatabase, withPostgres } from './support/database.ts';
import { drafted, filledStores } from './support/filled-stores.ts';

/* What must fail besides what gateway-schema.test.ts and state/tenancy.test.ts try table by table. By the API: tenancy-api.test.ts. */

const [OURS, THEIRS] = ['ours', 'theirs'];

interface Attempt {
  /** What it would come to. */
  readonly what: string;
  readonly by: 'app' | 'sweeper' | 'owner';
  /** One after the other; the last is refused. */
  readonly sql: readonly string[];
  readonly refusal: string;
}

/** @param as the tenant, and the person, that the connection says it is of: `tenant/person`; undefined where it says nothing */
function tried(
  by: Attempt['by'],
  as: string | undefined,
  refusal: string,
  attempts: readonly (readonly [what: string, ...sql: string[]])[],
): Attempt[] {
  const [tenant, person = ''] = (as ?? '').split('/');
  const settings = as === undefined ? [] : [`SET ta.tenant = '${tenant}'`, `SET ta.person = '${person}'`];
  return attempts.map(([what, ...sql]) => ({ what, by, sql: [...settings, ...sql], refusal }));
}

const NO_TENANT = 'no tenant is set';
const NO_PERSON = 'no person is set';
const POLICY = 'violates row-level security policy';
const REFERENCE = 'violates foreign key constraint';
const WITHOUT_POLICIES = 'would be affected by row-level security policy';
const RIGHTS = 'permission denied';
const NOT_OWNER = 'must be owner';
const { name: GATEWAY } = gatewaySchema;

/** Where there is a tenant, it is `theirs`, and what is tried is about what is `ours`. */
const atGateway: readonly Attempt[] = [
  // Whoever forgets the tenant gets no row and no "none": the policy itself asks for it.
  ...tried('app', undefined, NO_TENANT, [
    ['read proposals of whichever tenant', 'SELECT * FROM proposals'],
    ['read by naming the tenant in the condition', `SELECT * FROM proposals WHERE tenant = '${OURS}'`],
    ['approve a proposal', `UPDATE proposals SET state = 'approved'`],
    ['lift halts', 'DELETE FROM halts'],
    // A connection goes from tenant to tenant: what an earlier transaction said is over with it.
    [
      'read by what an earlier transaction said',
      ...['BEGIN', `SELECT set_config('ta.tenant', '${OURS}', true)`, 'COMMIT', 'SELECT * FROM proposals'],
    ],
  ]),
  ...tried('app', '', NO_TENANT, [['read with an empty tenant', 'SELECT * FROM proposals']]),
  ...tried('owner', undefined, NO_TENANT, [['read as whoever owns the tables', 'SELECT * FROM proposals']]),
  // What is written in another's name would be theirs to find.
  ...tried('app', THEIRS, POLICY, [
    [
      'overwrite another’s tree by a conflict',
      `INSERT INTO record_tree (tenant, size) VALUES ('${OURS}', 0) ON CONFLICT (tenant) DO UPDATE SET size = 0`,
    ],
    ['give a row of one’s own away', `UPDATE record_tree SET tenant = '${OURS}'`],
    ['give a proposal away', `UPDATE proposals SET tenant = '${OURS}', id = 'pr_given'`],
    ['copy rows of one’s own over', `INSERT INTO default_accounts SELECT '${OURS}', 'x', 'x' FROM record_tree`],
  ]),
  // References are checked past the policies: they would tell whether a row is there, had they not the tenant first.
  ...tried('app', THEIRS, REFERENCE, [
    [
      'find out whether another has a proposal of this id',
      `INSERT INTO proposal_keys (sub, client, key, request, proposal) VALUES ('alice', 'x', 'k', 'r', 'pr_1')`,
    ],
    [
      'sign by another’s key',
      `INSERT INTO signatures (sub, approval, digest, evidence, credential_id, signed_at)
       VALUES ('alice', 'a', 'd', '{}', 'key-1', 1)`,
    ],
    [
      'order under another’s mandate',
      `INSERT INTO standing_orders (sub, mandate, client, symbol, state) VALUES ('alice', 'M-x9K2aB7cD1', 'x', 'KO', 'watching')`,
    ],
  ]),
  // Ways around the policies.
  ...tried('app', THEIRS, WITHOUT_POLICIES, [
    ['ask for an answer without the policies', 'SET row_security = off', 'SELECT * FROM proposals'],
  ]),
  ...tried('app', THEIRS, 'COPY FROM not supported with row-level security', [
    ['load rows past the policies', 'COPY halts FROM STDIN'],
  ]),
  ...tried('app', THEIRS, NOT_OWNER, [
    ['switch the policies off', 'ALTER TABLE proposals DISABLE ROW LEVEL SECURITY'],
    ['drop a policy', 'DROP POLICY of_tenant ON proposals'],
  ]),
  ...tried('app', THEIRS, RIGHTS, [
    [
      'say again what the tenant is',
      `CREATE OR REPLACE FUNCTION current_tenant() RETURNS text LANGUAGE sql AS $$ SELECT '${OURS}' $$`,
    ],
    ['empty a table, in which policies have no say', 'TRUNCATE halts'],
    ['become the sweeper, who sees all', `SET ROLE ${sweeperRole(GATEWAY)}`],
  ]),
  // The sweeper sees every tenant's expired proofs, and has no right to anything else.
  ...tried('sweeper', OURS, RIGHTS, [
    ['have a proof count as seen', `INSERT INTO gateway_dpop_proofs (proof, expires_at) VALUES ('\\x01', 1)`],
    ['keep a proof for longer', 'UPDATE gateway_dpop_proofs SET expires_at = 1'],
    ['become the application', `SET ROLE ${appRole(GATEWAY)}`],
  ]),
];

/** What the agent keeps: a person's rows within a tenant's. */
const atState: readonly Attempt[] = [
  ...tried('app', '/alice', NO_TENANT, [['read credentials’ keys of any tenant', 'SELECT * FROM data_keys']]),
  ...tried('app', OURS, NO_PERSON, [
    ['read threads of whichever person', 'SELECT * FROM threads'],
    [
      'read by what an earlier transaction said',
      ...['BEGIN', `SELECT set_config('ta.person', 'alice', true)`, 'COMMIT', 'SELECT * FROM threads'],
    ],
  ]),
  ...tried('app', `${OURS}/bob`, POLICY, [
    ['have a thread be another person’s', `UPDATE threads SET person = 'alice', id = 'given'`],
    ['have a thread be another tenant’s', `UPDATE threads SET tenant = '${THEIRS}'`],
  ]),
  ...tried('app', `${OURS}/bob`, WITHOUT_POLICIES, [
    ['ask for threads without the policies', 'SET row_security = off', 'SELECT * FROM threads'],
  ]),
  ...tried('sweeper', `${OURS}/alice`, RIGHTS, [
    ['read threads', 'SELECT * FROM threads'],
    ['read sealed credentials', 'SELECT * FROM credentials'],
  ]),
];

withPostgres('at the gateway’s tables, nobody gets to', () => {
  const server = blockDatabase(gatewaySchema);
  beforeAll(async () => {
    await filledStores(await postgresGatewayStores(await server.open(OURS)));
    const theirs = await postgresGatewayStores(await server.open(THEIRS));
    await drafted(theirs, 'pr_theirs', Date.now());
    await theirs.audit.sequence(plainSigner, true);
    await theirs.defaultAccounts.choose('alice', 'PA1');
  });
  it.each(atGateway)('$what ($by)', (attempt) => refused(server, GATEWAY, attempt));
});

withPostgres('at what the agent keeps, nobody gets to', () => {
  const server = blockDatabase(stateSchema);
  beforeAll(async () => {
    const database = await server.open(OURS);
    const run = { title: 'buy', holder: 'one', expected: undefined, now: 1000, until: 31_000 };
    for (const sub of ['alice', 'bob'])
      await postgresStateStores(limitToPerson(database, sub)).threads.begin({
        ...run,
        id: `of-${sub}`,
        owner: { profile: 'test', sub },
      });
  });
  it.each(atState)('$what ($by)', (attempt) => refused(server, stateSchema.name, attempt));
});

async function refused(server: TestDatabase, schema: string, attempt: Attempt): Promise<void> {
  const { by, sql, refusal } = attempt;
  const before = [`SET search_path = ${schema}`, ...sql.slice(0, -1)];
  // What leads to it is none of what is refused.
  await runSql(server[by], ...before);
  await expect(runSql(server[by], ...before, sql.at(-1) ?? '')).rejects.toThrow(refusal);
}
