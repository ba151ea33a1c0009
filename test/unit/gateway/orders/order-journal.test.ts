import Database from 'better-sqlite3-multiple-ciphers';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMessageJournal } from '../../../../src/gateway/messages/message-journal.ts';
import {
  createOrderJournal,
  type JournalEntry,
  type OrderJournal,
} from '../../../../src/gateway/orders/order-journal.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Order, Problem } from '../../../../src/trading/views.ts';

let database: Database.Database;
let journal: OrderJournal;
beforeEach(() => {
  database = new Database(':memory:');
  journal = createOrderJournal(database);
});

const draft = { client_order_id: 'ta-00000001', symbol: 'AAPL' } as OrderDraft;
const claim = { clientOrderId: 'ta-00000001', digest: 'digest', sub: 'alice', jti: 'jti-1', draft };
const order = { id: 'order-1' } as Order;
const problem = { code: 'broker_rejected', status: 422 } as Problem;
const found = (): JournalEntry => {
  const entry = journal.find('alice', 'ta-00000001');
  if (entry === undefined) throw new Error('not in the journal');
  return entry;
};

describe('the order journal', () => {
  it('keeps every commit through a power cut', () => {
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
  });

  it('writes the intent and uses the approval in one', () => {
    expect(journal.claim(claim, 1000)).toBe('claimed');
    expect(found()).toMatchObject({
      state: 'intent',
      submissions: 1,
      submittedAt: 1000,
      ambiguous: false,
      draft,
    });
  });

  it('knows a client_order_id, whatever else the second claim says', () => {
    journal.claim(claim, 1000);
    expect(journal.claim({ ...claim, jti: 'jti-2', digest: 'other' }, 1001)).toBe('known');
    expect(found()).toMatchObject({ sub: 'alice', digest: 'digest' });
  });

  it('keeps each user’s ids apart: what becomes of bob’s order is nothing to alice’s', () => {
    const bobs = { ...claim, jti: 'jti-2', sub: 'bob', digest: 'other' };
    expect(journal.claim(bobs, 999)).toBe('claimed');
    expect(journal.claim(claim, 1000)).toBe('claimed');
    journal.reject(bobs, problem, 1001);
    expect(found()).toMatchObject({ state: 'intent', digest: 'digest', submittedAt: 1000 });
    expect(journal.find('bob', 'ta-00000001')).toMatchObject({ state: 'rejected', digest: 'other' });
  });

  it('keeps which order a replacement is put in place of', () => {
    journal.claim({ ...claim, replaces: 'order-0' }, 1000);
    expect(found().replaces).toBe('order-0');
  });

  it('lets an approval be used once, and a refused claim leaves no trace', () => {
    journal.claim(claim, 1000);
    expect(journal.claim({ ...claim, clientOrderId: 'ta-00000002' }, 1001)).toBe('approval_used');
    expect(journal.find('alice', 'ta-00000002')).toBeUndefined();
  });

  it('never changes a final state', () => {
    journal.claim(claim, 1000);
    journal.place(claim, order, 1001);
    journal.reject(claim, problem, 1002);
    journal.doubt(claim, 1003);
    journal.release(claim, 1004);
    expect(journal.reclaim(found(), 1005)).toBe(false);
    expect(found()).toMatchObject({ state: 'placed', order, problem: undefined, submissions: 1 });
  });

  it('settles an unknown outcome either way', () => {
    journal.claim(claim, 1000);
    journal.doubt(claim, 1001);
    expect(found().state).toBe('unknown');
    journal.reject(claim, problem, 1002);
    expect(found()).toMatchObject({ state: 'rejected', problem, order: undefined });
  });

  it('gives it to one alone within the same millisecond too', () => {
    journal.claim(claim, 1000);
    const seen = found();
    expect(journal.reclaim(seen, 1000)).toBe(true);
    expect(journal.reclaim(seen, 1000)).toBe(false);
  });

  it('gives the right to send again to one alone', () => {
    journal.claim(claim, 1000);
    journal.doubt(claim, 1001);
    const seen = found();
    expect(journal.reclaim(seen, 2000)).toBe(true);
    expect(journal.reclaim(seen, 2000)).toBe(false);
    expect(found()).toMatchObject({ state: 'intent', submissions: 2, submittedAt: 2000, ambiguous: true });
  });

  it('knows when every submission came to nothing', () => {
    journal.claim(claim, 1000);
    journal.release(claim, 1001);
    expect(found()).toMatchObject({ state: 'intent', submittedAt: null });
    journal.reclaim(found(), 2000);
    expect(found()).toMatchObject({ submittedAt: 2000, ambiguous: false });
  });

  it('does not take back a submission after an earlier one was left in doubt', () => {
    journal.claim(claim, 1000);
    journal.doubt(claim, 1001);
    journal.reclaim(found(), 2000);
    journal.release(claim, 2001);
    expect(found()).toMatchObject({ submittedAt: 2000, ambiguous: true });
  });

  it('is shared by processes: the second handle sees what the first wrote', () => {
    journal.claim(claim, 1000);
    expect(createOrderJournal(database).claim({ ...claim, jti: 'jti-2' }, 1001)).toBe('known');
  });

  it('refuses a database of a later version', () => {
    database.exec('INSERT INTO gateway_schema (version) VALUES (99)');
    expect(() => createOrderJournal(database)).toThrow(/version 99/);
  });
});

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

it('a journal of the version before is carried over, to the last row', () => {
  const old = new Database(':memory:');
  old.exec(versionTwo);
  const kept = createOrderJournal(old);
  expect(kept.find('alice', 'ta-00000001')).toMatchObject({
    state: 'placed',
    draft: { symbol: 'AAPL' },
    order: { id: 'order-1' },
    replaces: undefined,
  });
  expect(kept.find('alice', 'ta-00000002')).toMatchObject({
    state: 'unknown',
    submissions: 2,
    submittedAt: 2000,
    ambiguous: true,
  });
  expect(kept.find('bob', 'ta-00000003')).toMatchObject({ problem: { code: 'price_moved' } });
  const messages = createMessageJournal(old);
  expect(messages.find('bob', 'ta-00000004')).toMatchObject({
    state: 'sent',
    message: { service_id: '17.1' },
  });
  // An approval that was used stays used, and the ids are free for others.
  expect(kept.claim({ ...claim, clientOrderId: 'ta-new-00001', jti: 'jti-4' }, 3000)).toBe('approval_used');
  expect(kept.claim({ ...claim, sub: 'bob', jti: 'jti-5' }, 3000)).toBe('claimed');
  // Opened again, nothing is done to it twice.
  expect(createOrderJournal(old).find('alice', 'ta-00000001')?.state).toBe('placed');
});
