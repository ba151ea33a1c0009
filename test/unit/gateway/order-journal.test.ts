import Database from 'better-sqlite3-multiple-ciphers';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createOrderJournal,
  type JournalEntry,
  type OrderJournal,
} from '../../../src/gateway/order-journal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import type { Order, Problem } from '../../../src/trading/views.ts';

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
  const entry = journal.find('ta-00000001');
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
    expect(journal.claim({ ...claim, jti: 'jti-2', sub: 'bob', digest: 'other' }, 1001)).toBe('known');
    expect(found()).toMatchObject({ sub: 'alice', digest: 'digest' });
  });

  it('lets an approval be used once, and a refused claim leaves no trace', () => {
    journal.claim(claim, 1000);
    expect(journal.claim({ ...claim, clientOrderId: 'ta-00000002' }, 1001)).toBe('approval_used');
    expect(journal.find('ta-00000002')).toBeUndefined();
  });

  it('never changes a final state', () => {
    journal.claim(claim, 1000);
    journal.place('ta-00000001', order, 1001);
    journal.reject('ta-00000001', problem, 1002);
    journal.doubt('ta-00000001', 1003);
    journal.release('ta-00000001', 1004);
    expect(journal.reclaim(found(), 1005)).toBe(false);
    expect(found()).toMatchObject({ state: 'placed', order, problem: undefined, submissions: 1 });
  });

  it('settles an unknown outcome either way', () => {
    journal.claim(claim, 1000);
    journal.doubt('ta-00000001', 1001);
    expect(found().state).toBe('unknown');
    journal.reject('ta-00000001', problem, 1002);
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
    journal.doubt('ta-00000001', 1001);
    const seen = found();
    expect(journal.reclaim(seen, 2000)).toBe(true);
    expect(journal.reclaim(seen, 2000)).toBe(false);
    expect(found()).toMatchObject({ state: 'intent', submissions: 2, submittedAt: 2000, ambiguous: true });
  });

  it('knows when every submission came to nothing', () => {
    journal.claim(claim, 1000);
    journal.release('ta-00000001', 1001);
    expect(found()).toMatchObject({ state: 'intent', submittedAt: null });
    journal.reclaim(found(), 2000);
    expect(found()).toMatchObject({ submittedAt: 2000, ambiguous: false });
  });

  it('does not take back a submission after an earlier one was left in doubt', () => {
    journal.claim(claim, 1000);
    journal.doubt('ta-00000001', 1001);
    journal.reclaim(found(), 2000);
    journal.release('ta-00000001', 2001);
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
