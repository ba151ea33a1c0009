import { createIdShortener } from '../../text/short-id.ts';
import { formatLocalTime } from './as-of.ts';

/**
 * The audience of the output. A person needs lines that fit the terminal, short IDs, and local times. A program that
 * reads from a pipe needs full IDs and UTC times.
 */
export interface OutputAudience {
  readonly person: boolean;
  /** Width in columns; infinite for a program. */
  readonly columns: number;
  ids(all: readonly string[]): (id: string) => string;
  /** Formats a time. @param at RFC 3339 */
  time(at: string): string;
}

export const programAudience: OutputAudience = {
  person: false,
  columns: Number.POSITIVE_INFINITY,
  ids: () => (id) => id,
  time: (at) => at,
};

export function terminalAudience(columns: number): OutputAudience {
  return { person: true, columns, ids: createIdShortener, time: (at) => formatLocalTime(at) };
}

export function toAudience(io: { readonly stdoutIsTty: boolean; width(): number }): OutputAudience {
  return io.stdoutIsTty ? terminalAudience(io.width()) : programAudience;
}
