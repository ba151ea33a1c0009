import type { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import type { Scope } from '../../oauth/scopes.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { McpCaller } from '../mcp-caller.ts';

export interface ToolCall {
  readonly caller: McpCaller;
  readonly clock: Clock;
  /** Aborts when the client disconnects. The client's proposals remain open. */
  readonly signal: AbortSignal;
  /** Returns how many more milliseconds the client can wait for the response. */
  holdMs(): number;
  /** The name that the client gave itself, unverified. */
  readonly clientName: string;
  /** Values that identify the call if the client provides no idempotency key. */
  readonly identity: readonly unknown[];
}

interface ToolResult {
  readonly found: Readonly<Record<string, unknown>>;
  /** The result in a single sentence. */
  readonly message: string;
  /** The source of any third-party (untrusted) text in the result. */
  readonly outside?: string;
}

/**
 * A proposal as a tool's result. If `isAsked` is true and the client can wait, the call waits for the decision.
 * Otherwise it only reports the state.
 */
export interface ProposedResult {
  readonly proposal: Proposal;
  readonly isAsked: boolean;
}

export interface McpTool<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly schema: Schema;
  /** The fields of a successful result, in addition to the fields that every result has. */
  readonly output: z.ZodObject;
  /** The caller must have all of these scopes. */
  readonly scopes: readonly Scope[];
  /** `asks` creates or withdraws a proposal. `acts` may make a change without approval. */
  readonly effect: 'reads' | 'asks' | 'acts';
  readonly needsOwnRules?: true;
  /**
   * Runs the tool. The message of a `TradeAgentError` is sent to the client; other errors are reported without details.
   * @throws {TradeAgentError}
   */
  run(call: ToolCall, args: z.output<Schema>): Promise<ToolResult | ProposedResult>;
}

/**
 * Defines a tool whose arguments are typed by its schema.
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { defineMcpTool } from './mcp-tool.ts';
 *
 * export const isMarketOpen = defineMcpTool({
 *   name: 'is_market_open',
 *   title: 'Is the market open?',
 *   description: 'Whether the US stock market is open now.',
 *   schema: z.strictObject({}),
 *   output: z.object({ is_open: z.boolean() }),
 *   scopes: ['market:read'],
 *   effect: 'reads',
 *   async run({ caller }) {
 *     const { is_open } = await caller.gateway.clock();
 *     return { message: is_open ? 'The market is open.' : 'The market is closed.', found: { is_open } };
 *   },
 * });
 * ```
 */
export function defineMcpTool<Schema extends z.ZodObject>(tool: McpTool<Schema>): McpTool {
  return tool as unknown as McpTool;
}
