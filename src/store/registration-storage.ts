/** Stores a gateway's client registration (RFC 7591) as a string. */
export interface RegistrationStorage {
  read(): Promise<string | undefined>;
  /**
   * Replaces the stored string if it still equals `read`.
   * @returns false, with nothing changed, if another process has changed the string meanwhile
   */
  write(read: string | undefined, text: string): Promise<boolean>;
}
