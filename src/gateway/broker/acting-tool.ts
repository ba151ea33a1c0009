/** A tool of a broker's MCP server that sends or cancels orders. It is called only if its description was confirmed. */
export interface ActingTool {
  readonly name: string;
  /** `gone`: no tool has this name, or two do. */
  readonly state: 'confirmed' | 'changed' | 'unconfirmed' | 'gone';
  /** SHA-256 (hex) of its current description. `pins` in the settings holds the confirmed one. */
  readonly pin: string | undefined;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}
