import { z } from 'zod';
import type { Session } from '../auth/session/session.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { loginRequired } from '../errors/login-required.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { MessageService } from '../trading/message.ts';
import type { Order } from '../trading/views.ts';
import type { Alerts } from './alerts.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import type { OwnRules } from './own-rules.ts';

/** Of a session, what says who is signed in where. */
export interface SignedIn extends Pick<Session, 'user'> {
  readonly profile: Pick<Session['profile'], 'name' | 'environment'>;
}

export interface ToolContext {
  /** Absent when nobody is signed in; so is the gateway. */
  readonly session: SignedIn | undefined;
  readonly gateway: GatewayClient | undefined;
  /** The person's alerts; absent where what calls is not their own agent. */
  readonly alerts?: Alerts | undefined;
  /** Absent where the rules file is not at hand. */
  readonly ownRules?: OwnRules | undefined;
}

export interface ToolResult {
  /** One line for the person. */
  readonly summary: string;
  /** Compact JSON for the model. Whatever in it came from outside is data. */
  readonly content: string;
  /** An order the tool changed. */
  readonly order?: Order;
  /** Where words in it come from that neither the person nor the gateway chose; absent where there are none. */
  readonly outside?: string;
}

interface ToolBase<Schema extends z.ZodType> {
  readonly name: string;
  readonly description: string;
  /** Of its arguments; made when it is first used (`z.lazy`), since a start uses the fewest. */
  readonly schema: Schema;
  /** The scopes its requests need. */
  readonly scopes: readonly Scope[];
}

/**
 * A tool that acts by itself, within the session's own scopes. One that reduces proposes instead, where the gateway
 * wants the person's tap; one that keeps changes what trades nothing (a watchlist). One that is local changes what
 * is the person's own, of files here or of rows at their server: it is for their own agent alone, and takes what it writes from the person's own words.
 */
export interface DirectTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'read' | 'reduce' | 'keep' | 'local';
  execute(context: ToolContext, args: z.output<Schema>): Promise<ToolResult>;
}

/** A tool that only proposes: it has no way to trade; the gateway has, once the person approved. */
export interface ProposalTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'trade';
}

/** A tool that only proposes a message: it has no way to send one; the gateway has, once the person approved. */
export interface MessageTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'send';
  readonly service: MessageService;
}

/** A tool that only proposes a mandate: a yes to orders beforehand, for the person to sign. No other program is offered it. */
export interface MandateTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'mandate';
}

export type Tool = DirectTool | ProposalTool | MessageTool | MandateTool;

/**
 * Types a tool's arguments by its schema. A failure is thrown as a `TradeAgentError`: the model is told it, and may try
 * otherwise.
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { defineTool, requireGateway } from './tool.ts';
 *
 * export const isMarketOpen = defineTool({
 *   name: 'is_market_open',
 *   description: 'Whether the US stock market is open now.',
 *   schema: z.strictObject({}),
 *   scopes: ['market:read'],
 *   risk: 'read',
 *   async execute(context) {
 *     const { is_open } = await requireGateway(context).clock();
 *     return { summary: is_open ? 'open' : 'closed', content: JSON.stringify({ is_open }) };
 *   },
 * });
 * ```
 */
export function defineTool<Schema extends z.ZodType>(tool: DirectTool<Schema>): DirectTool {
  return tool as unknown as DirectTool;
}

/** The object that a tool's arguments are. @throws {TypeError} where its schema is no object's */
export function argumentsOf({ name, schema }: Tool): z.ZodObject {
  const object = schema instanceof z.ZodLazy ? schema.unwrap() : schema;
  if (object instanceof z.ZodObject) return object;
  throw new TypeError(`${name} takes no object`);
}

/** @throws {TradeAgentError} `login_required` */
export function requireGateway(context: ToolContext): GatewayClient {
  if (context.gateway !== undefined) return context.gateway;
  throw loginRequired();
}

/** @throws {TradeAgentError} `login_required`; `blocked` where the agent keeps none */
export function requireAlerts(context: ToolContext): Alerts {
  requireGateway(context);
  if (context.alerts !== undefined) return context.alerts;
  throw new TradeAgentError('blocked', 'there are no alerts here', {
    hint: 'They are kept on the machine that trade-agent runs on: trade-agent alert add.',
  });
}
