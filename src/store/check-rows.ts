import { Dec } from '../trading/decimal.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { RuleFiring, UnnotifiedFilter } from './check-store.ts';

/** A stored high-water mark. Amounts are decimal strings, and times are milliseconds since the epoch. */
export interface HighWaterMarkRow {
  readonly value: string;
  readonly at: number;
  readonly last_value: string;
  readonly last_at: number;
  readonly flows: string | null;
}

export function toHighWaterMarkRow({ value, at, last, flows }: HighWaterMark): HighWaterMarkRow {
  return {
    value: value.toFixed(),
    at,
    last_value: last.value.toFixed(),
    last_at: last.at,
    flows: flows?.toFixed() ?? null,
  };
}

export function toHighWaterMark(row: HighWaterMarkRow | undefined): HighWaterMark | undefined {
  return (
    row && {
      value: new Dec(row.value),
      at: row.at,
      last: { at: row.last_at, value: new Dec(row.last_value) },
      flows: row.flows === null ? undefined : new Dec(row.flows),
    }
  );
}

export type NotifiedFiringRow = Omit<RuleFiring, 'since'> & { readonly channel: string };

/**
 * Creates a filter from one account's notified firings.
 * @param rows one account's firings, each with a channel for which a notice of the firing was stored
 */
export function createUnnotifiedFilter(rows: readonly NotifiedFiringRow[]): UnnotifiedFilter {
  const told = new Set(rows.map((row) => firingKey(row.channel, row)));
  return (channel, firings) => firings.filter((firing) => !told.has(firingKey(channel, firing)));
}

function firingKey(channel: string, { rule, subject, definition }: Omit<RuleFiring, 'since'>): string {
  return JSON.stringify([channel, rule, subject, definition]);
}
