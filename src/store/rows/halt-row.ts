import type { AuditNote } from '../audit.ts';
import type { TradingStanding } from '../halts.ts';

/** Of `halts`. */
export interface HaltRow {
  readonly since: number;
  readonly by: string;
}

/** Of `reductions`, one that has not ended by itself. */
export interface ReductionRow extends HaltRow {
  readonly until: number | null;
}

export function standingOf(halt: HaltRow | undefined, reduction: ReductionRow | undefined): TradingStanding {
  if (halt !== undefined) return { state: 'halted', ...halt };
  if (reduction === undefined) return { state: 'active' };
  const { since, until, by } = reduction;
  return { state: 'reducing', since, ...(until === null ? {} : { until }), by };
}

/** Whether trading goes no further, and for no shorter, than where it were only reduced until then. */
export function isAsStrict(before: TradingStanding, until: number | undefined): boolean {
  const lasts = before.until === undefined || (until !== undefined && until <= before.until);
  return before.state === 'halted' || (before.state === 'reducing' && lasts);
}

export function reducingNote(sub: string, by: string, until: number | undefined): AuditNote {
  const ends = until === undefined ? {} : { until: new Date(until).toISOString() };
  return { event: 'reducing', facts: { sub, client: by, ...ends } };
}
