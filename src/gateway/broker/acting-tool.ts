/**
 * A tool of a broker's own server that sends or cancels orders. It is called where it says of itself what the gateway's
 * operator has confirmed, and in no other state.
 */
export interface ActingTool {
  readonly name: string;
  /** `gone`: there is none of that name, or two. */
  readonly state: 'confirmed' | 'changed' | 'unconfirmed' | 'gone';
  /** SHA-256 (hex) of what it says now: what confirms it, in `pins` of the settings. */
  readonly pin: string | undefined;
  /** The server's words, as they are. */
  readonly description: string;
  /** JSON Schema of its arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}
