import Database from 'better-sqlite3-multiple-ciphers';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProposalStore } from '../../../../src/store/proposal-store.ts';
import { questionSeal } from '../../../../src/store/rows/question-id.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { migrate } from '../../../../src/store/sqlite/migrate.ts';
import { gatewayMigrations } from '../../../../src/store/sqlite/migrations/gateway.ts';

const [OPEN, OVER, TOKEN] = ['the-question-that-is-open', 'the-question-that-is-over', 'the-token-with-it'];
const note = { event: 'requested', facts: {} } as const;

/** A database from before they were sealed, with a question that is open and one that is over. */
const before = () => {
  const database = new Database(':memory:');
  migrate(database, gatewayMigrations.slice(0, 13), { tooNew: () => new Error('not new') });
  const insert = database.prepare(`
    INSERT INTO proposals (id, sub, client, kind, state, code, subject, subject_id, fingerprint, digest, shown, typed,
      created_at, updated_at, version, deadline, expires_at, poll_interval, auth_req_id, owner_auth_req_id, notification_token)
    VALUES (@id, 'alice', 'trade-agent', 'order', @state, '7K3M', '{"qty":"5"}', @id, 'f', 'd',
      '{"worstCase":null,"warnings":[],"shows":{},"provenance":null,"requestedBy":null}', 0, 1, 1, @version, 9, 9, 5,
      @question, @owner, @token)`);
  insert.run({ id: 'pr_1', state: 'requested', version: 1, question: OPEN, owner: null, token: TOKEN });
  insert.run({ id: 'pr_2', state: 'cancelled', version: 2, question: OVER, owner: OVER, token: null });
  return database;
};
const bytes = (database: Database.Database) => {
  database.exec('VACUUM');
  return database.serialize().toString('latin1');
};

describe('the id of a question to the identity provider', () => {
  let database: Database.Database;
  let proposals: ProposalStore;
  beforeEach(() => {
    database = before();
    ({ proposals } = sqliteGatewayStores(database, questionSeal('of the gateway')));
  });
  const moved = async (id: string, change: object) => {
    const seen = await proposals.get(id);
    if (seen === undefined) throw new Error(id);
    return await proposals.change(seen, { ...seen, token: 'kept', ...change }, note, { now: 2 });
  };

  it('of a database from before is sealed once it is over; one that is open is asked about as before', async () => {
    expect(bytes(database)).toContain(OPEN);
    expect(bytes(database)).not.toContain(OVER);
    expect(await proposals.get('pr_1')).toMatchObject({
      authReqId: OPEN,
      ownerAuthReqId: undefined,
      notificationToken: TOKEN,
    });
    expect(await proposals.get('pr_2')).toMatchObject({ authReqId: OVER, ownerAuthReqId: OVER });
    for (const [question, id] of [
      [OPEN, 'pr_1'],
      [OVER, 'pr_2'],
    ] as const)
      expect((await proposals.byAuthReqId(question))?.id).toBe(id);
    // What became of it is still to be told to the phone.
    expect((await proposals.untold()).map(({ id }) => id)).toEqual(['pr_2']);
  });

  it('is in clear nowhere after its next change, nor is the token that went with it', async () => {
    await moved('pr_1', { state: 'cancelled' });
    await moved('pr_2', { ownerAuthReqId: 'another-question' });
    const kept = bytes(database);
    for (const secret of [OPEN, OVER, 'another-question', TOKEN]) expect(kept).not.toContain(secret);
    expect(await proposals.byAuthReqId(OPEN)).toMatchObject({ id: 'pr_1', authReqId: OPEN });
    expect(await proposals.get('pr_2')).toMatchObject({
      authReqId: OVER,
      ownerAuthReqId: 'another-question',
    });
    expect((await proposals.untold()).map(({ id }) => id).toSorted()).toEqual(['pr_1', 'pr_2']);
  });

  it('opens in its own row and place alone', async () => {
    database.exec(`UPDATE proposals SET auth_req_id = NULL,
      sealed_auth_req_id = (SELECT sealed_auth_req_id FROM proposals WHERE id = 'pr_2') WHERE id = 'pr_1'`);
    database.exec(`UPDATE proposals SET sealed_owner_auth_req_id = sealed_auth_req_id WHERE id = 'pr_2'`);
    const [one, two] = [await proposals.get('pr_1'), await proposals.get('pr_2')];
    for (const open of [() => one?.authReqId, () => two?.ownerAuthReqId])
      expect(open).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
    expect(two?.authReqId).toBe(OVER);
  });

  it('is neither read nor kept by who has not what it is sealed by; the rest is', async () => {
    const { proposals: others } = sqliteGatewayStores(database);
    const [over, open] = [await others.get('pr_2'), await others.get('pr_1')];
    expect(over?.state).toBe('cancelled');
    expect(() => over?.authReqId).toThrow('without what the ids of questions are sealed by');
    if (open === undefined) throw new Error('pr_1');
    await expect(others.change(open, { ...open, token: 'kept' }, note, { now: 2 })).rejects.toThrow(
      'sealed by',
    );
    expect((await others.get('pr_1'))?.version).toBe(1);
  });

  it('is opened by what sealed it once there is another', async () => {
    const { proposals: later } = sqliteGatewayStores(database, questionSeal(['the next', 'of the gateway']));
    expect((await later.get('pr_2'))?.authReqId).toBe(OVER);
    const { proposals: lost } = sqliteGatewayStores(database, questionSeal('the next'));
    const found = await lost.get('pr_2');
    expect(() => found?.authReqId).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
  });
});
