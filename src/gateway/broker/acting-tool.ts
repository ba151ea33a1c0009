/** A tool of a broker's MCP server that sends or cancels orders. Called only with the confirmed description. */
export interface ActingTool {
  readonly name: string;
  /** `gone`: no tool has that name, or two have it. */
  readonly state: 'confirmed' | 'changed' | 'unconfirmed' | 'gone';
  /** SHA-256 (hex) of its current description; `pins` of the settings holds the confirmed one. */
  readonly pin: string | undefined;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}
