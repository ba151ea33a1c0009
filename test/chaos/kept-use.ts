import type Database from 'better-sqlite3-multiple-ciphers';
import type { MandateEnvelope } from '../../src/trading/mandate/envelope.ts';

export interface Reservation {
  readonly sub: string;
  readonly client_order_id: string;
  readonly state: string;
  readonly notional: string;
  readonly mandate: string | null;
  readonly created_at: number;
  /** Of one that was written off: when that was, and until when it counts. */
  readonly written_off_at: number | null;
  readonly reserved_until: number | null;
}

export interface MandateUseRow {
  readonly mandate: string;
  readonly slot: string;
  readonly symbol: string;
  readonly side: string;
  readonly client_order_id: string;
}

export interface KeptMandate {
  readonly id: string;
  readonly sub: string;
  readonly state: string;
  readonly terms: MandateEnvelope;
}

/** What the gateway keeps of mandates and of what counts, read past it. */
export interface KeptUse {
  readonly mandates: readonly KeptMandate[];
  readonly reservations: readonly Reservation[];
  readonly uses: readonly MandateUseRow[];
}

export function readKept(database: Database.Database): KeptUse {
  const rows = database
    .prepare<[], { id: string; sub: string; state: string; terms: string }>(
      'SELECT id, sub, state, terms FROM mandates ORDER BY created_at, id',
    )
    .all();
  return {
    mandates: rows.map((row) => ({ ...row, terms: JSON.parse(row.terms) as MandateEnvelope })),
    reservations: database
      .prepare<[], Reservation>(
        `SELECT sub, client_order_id, iif(state = 'rejected', 'written_off', state) AS state, notional, mandate, created_at,
           written_off_at, reserved_until
         FROM gateway_orders WHERE state <> 'rejected' OR written_off_at IS NOT NULL ORDER BY created_at`,
      )
      .all(),
    uses: database
      .prepare<[], MandateUseRow>('SELECT mandate, slot, symbol, side, client_order_id FROM mandate_uses')
      .all(),
  };
}
