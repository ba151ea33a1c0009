import type { CountedFacts } from '../../trading/counted-order.ts';
import { isFinal, type Order } from '../../trading/views.ts';
import type { DecisionNote } from '../decision-store.ts';
import type { Claim, JournalState, OrderJournal, OrderKey } from '../order-journal.ts';
import { countedColumns, countingClock } from '../rows/order-counts.ts';
import { decisionValues, KEPT_DECISIONS, noteDecision } from '../sql/decision-store.ts';
import { takePlace } from '../sql/mandate-store.ts';
import { adopt, endIfOver, idOf, orderChanges, THIS_ORDER, UNSETTLED } from '../sql/order-journal.ts';
import { type CountedAt, countOrder, countUsage, lookAtOrder } from './order-counts.ts';
import { driveWork, postgresUnits } from './sql-database.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresOrderJournal(database: TenantDatabase): OrderJournal {
  const units = postgresUnits(database, 'place');
  const counting = countingClock();
  return {
    ...orderChanges(units),
    claim: (order, now, decide) =>
      database.write((unit) => claimOrder(unit, database.tenant, order, { clock: now, counting }, decide)),
    counted: (order, now) =>
      order.draft.mandate === undefined
        ? countOrder(units, order, { clock: now, counting })
        : database.read((unit) => countOrder(unit, order, { clock: now, counting })),
    usage: (sub, account, now) => countUsage(units, sub, account, { clock: now, counting }),
    async place(key, order, now) {
      // The broker has it: where this is lost with the power, whoever asks next looks it up there.
      const before = await database.writeUnsynced((unit) => place(unit, key, order, now));
      if (before === 'rejected')
        return await database.write((unit) => driveWork(unit, adopt(' FOR UPDATE', key, order, now)));
      return before === undefined || before === 'placed' ? 'known' : 'placed';
    },
  };
}

/** Answers with the state before. An order that had been rejected stays so: see {@link adopt}. */
const PLACE = `
  WITH seen AS (
    SELECT state FROM gateway_orders WHERE ${THIS_ORDER} FOR UPDATE
  ), placed AS (
    UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED}
  )
  SELECT state FROM seen`;

async function place(
  unit: Unit,
  key: OrderKey,
  order: Order,
  now: number,
): Promise<JournalState | undefined> {
  const values = { ...idOf(key), result: JSON.stringify(order), now };
  const placed = (isFinal(order.status) ? unit : unit.last).one<{ state: JournalState }>(PLACE, values);
  const [seen] = await Promise.all([placed, driveWork(unit, endIfOver(' FOR UPDATE', key, order, now))]);
  return seen?.state;
}

/*
 * Twice to the database and back, since somebody decides in between; once where nobody does:
 *
 *  1. The locks, and then what is looked at. A statement sees what was committed before it began, so all that whoever had the lock
 *     before has written.
 *  2. All that is written, in one statement, and its commit: the approval is used up where there is no such order yet, and the
 *     intent is written where it was.
 */

type Outcome = 'claimed' | 'known' | 'approval_used' | 'denied';

/** Until the unit's end nobody else counts by this mandate, or ends it: in the unit that claims an order under it. */
async function holdMandate(unit: Unit, sub: string, id: string): Promise<void> {
  await unit.all('SELECT FROM mandates WHERE sub = @sub AND id = @id FOR NO KEY UPDATE', { sub, id });
}

/** Claims an order, as {@link OrderJournal.claim} has it. The unit ends with it. */
async function claimOrder(
  unit: Unit,
  tenant: string,
  order: Claim,
  at: CountedAt,
  decide: ((counted: CountedFacts) => DecisionNote) | undefined,
): Promise<Outcome> {
  const { sub, clientOrderId, draft, mandate } = order;
  const { clock: now } = at;
  // Until the end nobody else counts what the account has out, or has this client_order_id.
  const locked = unit.all(
    'SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(@keys::text[]) AS key',
    {
      keys: [
        JSON.stringify(['account', tenant, draft.account]),
        JSON.stringify(['order', tenant, sub, clientOrderId]),
      ],
    },
  );
  const held = mandate === undefined ? undefined : holdMandate(unit, sub, mandate);
  const looked = decide && lookAtOrder(unit, order, at);
  const [seen] = looked === undefined ? [] : await Promise.all([looked, locked, held]);
  if (seen?.isKnown === true) return 'known';
  const decision = seen && decide?.(seen.counted);
  if (decision?.effect === 'deny') {
    await driveWork(unit, noteDecision(decision, now));
    return 'denied';
  }
  const written = write(mandate === undefined ? unit.last : unit, order, at, decision);
  const [outcome] = await Promise.all([written, locked, held]);
  if (mandate !== undefined && outcome === 'claimed') {
    const { symbol, side } = draft;
    await driveWork(unit, takePlace(order, mandate, { slot: order.slot ?? '', symbol, side }));
  }
  return outcome;
}

const SAME = 'WHERE sub = @sub AND client_order_id = @clientOrderId';

/** By it is counted: it never goes back. */
const COUNTED_AT = `greatest(@counted::bigint, (SELECT max(created_at) FROM gateway_orders WHERE account = @account))`;

const INTENT = `
  known AS (SELECT FROM gateway_orders ${SAME}),
  -- Of two at once the second waits for the outcome of the first.
  spent AS (
    INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
    SELECT @issuer, @jti, @sub, 'order', @clientOrderId, @now WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (tenant, issuer, jti) DO NOTHING RETURNING used_at
  ),
  intent AS (
    INSERT INTO gateway_orders
      (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, created_at, updated_at,
       account, symbol, side, notional, qty, terms, mandate, slot)
    SELECT @sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, ${COUNTED_AT}, @now,
       @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot FROM spent
  )`;
const { most, every } = KEPT_DECISIONS;
/** `noteDecision`, for an order that is claimed. Its values have names of their own beside the order's. */
const NOTED = `
  noted AS (
    INSERT INTO decisions
      (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
    SELECT @at, @decidedFor, @client, @decidedAbout, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured,
      @policy, @facts FROM spent
    RETURNING id
  ),
  cleared AS (
    DELETE FROM decisions
    WHERE EXISTS (SELECT FROM noted WHERE id % ${every} = 0) AND sub = @decidedFor AND effect = @effect AND id <=
      (SELECT id FROM decisions WHERE sub = @decidedFor AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET ${most})
  )`;

function notedValues(note: DecisionNote, now: number) {
  const { sub: decidedFor, account: decidedAbout, ...values } = decisionValues(note, now);
  return { ...values, decidedFor, decidedAbout };
}

const ANSWER = 'SELECT EXISTS (SELECT FROM known) AS known, EXISTS (SELECT FROM spent) AS spent';
const WRITE = `WITH ${INTENT} ${ANSWER}`;
const WRITE_DECIDED = `WITH ${INTENT}, ${NOTED} ${ANSWER}`;

async function write(
  unit: Pick<Unit, 'one'>,
  order: Claim,
  { clock: now, counting }: CountedAt,
  decision: DecisionNote | undefined,
): Promise<Outcome> {
  const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
  const row = await unit.one<{ known: boolean; spent: boolean }>(
    decision === undefined ? WRITE : WRITE_DECIDED,
    {
      ...(decision && notedValues(decision, now)),
      ...approval,
      sub,
      clientOrderId,
      digest,
      now,
      counted: counting.expected(draft.account, now),
      ...countedColumns(order),
      draft: JSON.stringify(draft),
      replaces: replaces ?? null,
      mandate: mandate ?? null,
      slot: slot ?? null,
    },
  );
  if (row?.known === true) return 'known';
  return row?.spent === true ? 'claimed' : 'approval_used';
}
