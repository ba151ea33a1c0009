import type Database from 'better-sqlite3-multiple-ciphers';
import type {
  CountedMandate,
  GrantedMandate,
  MandateQuery,
  MandateSlot,
  MandateStore,
} from '../mandate-store.ts';
import type { OrderKey } from '../order-journal.ts';
import { countedMandate, freePlace, type MandateRow, type MandateUse, maySet } from '../rows/mandate-row.ts';
import { auditNotes } from './audit-store.ts';
import { standingRows } from './standing-store.ts';
import { approvalUse } from './used-approvals.ts';

/** @param database the gateway's, of its latest version */
export function sqliteMandateStore(database: Database.Database): MandateStore {
  const { find, list, row } = mandateReads(database);
  const note = auditNotes(database);
  const spend = approvalUse(database);
  const watch = standingRows(database);
  const insert = database.prepare(`
    INSERT INTO mandates (sub, id, terms, digest, state, created_at, updated_at)
    VALUES (@sub, @id, @terms, @digest, 'active', @now, @now)`);
  const move = database.prepare(
    'UPDATE mandates SET state = @to, updated_at = @now WHERE sub = @sub AND id = @id',
  );

  const grant = database.transaction((mandate: GrantedMandate, now: number) => {
    const { sub, id, terms, digest, approval } = mandate;
    const earlier = row(sub, id);
    if (earlier !== undefined)
      return earlier.digest === digest ? ('known' as const) : ('approval_used' as const);
    const replaced = terms.replaces === undefined ? undefined : row(sub, terms.replaces);
    if (terms.replaces !== undefined && !maySet(replaced?.state, 'replaced'))
      return 'not_replaceable' as const;
    if (!spend(approval, { kind: 'mandate', sub, subjectId: id }, now)) return 'approval_used' as const;
    if (replaced !== undefined) {
      move.run({ sub, id: replaced.id, to: 'replaced', now });
      note({ event: 'mandate_replaced', facts: { sub, mandate: replaced.id, by: id } }, now);
    }
    insert.run({ sub, id, terms: JSON.stringify(terms), digest, now });
    watch(mandate, now);
    note({ event: 'mandate_granted', facts: { sub, mandate: id, digest, terms } }, now);
    return 'granted' as const;
  });
  const end = database.transaction(
    (sub: string, id: string, to: 'suspended' | 'revoked', by: string, now: number) => {
      const before = row(sub, id);
      if (before === undefined) return 'unknown' as const;
      // Twice is as good as once.
      if (before.state === to) return 'ended' as const;
      if (!maySet(before.state, to)) return 'barred' as const;
      move.run({ sub, id, to, now });
      note({ event: `mandate_${to}`, facts: { sub, mandate: id, by } }, now);
      return 'ended' as const;
    },
  );
  const findAll = database.transaction(list);
  const findOne = database.transaction((sub: string, id: string, query: MandateQuery) =>
    find(sub, id, query),
  );
  return {
    grant: async (mandate, now) => grant.immediate(mandate, now),
    find: async (sub, id, query) => findOne.deferred(sub, id, query),
    list: async (sub, query) => findAll.deferred(sub, query),
    end: async ({ sub, id }, to, by, now) => end.immediate(sub, id, to, by, now),
  };
}

/** Reads of mandates as of one moment: to be called in a transaction. */
export function mandateReads(database: Database.Database) {
  const select = database.prepare<[string, string], MandateRow>(
    'SELECT * FROM mandates WHERE sub = ? AND id = ?',
  );
  const selectAll = database.prepare<[string], MandateRow>(
    'SELECT * FROM mandates WHERE sub = ? ORDER BY created_at DESC, id',
  );
  // What an order counts for is the journal's: it shrinks to what filled, and is nothing where it was refused.
  const counts = `(orders.state <> 'rejected' OR orders.reserved_until > @since)`;
  const uses = database.prepare<unknown[], MandateUse>(`
    SELECT orders.notional, orders.created_at AS at
    FROM mandate_uses AS uses JOIN gateway_orders AS orders USING (sub, client_order_id)
    WHERE uses.sub = @sub AND uses.mandate = @mandate AND ${counts}
      AND uses.client_order_id <> @but`);
  const inSlot = database
    .prepare<unknown[], number>(`
      SELECT count(*) FROM mandate_uses AS uses JOIN gateway_orders AS orders USING (sub, client_order_id)
      WHERE uses.sub = @sub AND uses.mandate = @mandate AND uses.slot = @slot AND uses.symbol = @symbol
        AND uses.side = @side AND ${counts} AND uses.client_order_id <> @but`)
    .pluck();
  const counted = (found: MandateRow, { since, slot }: MandateQuery, but: string): CountedMandate => {
    const key = { sub: found.sub, mandate: found.id, but, since };
    const taken = slot === undefined ? 0 : (inSlot.get({ ...key, ...slot }) ?? 0);
    return countedMandate(found, uses.all(key), since, taken);
  };
  return {
    row: (sub: string, id: string) => select.get(sub, id),
    /** @param but an order that is not counted: the one that is asked about */
    find(sub: string, id: string, query: MandateQuery, but = ''): CountedMandate | undefined {
      const found = select.get(sub, id);
      return found === undefined ? undefined : counted(found, query, but);
    },
    list: (sub: string, query: MandateQuery): CountedMandate[] =>
      selectAll.all(sub).map((found) => counted(found, query, '')),
  };
}

/** Takes a place in a slot, and gives it back: to be called in the transaction that claims the order, or refuses it. */
export function mandateSlots(database: Database.Database) {
  const taken = database
    .prepare<unknown[], number>(`
      SELECT n FROM mandate_uses
      WHERE sub = @sub AND mandate = @mandate AND slot = @slot AND symbol = @symbol AND side = @side ORDER BY n`)
    .pluck();
  const insert = database.prepare(`
    INSERT INTO mandate_uses (sub, mandate, slot, symbol, side, n, client_order_id)
    VALUES (@sub, @mandate, @slot, @symbol, @side, @n, @clientOrderId)`);
  const held = database
    .prepare<[string, string], number>('SELECT n FROM mandate_uses WHERE sub = ? AND client_order_id = ?')
    .pluck();
  const remove = database.prepare('DELETE FROM mandate_uses WHERE sub = ? AND client_order_id = ?');
  return {
    /** @throws where there is no place: what may be taken is decided before */
    take({ sub, clientOrderId }: OrderKey, mandate: string, slot: MandateSlot): void {
      const n = freePlace(taken.all({ sub, mandate, ...slot }));
      insert.run({ sub, clientOrderId, mandate, ...slot, n });
    },
    /** The order was found at the broker after its place was given back: it is taken again, whether or not there is room. */
    takeAgain(key: OrderKey, mandate: string, slot: MandateSlot): void {
      if (held.get(key.sub, key.clientOrderId) === undefined) this.take(key, mandate, slot);
    },
    giveBack({ sub, clientOrderId }: OrderKey): void {
      remove.run(sub, clientOrderId);
    },
  };
}
