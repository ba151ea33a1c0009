/** Something that takes what others wrote. */
export interface Target {
  /** What it takes as a rule: where mutations begin. */
  seeds(): readonly string[] | Promise<readonly string[]>;
  /** Settles where it read the text, or refused it by an error that is made for that; else throws what went wrong. */
  read(text: string): unknown;
  close?(): Promise<void>;
}

/** Started when it is wanted: some are whole servers. */
export type OpenTarget = () => Target | Promise<Target>;

/** One that is a function. */
export const reads =
  (read: (text: string) => unknown, ...seeds: readonly string[]): OpenTarget =>
  () => ({ seeds: () => seeds, read });
