import type { OrderRequest, Side } from '../trading/order.ts';
import type { AgentEvent, ApprovalView, ThreadRecord, ThreadView } from './events.ts';

/**
 * How a run handles proposals: it waits for the decisions (`wait`), makes the proposals and ends without waiting
 * (`detach`), makes no proposals (`deny`), or makes only proposals that a mandate covers (`mandate`).
 */
export type ApprovalMode = 'wait' | 'detach' | 'deny' | 'mandate';

export interface MandateChoice {
  readonly symbols: readonly string[];
  readonly sides: readonly Side[];
  /** The mandate's ID, or `any` for any mandate that covers the order. */
  readonly mandate: string;
  /**
   * The period for which a standing order places this order: a day, week or month such as `2026-W48`. Defaults to the
   * current period.
   */
  readonly slot?: string;
}

/** Maximum number of orders in one request. A person can't judge more orders at once. */
export const MAX_ORDERS_PER_REQUEST = 20;

/** Input of a run. If `thread` is omitted, the run starts a new thread. */
export type RunInput =
  | {
      readonly prompt: string;
      readonly thread?: string;
      /** Text from standard input, treated as data and never as instructions. */
      readonly context?: string;
    }
  | {
      /** 1 to {@link MAX_ORDERS_PER_REQUEST} orders, each proposed exactly as given, without a model. */
      readonly orders: readonly OrderRequest[];
      /** The program that composed the orders, as shown on the phone, such as `check`. */
      readonly composedBy: string;
      /** Whether to propose all orders as one batch. If two have the same symbol, all are proposed separately. */
      readonly together?: boolean;
      readonly thread?: string;
    };

export interface RunOptions {
  readonly approval: ApprovalMode;
  /** Aborting this signal ends the run. Unless `cancelOnExit` is set, proposals stay open and can still be executed. */
  readonly signal: AbortSignal;
  /** Whether the run ends instead of waiting for a decision. The caller must resume the thread later. */
  readonly suspends?: boolean;
  /**
   * When to stop waiting for a missing account to be connected, in epoch milliseconds. The run then continues without
   * the account. Defaults to `approval_ttl` after the wait began.
   */
  readonly connectBy?: number | undefined;
  /** Whether to withdraw open proposals if the signal ends the run. */
  readonly cancelOnExit?: boolean;
  /**
   * Name of the proposer, as shown to the person: `chat`, `run`, `check`, `schedule NAME`. At most 80 ASCII characters.
   */
  readonly requestedBy?: string;
  /** Proposal lifetime in seconds; defaults to the profile's `approval_ttl`. */
  readonly ttl?: number;
  /** Maximum model calls; defaults to 25. */
  readonly maxTurns?: number;
  /**
   * Mandates to use: the first mandate that matches an order's symbol and side applies. If none matches, or the
   * matching mandate does not cover the order, the owner is asked, unless `approval` is `mandate`.
   */
  readonly mandates?: readonly MandateChoice[];
}

export interface PruneOptions {
  /** Minimum time since a thread's latest run, in milliseconds; 0 for threads of any age. */
  readonly olderThan: number;
  readonly keep: number;
  readonly dryRun?: boolean;
}

/**
 * The agent behind the commands chat, run, resume, approvals and check.
 * @example
 * ```ts
 * import { orderRequestSchema } from '../trading/order.ts';
 * import type { Agent } from './agent.ts';
 *
 * // Proposes one order and returns. The gateway executes it once it is approved.
 * export async function propose(agent: Agent): Promise<string | undefined> {
 *   const order = orderRequestSchema.parse({ symbol: 'AAPL', side: 'buy', qty: '5', type: 'limit', limit_price: '180' });
 *   const signal = AbortSignal.timeout(60_000);
 *   let thread: string | undefined;
 *   for await (const event of agent.run({ orders: [order], composedBy: 'my script' }, { approval: 'detach', signal })) {
 *     if (event.type === 'thread') thread = event.thread;
 *   }
 *   return thread;
 * }
 * ```
 */
export interface Agent {
  run(input: RunInput, options: RunOptions): AsyncIterable<AgentEvent>;
  /** Continues a stopped thread: waits for its proposals and reports their outcomes. */
  resume(thread: string, options: RunOptions): AsyncIterable<AgentEvent>;
  /** Lists threads, newest first. @param options.asKept whether to use stored states, without asking the gateway */
  threads(options?: { readonly asKept?: boolean }): Promise<ThreadView[]>;
  /**
   * Returns a thread.
   * @param options.asKept whether to return the stored states of approvals without asking the gateway
   * @throws {TradeAgentError} `not_found`
   */
  thread(id: string, options?: { readonly asKept?: boolean }): Promise<ThreadRecord>;
  /**
   * Removes a thread and its conversation; the gateway keeps approval requests and outcomes.
   * @throws {TradeAgentError} `not_found`; `busy`; `approval_pending`, `outcome_unknown` if an approval is open
   */
  deleteThread(id: string): Promise<void>;
  /** Removes finished threads without open approvals, and returns their IDs. */
  pruneThreads(options: PruneOptions): Promise<string[]>;
  /** Lists approvals, newest first. If the gateway can't be reached, they are marked as stale. */
  approvals(): Promise<ApprovalView[]>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /**
   * Withdraws an approval request.
   * @throws {TradeAgentError} `not_found`; `usage` if the request has already ended; `outcome_unknown` while the
   * proposal is being executed
   */
  cancelApproval(id: string): Promise<ApprovalView>;
  /**
   * Asks the gateway to settle approvals whose outcome is unknown, and to return their outcomes.
   * @param id the approval's ID; if omitted, all of the user's approvals
   * @returns the approvals that the gateway was asked about
   * @throws {TradeAgentError} `not_found`, `login_required`
   */
  reconcile(id?: string): Promise<ApprovalView[]>;
  close(): Promise<void>;
}
