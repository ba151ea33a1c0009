import type { OrderRequest, Side } from '../trading/order.ts';
import type { AgentEvent, ApprovalView, ThreadRecord, ThreadView } from './events.ts';

/**
 * What a run does with proposals: wait for the person, leave them to the gateway, or make none. `mandate` proposes only
 * orders that one of the person's mandates covers.
 */
export type ApprovalMode = 'wait' | 'detach' | 'deny' | 'mandate';

/** The mandate for orders in some symbols and sides. */
export interface MandateChoice {
  readonly symbols: readonly string[];
  readonly sides: readonly Side[];
  /** Its id, or `any` for whichever covers the order. */
  readonly mandate: string;
  /** Defaults to the current one. */
  readonly slot?: string;
}

/** A person can't judge more orders at once. */
export const MOST_ORDERS = 20;

/** Starts a new thread if `thread` is missing. */
export type RunInput =
  | {
      readonly prompt: string;
      readonly thread?: string;
      /** Data (standard input), never instructions. */
      readonly context?: string;
    }
  | {
      /** 1 to {@link MOST_ORDERS}, each proposed exactly as it is. No model is asked. */
      readonly orders: readonly OrderRequest[];
      /** The program that composed them, shown on the phone: `check`. */
      readonly composedBy: string;
      /** Asks for all orders at once if each has a symbol of its own. */
      readonly together?: boolean;
      readonly thread?: string;
    };

export interface RunOptions {
  readonly approval: ApprovalMode;
  /** Ends the run. Open proposals stay open and are executed once approved. */
  readonly signal: AbortSignal;
  /** Ends the run where it would wait; the caller resumes it when there is news. */
  readonly suspends?: boolean;
  /**
   * Deadline for connecting a missing account (epoch milliseconds); the call then continues and says so. Defaults to
   * `approval_ttl` from when the wait began.
   */
  readonly connectBy?: number | undefined;
  /** Withdraws open proposals if the signal ends the run. */
  readonly cancelOnExit?: boolean;
  /** Who proposes, as shown to the person: `chat`, `run`, `check`, `schedule NAME`; printable ASCII, at most 80. */
  readonly requestedBy?: string;
  /** Proposal lifetime in seconds; defaults to the profile's `approval_ttl`. */
  readonly ttl?: number;
  /** Maximum model calls; defaults to 25. */
  readonly maxTurns?: number;
  /**
   * The first one for an order's symbol and side applies. Without one, or if it does not cover the order, the owner is
   * asked, unless `approval` is `mandate`.
   */
  readonly mandates?: readonly MandateChoice[];
}

export interface PruneOptions {
  /** Idle for at least this many milliseconds; 0 for any age. */
  readonly olderThan: number;
  /** Spares this many of the newest. */
  readonly keep: number;
  readonly dryRun?: boolean;
}

/**
 * The agent as its drivers (chat, run, resume, approvals, check) see it.
 * @example
 * ```ts
 * import { orderRequestSchema } from '../trading/order.ts';
 * import type { Agent } from './agent.ts';
 *
 * // Proposes one order without a word, and comes back: the gateway carries it out once it is approved.
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
  /** Newest first. @param options.asKept as last known here, without asking the gateway */
  threads(options?: { readonly asKept?: boolean }): Promise<ThreadView[]>;
  /** @throws {TradeAgentError} `not_found` */
  thread(id: string): Promise<ThreadRecord>;
  /**
   * Removes a thread and its conversation; the gateway keeps approval requests and outcomes.
   * @throws {TradeAgentError} `not_found`; `busy`; `approval_pending`, `outcome_unknown` if an approval is open
   */
  deleteThread(id: string): Promise<void>;
  /** Removes finished threads without open approvals, and returns their ids. */
  pruneThreads(options: PruneOptions): Promise<string[]>;
  /** Newest first; marked as stale if the gateway can't be asked. */
  approvals(): Promise<ApprovalView[]>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /** @throws {TradeAgentError} `not_found`; `usage` if it already ended; `outcome_unknown` if it is under way */
  cancelApproval(id: string): Promise<ApprovalView>;
  /**
   * Asks the gateway for the outcomes of orders under way, which it settles if it can.
   * @param id one approval; all of the user's if omitted
   * @returns the approvals asked about
   * @throws {TradeAgentError} `not_found`, `login_required`
   */
  reconcile(id?: string): Promise<ApprovalView[]>;
  close(): Promise<void>;
}
