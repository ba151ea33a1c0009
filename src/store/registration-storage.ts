/** Storage of a gateway's client registration (RFC 7591) as text. */
export interface RegistrationStorage {
  read(): Promise<string | undefined>;
  /**
   * Replaces the text if it is unchanged since it was read.
   * @returns false, with nothing changed, if another process has changed it meanwhile
   */
  write(read: string | undefined, text: string): Promise<boolean>;
}
