/** The account that each person chose as their default, by its number at the broker. */
export interface DefaultAccountStore {
  /** Returns undefined if the person chose no account. */
  find(sub: string): Promise<string | undefined>;
  choose(sub: string, account: string): Promise<void>;
  remove(sub: string): Promise<void>;
}
