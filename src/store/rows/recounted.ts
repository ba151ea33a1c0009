import type { AuditNote } from '../audit.ts';

/** What was dated anew: how many orders, and the latest time that one had, milliseconds since the epoch. */
export interface Recounted {
  readonly orders: number;
  readonly newest: number | null;
}

export function recountedNote({ orders, newest }: Recounted): AuditNote {
  const facts = { orders, newest: newest === null ? null : new Date(newest).toISOString() };
  return { event: 'orders_recounted', facts };
}
