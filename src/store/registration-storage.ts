/** Storage of a gateway's client registration (RFC 7591), as text. */
export interface RegistrationStorage {
  read(): Promise<string | undefined>;
  /**
   * Replaces the text if it is still the one that was read.
   * @returns false, with nothing changed, if it was changed meanwhile
   */
  write(read: string | undefined, text: string): Promise<boolean>;
}
