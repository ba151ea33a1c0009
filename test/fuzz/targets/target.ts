export interface Target {
  /** Where mutations begin. */
  seeds(): readonly string[] | Promise<readonly string[]>;
  /** Throws unexpected errors only. */
  read(text: string): unknown;
  close?(): Promise<void>;
}

/** Some are whole servers. */
export type OpenTarget = () => Target | Promise<Target>;

export const reads =
  (read: (text: string) => unknown, ...seeds: readonly string[]): OpenTarget =>
  () => ({ seeds: () => seeds, read });
