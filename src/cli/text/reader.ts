import { shortIds } from '../../text/short-id.ts';
import { localTime } from './as-of.ts';

/**
 * Who reads a text. A person at a terminal has so many columns, types ids by their first characters, and has a clock on
 * the wall; a program behind a pipe wants ids whole and times in UTC.
 */
export interface Reader {
  readonly person: boolean;
  /** Infinite for a program. */
  readonly columns: number;
  /** Ids as this reader types them; each told from all others given. */
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

/** @param columns of the terminal */
export function person(columns: number): Reader {
  return { person: true, columns, ids: shortIds, time: (at) => localTime(at) };
}

/** Whoever reads standard output. */
export function readerOf(io: { readonly stdoutIsTty: boolean; width(): number }): Reader {
  return io.stdoutIsTty ? person(io.width()) : program;
}
