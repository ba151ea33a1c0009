import type Database from 'better-sqlite3-multiple-ciphers';
import { isRecurring } from '../../trading/mandate/standing.ts';
import { nextDue } from '../../trading/mandate/standing-due.ts';
import type { GrantedMandate } from '../mandate-store.ts';
import type { StandingOrder, StandingStep, StandingStore } from '../standing-store.ts';
import { auditNotes } from './audit-store.ts';

interface Row {
  readonly sub: string;
  readonly mandate: string;
  readonly client: string;
  readonly due_at: number | null;
  readonly state: StandingOrder['state'];
  readonly last: string | null;
}

/** @param database the gateway's, of its latest version */
export function sqliteStandingStore(database: Database.Database): StandingStore {
  const note = auditNotes(database);
  const select = database.prepare<[string, string], Row>(
    'SELECT * FROM standing_orders WHERE sub = ? AND mandate = ?',
  );
  const watched = database.prepare<[], Row>(
    "SELECT * FROM standing_orders WHERE state = 'watching' ORDER BY sub, mandate",
  );
  const update = database.prepare(`
    UPDATE standing_orders SET due_at = @dueAt, state = @state, last = @last
    WHERE sub = @sub AND mandate = @mandate AND state = 'watching' AND due_at IS @seen`);
  const step = database.transaction(
    (
      { sub, mandate, dueAt: seen }: StandingOrder,
      { dueAt, state, last, event }: StandingStep,
      now: number,
    ) => {
      const kept = last === undefined ? null : JSON.stringify(last);
      const { changes } = update.run({ sub, mandate, seen, dueAt, state, last: kept });
      if (changes === 0) return false;
      const facts = { sub, mandate, ...(seen === null ? {} : { due: instant(seen) }), ...last, state };
      note({ event, facts }, now);
      return true;
    },
  );
  return {
    watched: async () => watched.all().map(standingOf),
    async find(sub, mandate) {
      const found = select.get(sub, mandate);
      return found === undefined ? undefined : standingOf(found);
    },
    step: async (seen, next, now) => step.immediate(seen, next, now),
  };
}

/** Writes the row of a mandate that has a standing order: to be called in the transaction that grants it. */
export function standingRows(database: Database.Database) {
  const insert = database.prepare(`
    INSERT INTO standing_orders (sub, mandate, client, due_at, state)
    VALUES (@sub, @id, @client, @dueAt, 'watching')`);
  return ({ sub, id, client, terms }: GrantedMandate, now: number): void => {
    const { standing, not_before } = terms;
    if (standing === undefined) return;
    const from = Math.max(now, Date.parse(not_before));
    const dueAt = isRecurring(standing.when) ? nextDue(standing.when, from) : null;
    insert.run({ sub, id, client, dueAt });
  };
}

const instant = (time: number): string => new Date(time).toISOString();

function standingOf({ sub, mandate, client, due_at, state, last }: Row): StandingOrder {
  return {
    ...{ sub, mandate, client, state },
    dueAt: due_at,
    last: last === null ? undefined : (JSON.parse(last) as StandingOrder['last']),
  };
}
