import { shortIds } from '../../text/short-id.ts';
import { localTime } from './as-of.ts';

/**
 * Who reads a text. A person has a terminal's columns, types ids by their first characters, and reads local time; a
 * program behind a pipe needs whole ids and UTC.
 */
export interface Reader {
  readonly person: boolean;
  /** Infinite for a program. */
  readonly columns: number;
  /** Shortens ids so that each stays unique. */
  ids(all: readonly string[]): (id: string) => string;
  /** @param at RFC 3339 */
  time(at: string): string;
}

export const program: Reader = {
  person: false,
  columns: Number.POSITIVE_INFINITY,
  ids: () => (id) => id,
  time: (at) => at,
};

export function person(columns: number): Reader {
  return { person: true, columns, ids: shortIds, time: (at) => localTime(at) };
}

export function readerOf(io: { readonly stdoutIsTty: boolean; width(): number }): Reader {
  return io.stdoutIsTty ? person(io.width()) : program;
}
