/*
 * Tools of other people's servers, as the agent has them: passed in by whoever runs it (mcp/client), and offered to a
 * language model alone. Nothing of them is ours: neither their descriptions nor their answers, which are data.
 */

/** A tool as a language model is offered it. */
export interface ForeignTool {
  /** `mcp__SERVER__TOOL`: none of ours is called so. */
  readonly name: string;
  /** What the server says of it, fit to be shown, and without a mark of any chat template. */
  readonly description: string;
  /** JSON Schema of its arguments, likewise. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What became of a call. */
export type ForeignAnswer =
  /** The server's words, fit to be shown and cut; also where it says that it failed. */
  | { readonly outcome: 'answered'; readonly ok: boolean; readonly text: string; readonly cut: boolean }
  /** It hung, died, refused to speak, or the tool is off; in our own words. */
  | { readonly outcome: 'failed'; readonly message: string };

export interface ForeignTools {
  /**
   * What is offered now. Connects what is not connected yet; a server that can't be is told of, once, and left out.
   * Never throws.
   */
  offered(signal: AbortSignal, notice: (message: string) => void): Promise<readonly ForeignTool[]>;
  /** The server that a name leads to, by the profile alone; undefined where the owner allowed no such tool. */
  serverOf(name: string): string | undefined;
  /** Never throws, but the signal's reason. */
  call(name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ForeignAnswer>;
  close(): Promise<void>;
}

/** What a server's words are called, wherever it is told where something comes from. */
export const SERVER_WORDS = 'MCP server ';
