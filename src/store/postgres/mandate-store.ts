import type { CountedMandate, MandateQuery, MandateSlot, MandateStore } from '../mandate-store.ts';
import type { OrderKey } from '../order-journal.ts';
import { countedMandate, freePlace, type MandateRow, type MandateUse, maySet } from '../rows/mandate-row.ts';
import { withHead } from './head.ts';
import { watchStanding } from './standing-store.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';
import { spendApproval } from './used-approvals.ts';

export function postgresMandateStore(database: TenantDatabase): MandateStore {
  return {
    grant: (mandate, now) =>
      withHead(database, async (unit, head) => {
        const { sub, id, terms, digest, approval } = mandate;
        const earlier = await rowOf(unit, sub, id);
        if (earlier !== undefined) return earlier.digest === digest ? 'known' : 'approval_used';
        const replaced = terms.replaces === undefined ? undefined : await rowOf(unit, sub, terms.replaces);
        if (terms.replaces !== undefined && !maySet(replaced?.state, 'replaced')) return 'not_replaceable';
        if (!(await spendApproval(unit, approval, { kind: 'mandate', sub, subjectId: id }, now)))
          return 'approval_used';
        if (replaced !== undefined) {
          await move(unit, sub, replaced.id, 'replaced', now);
          head.note({ event: 'mandate_replaced', facts: { sub, mandate: replaced.id, by: id } }, now);
        }
        await unit.run(
          `INSERT INTO mandates (sub, id, terms, digest, state, created_at, updated_at)
           VALUES (@sub, @id, @terms, @digest, 'active', @now, @now)`,
          { sub, id, terms: JSON.stringify(terms), digest, now },
        );
        await watchStanding(unit, mandate, now);
        head.note({ event: 'mandate_granted', facts: { sub, mandate: id, digest, terms } }, now);
        return 'granted';
      }),
    find: (sub, id, query) => database.read((unit) => findMandate(unit, sub, id, query)),
    list: (sub, query) =>
      database.read(async (unit) => {
        const rows = await unit.all<MandateRow>(
          'SELECT * FROM mandates WHERE sub = @sub ORDER BY created_at DESC, id COLLATE "C"',
          { sub },
        );
        const all: CountedMandate[] = [];
        for (const row of rows) all.push(await counted(unit, row, query, ''));
        return all;
      }),
    end: ({ sub, id }, to, by, now) =>
      withHead(database, async (unit, head) => {
        const before = await rowOf(unit, sub, id);
        if (before === undefined) return 'unknown';
        // Twice is as good as once.
        if (before.state === to) return 'ended';
        if (!maySet(before.state, to)) return 'barred';
        await move(unit, sub, id, to, now);
        head.note({ event: `mandate_${to}`, facts: { sub, mandate: id, by } }, now);
        return 'ended';
      }),
  };
}

/** An order that was written off counts until its day is over. */
const COUNTS = `(orders.state <> 'rejected' OR orders.reserved_until > @since)`;

async function rowOf(unit: Pick<Unit, 'one'>, sub: string, id: string): Promise<MandateRow | undefined> {
  return await unit.one<MandateRow>('SELECT * FROM mandates WHERE sub = @sub AND id = @id', { sub, id });
}

async function move(unit: Unit, sub: string, id: string, to: string, now: number): Promise<void> {
  await unit.run('UPDATE mandates SET state = @to, updated_at = @now WHERE sub = @sub AND id = @id', {
    ...{ sub, id, to, now },
  });
}

/** @param but an order that is not counted: the one that is asked about */
export async function findMandate(
  unit: Pick<Unit, 'one' | 'all'>,
  sub: string,
  id: string,
  query: MandateQuery,
  but = '',
): Promise<CountedMandate | undefined> {
  const row = await rowOf(unit, sub, id);
  return row && (await counted(unit, row, query, but));
}

async function counted(
  unit: Pick<Unit, 'one' | 'all'>,
  row: MandateRow,
  { since, slot }: MandateQuery,
  but: string,
): Promise<CountedMandate> {
  const key = { sub: row.sub, mandate: row.id, but, since };
  // What an order counts for is the journal's: it shrinks to what filled, and is nothing where it was refused.
  const uses = await unit.all<MandateUse>(
    `SELECT orders.notional, orders.created_at AS at
     FROM mandate_uses AS uses JOIN gateway_orders AS orders USING (tenant, sub, client_order_id)
     WHERE uses.sub = @sub AND uses.mandate = @mandate AND ${COUNTS}
       AND uses.client_order_id <> @but`,
    key,
  );
  if (slot === undefined) return countedMandate(row, uses, since, 0);
  const taken = await unit.one<{ count: number }>(
    `SELECT count(*) FROM mandate_uses AS uses JOIN gateway_orders AS orders USING (tenant, sub, client_order_id)
     WHERE uses.sub = @sub AND uses.mandate = @mandate AND uses.slot = @slot AND uses.symbol = @symbol
       AND uses.side = @side AND ${COUNTS} AND uses.client_order_id <> @but`,
    { ...key, ...slot },
  );
  return countedMandate(row, uses, since, taken?.count ?? 0);
}

/** Until the unit's end nobody else counts by this mandate, or ends it: in the unit that claims an order under it. */
export async function holdMandate(unit: Unit, sub: string, id: string): Promise<void> {
  await unit.all('SELECT FROM mandates WHERE sub = @sub AND id = @id FOR NO KEY UPDATE', { sub, id });
}

/** Takes a place in a slot, in the unit that claims the order. @throws where there is none: what may be taken is decided before */
export async function takePlace(
  unit: Unit,
  { sub, clientOrderId }: OrderKey,
  mandate: string,
  slot: MandateSlot,
): Promise<void> {
  const taken = await unit.all<{ n: number }>(
    `SELECT n FROM mandate_uses
     WHERE sub = @sub AND mandate = @mandate AND slot = @slot AND symbol = @symbol AND side = @side ORDER BY n`,
    { sub, mandate, ...slot },
  );
  await unit.run(
    `INSERT INTO mandate_uses (sub, mandate, slot, symbol, side, n, client_order_id)
     VALUES (@sub, @mandate, @slot, @symbol, @side, @n, @clientOrderId)`,
    { sub, clientOrderId, mandate, ...slot, n: freePlace(taken.map(({ n }) => n)) },
  );
}

/** Gives it back, in the unit that refuses the order. */
export async function giveBackPlace(unit: Unit, { sub, clientOrderId }: OrderKey): Promise<void> {
  await unit.run('DELETE FROM mandate_uses WHERE sub = @sub AND client_order_id = @clientOrderId', {
    ...{ sub, clientOrderId },
  });
}
