import type { z } from 'zod';
import type { Clock } from '../../machine/clock.ts';
import type { Scope } from '../../oauth/scopes.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { McpCaller } from '../mcp-caller.ts';

/** One call of a tool. */
export interface ToolCall {
  readonly caller: McpCaller;
  readonly clock: Clock;
  /** Ends when the client goes away: what waits ends, what was proposed stays. */
  readonly signal: AbortSignal;
  /** How long its answer may still be held back, milliseconds. */
  holdMs(): number;
  /** What the client calls itself. Nobody vouches for it. */
  readonly clientName: string;
  /** All that makes it this very call, where the client gives it no key of its own. */
  readonly identity: readonly unknown[];
}

/** What a tool found out or did. */
interface Found {
  readonly found: Readonly<Record<string, unknown>>;
  /** One sentence. */
  readonly message: string;
  /** Where words in it come from that neither the person nor the gateway chose. */
  readonly outside?: string;
}

/** A proposal that is waited for, as the client can, or (`isAsked` false) is told of as it stands. */
export interface Proposed {
  readonly proposal: Proposal;
  readonly isAsked: boolean;
}

export interface McpTool<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly description: string;
  readonly schema: Schema;
  /** All of them are needed. */
  readonly scopes: readonly Scope[];
  /**
   * `reads`; `asks`: makes or takes back a question to the person, and changes nothing without their tap; `acts`: may change
   * something without one.
   */
  readonly effect: 'reads' | 'asks' | 'acts';
  /** It is there only where the person's rules file is at hand. */
  readonly needsOwnRules?: true;
  /** @throws {TradeAgentError} which is told in our own words; of anything else nothing is */
  run(call: ToolCall, args: z.output<Schema>): Promise<Found | Proposed>;
}

/**
 * Types a tool's arguments by its schema.
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
