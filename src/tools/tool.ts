import { z } from 'zod';
import type { Session } from '../auth/session/session.ts';
import { TradeAgentError } from '../errors/errors.ts';
import { loginRequiredError } from '../errors/login-required.ts';
import type { Scope } from '../oauth/scopes.ts';
import { EARLIEST_ACTIVITY_MS } from '../trading/activity.ts';
import type { MessageService } from '../trading/message.ts';
import type { Order } from '../trading/views.ts';
import type { Alerts } from './alerts.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import type { OwnRules } from './own-rules.ts';

export interface SignedInSession extends Pick<Session, 'user'> {
  readonly profile: Pick<Session['profile'], 'name' | 'environment'>;
}

export interface ToolContext {
  /** The person's session. Undefined, like `gateway`, if nobody is signed in. */
  readonly session: SignedInSession | undefined;
  readonly gateway: GatewayClient | undefined;
  /** Set only in the person's own agent. */
  readonly alerts?: Alerts | undefined;
  /** Absent if the rules file is not on this machine. */
  readonly ownRules?: OwnRules | undefined;
  /** Returns the names of tools that fit a query. Set only in the agent. */
  readonly searchTools?: ((query: string) => Promise<readonly string[]>) | undefined;
}

export interface ToolResult {
  readonly summary: string;
  /** Compact JSON for the model. Text from outside sources is data, not instructions. */
  readonly content: string;
  readonly order?: Order;
  /** The source of text in the content that neither the person nor the gateway wrote. */
  readonly outside?: string;
}

interface ToolBase<Schema extends z.ZodType> {
  readonly name: string;
  /** The tool's display name, shown while it runs: `Read your portfolio`. */
  readonly title: string;
  readonly description: string;
  /** Lazy (`z.lazy`), because most runs use few tools. */
  readonly schema: Schema;
  readonly scopes: readonly Scope[];
}

/**
 * A tool that acts within the session's own scopes. `reduce`: makes a proposal if the gateway requires approval.
 * `keep`: changes something that causes no trades, such as a watchlist. `local`: changes the person's own settings, and
 * is available only to the person's own agent, for requests in the person's own words.
 */
export interface DirectTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'read' | 'reduce' | 'keep' | 'local';
  execute(context: ToolContext, args: z.output<Schema>): Promise<ToolResult>;
}

/** A tool that only proposes an order. The gateway executes the order if the person approves it. */
export interface ProposalTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'trade';
}

/** A tool that only proposes a message. The gateway sends the message if the person approves it. */
export interface MessageTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'send';
  readonly service: MessageService;
}

/** A tool that only proposes a mandate. Not offered to other programs. */
export interface MandateTool<Schema extends z.ZodType = z.ZodType> extends ToolBase<Schema> {
  readonly risk: 'mandate';
}

export type Tool = DirectTool | ProposalTool | MessageTool | MandateTool;

/**
 * Defines a tool whose arguments are typed by its schema. `execute` throws a `TradeAgentError` for a failure, which is
 * returned to the model.
 * @example
 * ```ts
 * import { z } from 'zod';
 * import { defineTool, requireGateway } from './tool.ts';
 *
 * export const isMarketOpen = defineTool({
 *   name: 'is_market_open',
 *   title: 'Check whether the market is open',
 *   description: 'Returns whether the US stock market is open now.',
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

/** Returns the schema of a tool's arguments. @throws {TypeError} if it is not an object schema */
export function toolArgumentsSchema({ name, schema }: Tool): z.ZodObject {
  const object = schema instanceof z.ZodLazy ? schema.unwrap() : schema;
  if (object instanceof z.ZodObject) return object;
  throw new TypeError(`the schema of ${name} is not an object schema`);
}

/** Returns the gateway client. @throws {TradeAgentError} `login_required` */
export function requireGateway(context: ToolContext): GatewayClient {
  if (context.gateway !== undefined) return context.gateway;
  throw loginRequiredError();
}

/** Returns the person's alerts. @throws {TradeAgentError} `login_required`; `blocked` if alerts are unavailable here */
export function requireAlerts(context: ToolContext): Alerts {
  requireGateway(context);
  if (context.alerts !== undefined) return context.alerts;
  throw new TradeAgentError('blocked', 'alerts are not available here', {
    hint: 'Alerts are stored on the machine that runs trade-agent. Add them there with "trade-agent alert add".',
  });
}

/** Returns `1 order` or `2 orders`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Returns the number of items beyond the first `most` as `left_out`, or an empty object if there are none. */
export function omittedCount(all: number, most: number): { readonly left_out?: number } {
  return all > most ? { left_out: all - most } : {};
}

export async function readLotInputs(gateway: GatewayClient) {
  const [account, positions, clock, activities] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    gateway.clock(),
    gateway.activities({ after: EARLIEST_ACTIVITY_MS }),
  ]);
  return { account, positions, now: Date.parse(clock.timestamp), activities };
}
