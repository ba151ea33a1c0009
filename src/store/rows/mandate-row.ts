import { Dec } from '../../trading/decimal.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { type KeptMandateState, mandateTransitions } from '../../trading/mandate/mandate.ts';
import type { CountedMandate, StoredMandate } from '../mandate-store.ts';

/** A row of `mandates`. */
export interface MandateRow {
  readonly sub: string;
  readonly id: string;
  readonly terms: string;
  readonly digest: string;
  readonly state: KeptMandateState;
  readonly created_at: number;
  readonly updated_at: number;
}

/** What one order counts for that is under a mandate, and when it was claimed. */
export interface MandateUse {
  readonly notional: string;
  readonly at: number;
}

/**
 * A mandate, and how far it was used.
 * @param uses of all its orders that were not refused
 * @param since when the day began, milliseconds since the epoch
 * @param inSlot how many places of the slot that is asked about are taken
 */
export function countedMandate(
  row: MandateRow,
  uses: readonly MandateUse[],
  since: number,
  inSlot: number,
): CountedMandate {
  const sum = (of: readonly MandateUse[]) =>
    of.reduce((total, { notional }) => total.plus(notional), new Dec(0)).toFixed(2);
  return {
    ...mandateOf(row),
    used: {
      total_notional: sum(uses),
      day_notional: sum(uses.filter(({ at }) => at >= since)),
      orders: uses.length,
    },
    inSlot,
  };
}

/** The first place that is free, counted from 1. @param taken those that are not, in their order */
export function freePlace(taken: readonly number[]): number {
  const gap = taken.findIndex((place, index) => place !== index + 1);
  return gap === -1 ? taken.length + 1 : gap + 1;
}

export function maySet(from: KeptMandateState | undefined, to: KeptMandateState): boolean {
  return from !== undefined && mandateTransitions[from].includes(to);
}

function mandateOf({ sub, id, terms, state, created_at, updated_at }: MandateRow): StoredMandate {
  return {
    sub,
    id,
    terms: JSON.parse(terms) as MandateEnvelope,
    state,
    createdAt: created_at,
    updatedAt: updated_at,
  };
}
