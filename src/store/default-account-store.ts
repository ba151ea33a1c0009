/** Stores each person's default account, identified by the broker's account number. */
export interface DefaultAccountStore {
  /** Returns undefined if the person has not chosen a default account. */
  find(sub: string): Promise<string | undefined>;
  choose(sub: string, account: string): Promise<void>;
  remove(sub: string): Promise<void>;
}
