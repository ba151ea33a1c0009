import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { isRecurring } from '../../trading/mandate/standing.ts';
import { nextDue } from '../../trading/mandate/standing-due.ts';
import type { AuditNote } from '../audit.ts';
import type { StandingOrder, StandingStep } from '../standing-store.ts';

/** A row of `standing_orders`. */
export interface StandingRow {
  readonly sub: string;
  readonly mandate: string;
  readonly client: string;
  readonly due_at: number | null;
  readonly state: StandingOrder['state'];
  readonly last: string | null;
}

/** When a mandate's standing order is due first; null where it waits for a price, or there is none. @param now milliseconds since the epoch */
export function firstDue({ standing, not_before }: MandateEnvelope, now: number): number | null {
  if (standing === undefined || !isRecurring(standing.when)) return null;
  return nextDue(standing.when, Math.max(now, Date.parse(not_before)));
}

/** What an update takes of how it goes on. */
export function stepValues({ dueAt, state, last }: StandingStep) {
  return { dueAt, state, last: last === undefined ? null : JSON.stringify(last) };
}

/** What the record says of a step. */
export function stepNote(
  { sub, mandate, dueAt }: StandingOrder,
  { state, last, event }: StandingStep,
): AuditNote {
  const due = dueAt === null ? {} : { due: new Date(dueAt).toISOString() };
  return { event, facts: { sub, mandate, ...due, ...last, state } };
}

export function standingOf({ sub, mandate, client, due_at, state, last }: StandingRow): StandingOrder {
  return {
    ...{ sub, mandate, client, state },
    dueAt: due_at,
    last: last === null ? undefined : (JSON.parse(last) as StandingOrder['last']),
  };
}
