/*
 * Tools of other MCP servers, offered only to language models. Their descriptions and results are data, never
 * instructions.
 */

/** Prefix of each foreign tool's name. No built-in tool's name starts with this prefix. */
export const FOREIGN_TOOL_PREFIX = 'mcp__';

export interface ForeignTool {
  /** Name for the model: `mcp__SERVER__TOOL`. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, sanitized. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type ForeignToolResult =
  /** The tool answered. The text is sanitized and truncated. `ok` is false if the server reports a failure. */
  | { readonly outcome: 'answered'; readonly ok: boolean; readonly text: string; readonly cut: boolean }
  /** The call failed, or the tool is disabled. The message contains no text from the server. */
  | { readonly outcome: 'failed'; readonly message: string };

export interface ForeignTools {
  /** Connects to servers as needed. Reports a failing server once and omits its tools. Never throws. */
  offered(signal: AbortSignal, notice: (message: string) => void): Promise<readonly ForeignTool[]>;
  /** Returns a tool's server in the profile. Undefined if the owner did not allow the tool. Sends no request. */
  serverOf(name: string): string | undefined;
  /** Calls a tool. Throws only the signal's reason. */
  call(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ForeignToolResult>;
  close(): Promise<void>;
}

/** Prefix for a server's name when a conversation names the server as the source of text. */
export const MCP_SERVER_PREFIX = 'MCP server ';
