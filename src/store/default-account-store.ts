/** A person's default account, by its number at the broker. */
export interface DefaultAccountStore {
  /** Undefined if the person chose none. */
  find(sub: string): Promise<string | undefined>;
  choose(sub: string, account: string): Promise<void>;
  remove(sub: string): Promise<void>;
}
