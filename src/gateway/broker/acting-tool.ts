/**
 * A tool of a broker's MCP server that sends or cancels orders. It is called only after its description was confirmed.
 */
export interface ActingTool {
  readonly name: string;
  /** `gone`: no tool has this name, or two tools have it. */
  readonly state: 'confirmed' | 'changed' | 'unconfirmed' | 'gone';
  /**
   * SHA-256 (hex) of the current description. `pins` in the settings contains the hash of the confirmed description.
   */
  readonly pin: string | undefined;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}
