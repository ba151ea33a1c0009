import type { OrderRequest, Side } from '../trading/order.ts';
import type { AgentEvent, ApprovalView, ThreadRecord, ThreadView } from './events.ts';

/**
 * What a run does about a proposal: wait for the person, leave it to the gateway, or propose nothing; `mandate` proposes
 * orders that a mandate of theirs covers, and asks for nothing.
 */
export type ApprovalMode = 'wait' | 'detach' | 'deny' | 'mandate';

/** Under which mandate orders for some symbols and sides may be placed. */
export interface MandateChoice {
  readonly symbols: readonly string[];
  readonly sides: readonly Side[];
  /** Its id, or `any`: whichever covers the order. */
  readonly mandate: string;
  /** For which of its times; the present one where it is left out. */
  readonly slot?: string;
}

/** Orders of one run at most: more a person can't judge at once. */
export const MOST_ORDERS = 20;

/** What a run is asked for, in a person's words or by a program. Without `thread` a new one is started. */
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
      /** The program that put them together, as the phone shows where their fields come from: `check`. */
      readonly composedBy: string;
      /** Asked for as one, where they can be: there are several, each for a symbol of its own. */
      readonly together?: boolean;
      readonly thread?: string;
    };

export interface RunOptions {
  readonly approval: ApprovalMode;
  /** Ends the run; what is proposed stays proposed, and is carried out once approved. */
  readonly signal: AbortSignal;
  /**
   * Ends where it would wait, as one that is detached does, for whoever drives it to resume it once there is news: what a wait
   * that a process must not stand for is made of.
   */
  readonly suspends?: boolean;
  /**
   * When an account that is not connected is waited for no longer, milliseconds since the epoch: the call goes on then, and says
   * so. The profile's `approval_ttl` after it began to wait unless said otherwise.
   */
  readonly connectBy?: number | undefined;
  /** Withdraws what is open where the signal ends the run. */
  readonly cancelOnExit?: boolean;
  /** Who or what proposes, as the person is told: `chat`, `run`, `check`, `schedule NAME`; printable ASCII, 80 at most. */
  readonly requestedBy?: string;
  /** Seconds that a proposal may take; the profile's `approval_ttl` unless said otherwise. */
  readonly ttl?: number;
  /** Model calls at most; 25 unless said otherwise. */
  readonly maxTurns?: number;
  /**
   * Which mandate an order may be placed under: the first for its symbol and side. Where there is none, its owner is asked as
   * ever; where the gateway finds that it does not cover the order, too, unless `approval` is `mandate`.
   */
  readonly mandates?: readonly MandateChoice[];
}

/** Which finished threads to remove. */
export interface PruneOptions {
  /** Those that nothing happened in for this long, milliseconds; 0 for any age. */
  readonly olderThan: number;
  /** Spares this many of the newest. */
  readonly keep: number;
  /** Removes nothing, only says what would go. */
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
  /** Starts a thread, or goes on with one. */
  run(input: RunInput, options: RunOptions): AsyncIterable<AgentEvent>;
  /** Goes on with a thread that stopped: waits for what it proposed, and tells what became of it. */
  resume(thread: string, options: RunOptions): AsyncIterable<AgentEvent>;
  /**
   * The user's threads, newest first, those that were left to the gateway by what came of them there.
   * @param options.asKept as this machine last knew them: the gateway is not asked
   */
  threads(options?: { readonly asKept?: boolean }): Promise<ThreadView[]>;
  /** @throws {TradeAgentError} `not_found` */
  thread(id: string): Promise<ThreadRecord>;
  /**
   * Removes a thread with all that was said in it; the gateway keeps what was asked and answered.
   * @throws {TradeAgentError} `not_found`; `busy`; `approval_pending` or `outcome_unknown` where an approval is open
   */
  deleteThread(id: string): Promise<void>;
  /** Removes finished threads, and returns their ids. Never one that is under way or has an open approval. */
  pruneThreads(options: PruneOptions): Promise<string[]>;
  /** The user's approvals, newest first; as last seen, and marked so, where the gateway can't be asked. */
  approvals(): Promise<ApprovalView[]>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /**
   * Ends an approval that was not yet carried out.
   * @throws {TradeAgentError} `not_found`; `usage` for one that ended already; `outcome_unknown` for one under way
   */
  cancelApproval(id: string): Promise<ApprovalView>;
  /**
   * Asks the gateway what became of what was on its way; it settles what it can.
   * @param id one approval; all of the user's where it is left out
   * @returns those asked about, as they are then: one that nobody knows yet stays `unknown`
   * @throws {TradeAgentError} `not_found`, `login_required`
   */
  reconcile(id?: string): Promise<ApprovalView[]>;
  close(): Promise<void>;
}
