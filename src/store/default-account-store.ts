/** Which of a person's accounts is meant where none is named: its number at the broker. */
export interface DefaultAccountStore {
  /** Undefined where they chose none. */
  find(sub: string): Promise<string | undefined>;
  choose(sub: string, account: string): Promise<void>;
  remove(sub: string): Promise<void>;
}
