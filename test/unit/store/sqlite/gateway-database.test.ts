import Database from 'better-sqlite3-multiple-ciphers';
import { describe, expect, it } from 'vitest';
import { prepareGatewayDatabase } from '../../../../src/store/sqlite/gateway-database.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { migrate } from '../../../../src/store/sqlite/migrate.ts';
import { gatewayMigrations } from '../../../../src/store/sqlite/migrations/gateway.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';

const draft = {
  account: 'PA3ALICE01',
  symbol: 'AAPL',
  side: 'sell',
  type: 'market',
  qty: '5',
  reference_price: '180',
  max_slippage: '0.01',
} as OrderDraft;
const claim = { digest: 'digest', draft };
const approvalOf = (jti: string) => ({ issuer: 'https://issuer.example', jti });

/** A journal as version 2 wrote it: one order in each state, one message. */
const versionTwo = `
  CREATE TABLE gateway_schema (version INTEGER NOT NULL) STRICT;
  INSERT INTO gateway_schema (version) VALUES (1), (2);
  CREATE TABLE gateway_orders (
    client_order_id TEXT PRIMARY KEY, digest TEXT NOT NULL, sub TEXT NOT NULL, jti TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions INTEGER NOT NULL, submitted_at INTEGER, ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
    result TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  ) STRICT;
  CREATE TABLE gateway_messages (
    client_message_id TEXT PRIMARY KEY, digest TEXT NOT NULL, sub TEXT NOT NULL, jti TEXT NOT NULL UNIQUE,
    draft TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    result TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  ) STRICT;
  INSERT INTO gateway_orders VALUES
    ('ta-00000001', 'digest', 'alice', 'jti-1', '{"symbol":"AAPL"}', 'placed', 1, 1000, 0, '{"id":"order-1"}', 900, 1001),
    ('ta-00000002', 'digest', 'alice', 'jti-2', '{}', 'unknown', 2, 2000, 1, NULL, 900, 2001),
    ('ta-00000003', 'digest', 'bob', 'jti-3', '{}', 'rejected', 1, NULL, 0, '{"code":"price_moved"}', 900, 1001);
  INSERT INTO gateway_messages VALUES
    ('ta-00000004', 'digest', 'bob', 'jti-4', '{}', 'sent', '{"service_id":"17.1"}', 900, 1001);`;

describe('the gateway’s database', () => {
  it('keeps every commit through a power cut', () => {
    const database = new Database(':memory:');
    prepareGatewayDatabase(database);
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
  });

  it.each([
    ['today', (database: Database.Database) => void database.pragma('user_version = 99')],
    [
      'the journals before',
      (database: Database.Database) => {
        database.exec(
          'CREATE TABLE gateway_schema (version INTEGER NOT NULL); INSERT INTO gateway_schema VALUES (4)',
        );
      },
    ],
    [
      'the proposals before',
      (database: Database.Database) => {
        database.exec(
          'CREATE TABLE approval_schema (version INTEGER NOT NULL); INSERT INTO approval_schema VALUES (2)',
        );
      },
    ],
  ])('of a newer program, by the version of %s, is left alone', (_, makeNewer) => {
    const database = new Database(':memory:');
    makeNewer(database);
    const before = database.serialize();
    expect(() => prepareGatewayDatabase(database)).toThrow(/is of version/);
    expect(database.serialize().equals(before)).toBe(true);
  });

  it('is refused by programs from before there was one table of used approvals', () => {
    const database = new Database(':memory:');
    prepareGatewayDatabase(database);
    expect(database.prepare('SELECT max(version) FROM gateway_schema').pluck().get()).toBe(4);
  });

  it('has a key pair from before there were several brokers as one of Alpaca’s, under the name it had', async () => {
    const old = new Database(':memory:');
    migrate(old, gatewayMigrations.slice(0, 12), { tooNew: () => new Error('not new') });
    old.exec(`INSERT INTO broker_keys (sub, connection, sealed, account_number, environment, kept_at)
      VALUES ('alice', 'broker', x'0001ff', 'PA3ALICE01', 'paper', 1000)`);
    const { brokerKeys, defaultAccounts } = sqliteGatewayStores(old);
    expect(await brokerKeys.find('alice', 'broker')).toMatchObject({
      kind: 'alpaca',
      accountNumber: 'PA3ALICE01',
      sealed: Buffer.from([0, 1, 255]),
    });
    expect(await defaultAccounts.find('alice')).toBeUndefined();
  });

  it('of a version before is carried over, to the last row', async () => {
    const old = new Database(':memory:');
    old.exec(versionTwo);
    const { orders, messages } = sqliteGatewayStores(old);
    expect(await orders.find('alice', 'ta-00000001')).toMatchObject({
      state: 'placed',
      draft: { symbol: 'AAPL' },
      order: { id: 'order-1' },
      replaces: undefined,
    });
    expect(await orders.find('alice', 'ta-00000002')).toMatchObject({
      state: 'unknown',
      submissions: 2,
      submittedAt: 2000,
      ambiguous: true,
    });
    expect(await orders.find('bob', 'ta-00000003')).toMatchObject({ problem: { code: 'price_moved' } });
    expect(await messages.find('bob', 'ta-00000004')).toMatchObject({
      state: 'sent',
      message: { service_id: '17.1' },
    });
    // What was placed is taken for over; what nobody knows of is not.
    expect(await orders.open('', 10)).toEqual([
      { sub: 'alice', clientOrderId: 'ta-00000002', orderId: null },
    ]);
    // An approval that was used stays used, by whichever issuer, and the ids are free for others.
    const [one, two] = [approvalOf('jti-4'), { issuer: 'https://other.example', jti: 'jti-1' }];
    const order = { ...claim, sub: 'alice', clientOrderId: 'ta-new-00001' };
    expect(await orders.claim({ ...order, approval: one }, 3000)).toBe('approval_used');
    expect(await orders.claim({ ...order, approval: two }, 3000)).toBe('approval_used');
    const bobs = { ...claim, sub: 'bob', clientOrderId: 'ta-00000001', approval: approvalOf('jti-5') };
    expect(await orders.claim(bobs, 3000)).toBe('claimed');
    // Opened again, nothing is done to it twice.
    expect((await sqliteGatewayStores(old).orders.find('alice', 'ta-00000001'))?.state).toBe('placed');
  });

  it('from before approvals were signed keeps its proposals, which have no nonce', async () => {
    const old = new Database(':memory:');
    migrate(old, gatewayMigrations.slice(0, 6), { tooNew: () => new Error('not new') });
    old.exec(`
      INSERT INTO proposals (id, sub, client, kind, state, code, subject, subject_id, fingerprint, digest, shown, typed,
        created_at, updated_at, version, deadline, expires_at, poll_interval)
      VALUES ('pr_1', 'alice', 'trade-agent', 'order', 'requested', '7K3M', '{"qty":"5"}', 'ta-1', 'f', 'd',
        '{"worstCase":null,"warnings":[],"shows":{},"provenance":null,"requestedBy":null}', 0, 1, 1, 1, 2, 2, 5)`);
    const { proposals, keys } = sqliteGatewayStores(old);
    expect(await proposals.get('pr_1')).toMatchObject({
      state: 'requested',
      subject: { qty: '5' },
      nonce: undefined,
    });
    expect(await proposals.openIds()).toEqual(['pr_1']);
    expect(await keys.of('alice')).toEqual([]);
  });
});
