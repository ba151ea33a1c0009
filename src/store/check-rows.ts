import { Dec } from '../trading/decimal.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';
import type { FiredState, Untold } from './check-store.ts';

/** A high-water mark as it is stored: amounts as decimal text, times in milliseconds since the epoch. */
export interface MarkRow {
  readonly value: string;
  readonly at: number;
  readonly last_value: string;
  readonly last_at: number;
  readonly flows: string | null;
}

export function rowOf({ value, at, last, flows }: HighWaterMark): MarkRow {
  return {
    value: value.toFixed(),
    at,
    last_value: last.value.toFixed(),
    last_at: last.at,
    flows: flows?.toFixed() ?? null,
  };
}

export function markOf(row: MarkRow | undefined): HighWaterMark | undefined {
  return (
    row && {
      value: new Dec(row.value),
      at: row.at,
      last: { at: row.last_at, value: new Dec(row.last_value) },
      flows: row.flows === null ? undefined : new Dec(row.flows),
    }
  );
}

/** What a channel was told of, as it is stored. */
export type ToldRow = Omit<FiredState, 'since'> & { readonly channel: string };

/** @param rows all that was told of one account */
export function untoldBy(rows: readonly ToldRow[]): Untold {
  const told = new Set(rows.map((row) => nameOf(row.channel, row)));
  return (channel, firings) => firings.filter((firing) => !told.has(nameOf(channel, firing)));
}

function nameOf(channel: string, { rule, subject, definition }: Omit<FiredState, 'since'>): string {
  return JSON.stringify([channel, rule, subject, definition]);
}

/** A history as it is stored: its numbers as they lie in memory. */
export interface PackedCloses {
  readonly days: Buffer;
  readonly closes: Buffer;
}

export function bytesOf(array: Int32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** The numbers must lie at their own alignment: copied where they don't. */
export function priceHistoryOf({ days, closes }: PackedCloses): PriceHistory {
  return {
    days: new Int32Array(...aligned(days, Int32Array.BYTES_PER_ELEMENT)),
    closes: new Float64Array(...aligned(closes, Float64Array.BYTES_PER_ELEMENT)),
  };
}

function aligned(
  { buffer, byteOffset, byteLength }: Buffer,
  size: number,
): [ArrayBufferLike, number, number] {
  if (byteOffset % size === 0) return [buffer, byteOffset, byteLength / size];
  return [buffer.slice(byteOffset, byteOffset + byteLength), 0, byteLength / size];
}
