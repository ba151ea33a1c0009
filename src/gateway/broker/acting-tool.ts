/**
 * A tool of a broker's MCP server that places or cancels orders. The gateway calls the tool only if the gateway's
 * operator has confirmed the tool's current description.
 */
export interface OrderTool {
  readonly name: string;
  /** `gone`: the server has no tool of this name, or more than one. */
  readonly state: 'confirmed' | 'changed' | 'unconfirmed' | 'gone';
  /** SHA-256 (hex) of the current description; undefined if the tool is `gone`. */
  readonly pin: string | undefined;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}
