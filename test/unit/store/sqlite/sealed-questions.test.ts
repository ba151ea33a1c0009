import Database from 'better-sqlite3-multiple-ciphers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProposalStore } from '../../../../src/store/proposal-store.ts';
import { createAuthReqIdSeal } from '../../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';

const [ONE, OTHER] = ['the-question-of-one', 'the-question-of-the-other'];
const note = { event: 'requested', facts: {} } as const;

const bytes = (database: Database.Database) => {
  database.exec('VACUUM');
  return database.serialize().toString('latin1');
};

describe('the id of a question to the identity provider', () => {
  let database: Database.Database;
  let proposals: ProposalStore;
  const moved = async (id: string, change: object) => {
    const seen = await proposals.get(id);
    if (seen === undefined) throw new Error(id);
    return await proposals.change(seen, { ...seen, token: 'kept', ...change }, note, { now: 2 });
  };
  beforeEach(async () => {
    database = new Database(':memory:');
    ({ proposals } = createSqliteGatewayStores(database, createAuthReqIdSeal('of the gateway')));
    const insert = database.prepare(`
      INSERT INTO proposals (id, sub, client, kind, state, code, subject, subject_id, fingerprint, digest, shown, typed,
        created_at, updated_at, version, deadline, expires_at, poll_interval)
      VALUES (?, 'alice', 'trade-agent', 'order', 'drafted', '7K3M', '{"qty":"5"}', ?, 'f', 'd',
        '{"worstCase":null,"warnings":[],"shows":{},"provenance":null,"requestedBy":null}', 0, 1, 1, ?, 9, 9, 5)`);
    insert.run('pr_1', 'ta-1', 1);
    insert.run('pr_2', 'ta-2', 2);
    insert.run('pr_3', 'ta-3', 3);
    await moved('pr_1', { state: 'requested', authReqId: ONE });
    await moved('pr_2', { state: 'cancelled', authReqId: OTHER, ownerAuthReqId: OTHER });
  });

  it('is in clear nowhere, and found all the same', async () => {
    const kept = bytes(database);
    for (const secret of [ONE, OTHER]) expect(kept).not.toContain(secret);
    expect(await proposals.byAuthReqId(ONE)).toMatchObject({
      id: 'pr_1',
      authReqId: ONE,
      ownerAuthReqId: undefined,
    });
    expect(await proposals.get('pr_2')).toMatchObject({ authReqId: OTHER, ownerAuthReqId: OTHER });
    // The phone is still to be notified of the outcome.
    expect((await proposals.unreported()).map(({ id }) => id)).toEqual(['pr_2']);
  });

  it('opens in its own row and place alone', async () => {
    database.exec(`UPDATE proposals SET
      sealed_auth_req_id = (SELECT sealed_auth_req_id FROM proposals WHERE id = 'pr_2') WHERE id = 'pr_1'`);
    database.exec(`UPDATE proposals SET sealed_owner_auth_req_id = sealed_auth_req_id WHERE id = 'pr_2'`);
    const [one, two] = [await proposals.get('pr_1'), await proposals.get('pr_2')];
    for (const open of [() => one?.authReqId, () => two?.ownerAuthReqId])
      expect(open).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
    expect(two?.authReqId).toBe(OTHER);
  });

  it('is neither read nor kept by who has not what it is sealed by; the rest is', async () => {
    const { proposals: others } = createSqliteGatewayStores(database);
    const [over, open] = [await others.get('pr_2'), await others.get('pr_3')];
    expect(over?.state).toBe('cancelled');
    expect(() => over?.authReqId).toThrow('without the seal for auth_req_ids');
    if (open === undefined) throw new Error('pr_3');
    await expect(others.change(open, { ...open, token: 'kept', authReqId: ONE }, note, { now: 2 })).rejects.toThrow(
      'without the seal',
    );
    expect((await others.get('pr_3'))?.version).toBe(open.version);
  });

  it('is opened by what sealed it once there is another', async () => {
    const { proposals: later } = createSqliteGatewayStores(
      database,
      createAuthReqIdSeal(['the next', 'of the gateway']),
    );
    expect((await later.get('pr_2'))?.authReqId).toBe(OTHER);
    const { proposals: lost } = createSqliteGatewayStores(database, createAuthReqIdSeal('the next'));
    const found = await lost.get('pr_2');
    expect(() => found?.authReqId).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
  });
});
