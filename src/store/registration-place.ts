/** Where the client id that a gateway got by registering itself (RFC 7591) is kept, as a text. */
export interface RegistrationPlace {
  read(): Promise<string | undefined>;
  /**
   * Puts a text in place of what was read.
   * @returns false where something else is there since: that stays
   */
  write(read: string | undefined, text: string): Promise<boolean>;
}
