import type { Entry } from './client-table.ts';

/** How settings are written: reads all of a text, and changes the entry of one server in it. */
export interface Format {
  /** @throws {TextError} where it can't be read */
  parse(text: string): Record<string, unknown>;
  /** @returns undefined where the entry can't be set without touching what is beside it */
  set(text: string, path: readonly [section: string, name: string], entry: Entry): string | undefined;
  /** The entry as it stands in a file. */
  show(path: readonly [section: string, name: string], entry: Entry): string;
}

/** What is wrong with a text, and where: both from 1. */
export class TextError extends Error {
  readonly line: number;
  readonly column: number;
  constructor(what: string, line: number, column: number) {
    super(what);
    this.line = line;
    this.column = column;
  }
}
