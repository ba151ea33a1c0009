import type { AgentEvent, ApprovalView, ConnectionView, RunResult } from '../../agent/events.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { underKind } from '../../trading/kinds/kinds.ts';
import type { SentMessage } from '../../trading/message.ts';
import type { Order } from '../../trading/views.ts';
import { type ErrorObject, errorObject } from '../error-object.ts';

/** `run --output json`'s one object, less its schema. */
export interface RunObject {
  readonly thread: string;
  readonly status: RunResult['status'];
  readonly text: string;
  /** What the tools gave, in the order they did. */
  readonly data: RunResult['data'];
  readonly orders: readonly Record<string, unknown>[];
  /** What was sent. */
  readonly messages: readonly SentMessage[];
  readonly approvals: readonly Record<string, unknown>[];
  /** Accounts that must be connected before the run can go on. */
  readonly connections: readonly { readonly name: string; readonly command: string }[];
  /** The shell command that goes on with this thread; empty where there is none. */
  readonly resume: string;
  readonly usage: RunResult['usage'];
  readonly error?: ErrorObject;
}

/** The documented fields of a result and no others. @param profile the profile given by `--profile`, if one was */
export function runObject(result: RunResult, profile: string | undefined): RunObject {
  return {
    thread: result.thread,
    status: result.status,
    text: result.text,
    data: result.data,
    orders: result.orders.map(orderFields),
    messages: result.messages,
    approvals: result.approvals.map(approvalFields),
    connections: result.connections.map(({ name, command }) => ({
      name,
      command: shellCommand([...command.split(' '), ...profileFlag(profile)]),
    })),
    // A run that was refused before it had a thread can't be gone on with.
    resume: result.thread === '' ? '' : resumeCommand(result.thread, profile),
    usage: result.usage,
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}

function orderFields(order: Order) {
  const { id, client_order_id, symbol, side, qty, type, status, filled_qty, filled_avg_price } = order;
  return { id, client_order_id, symbol, side, qty, type, status, filled_qty, filled_avg_price };
}

/** What scripts may see of an approval. */
export function approvalFields(approval: ApprovalView) {
  const { id, status, code, expires_at, kind, worst_case, warnings, requested_by, client } = approval;
  return {
    ...{ id, status, code, expires_at, kind, worst_case, warnings, requested_by, client },
    ...(approval.mandate_id === undefined ? {} : { mandate_id: approval.mandate_id }),
    ...(approval.granted === undefined ? {} : { granted: approval.granted }),
    [kind]: underKind(approval),
  };
}

/** A command line a shell reads back as it was meant. */
export function resumeCommand(thread: string, profile: string | undefined): string {
  return shellCommand(['trade-agent', 'resume', thread, ...profileFlag(profile)]);
}

const profileFlag = (profile: string | undefined) => (profile === undefined ? [] : ['--profile', profile]);

function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** Whether an answer already says what an error's message says. */
export function saysTheSame(text: string, message: string): boolean {
  return text.toLowerCase().includes(message.toLowerCase().replace(/\.$/, ''));
}

/**
 * Follows a run's events, so that a run that is cut off (Ctrl-C, a time limit, a crash) still ends with a result that
 * says which thread it was and what is pending.
 */
export class RunFollower {
  #thread = '';
  #text = '';
  #result: RunResult | undefined;
  readonly #approvals = new Map<string, ApprovalView>();
  readonly #orders = new Map<string, Order>();
  readonly #connections = new Map<string, ConnectionView>();

  follow(event: AgentEvent): void {
    if (event.type === 'thread') this.#thread = event.thread;
    else if (event.type === 'text') this.#text += event.delta;
    else if (event.type === 'approval') this.#approvals.set(event.approval.id, event.approval);
    else if (event.type === 'connection') this.#connections.set(event.connection.name, event.connection);
    else if (event.type === 'order') this.#orders.set(event.order.id, event.order);
    else if (event.type === 'result') this.#result = event.result;
  }

  /**
   * The result, with what ended the run from outside written into it.
   * @param failure what the event stream threw, or the reason of the signal that stopped it
   * @throws what the stream threw where it belongs to no thread
   */
  result(failure: unknown): RunResult {
    const result = this.#result;
    if (failure === undefined && result !== undefined) return result;
    const thread = result?.thread ?? this.#thread;
    if (failure !== undefined && thread === '') throw failure;
    // The run came to its own end in spite of the signal.
    if (result !== undefined && ['done', 'denied', 'expired', 'unknown'].includes(result.status))
      return result;
    const cause = failure ?? new Error('the run ended without a result');
    const code = isTradeAgentError(cause) ? cause.code : ('internal' as const);
    const error = { ...errorObject(cause), code };
    return {
      thread,
      status: result?.status ?? this.#status(),
      text: result?.text ?? this.#text,
      data: result?.data ?? [],
      orders: result?.orders ?? [...this.#orders.values()],
      messages: result?.messages ?? this.#sent(),
      approvals: result?.approvals ?? [...this.#approvals.values()],
      connections: result?.connections ?? this.#needed(),
      usage: result?.usage ?? { model: 'unknown', input_tokens: 0, output_tokens: 0 },
      error,
    };
  }

  #sent(): SentMessage[] {
    return [...this.#approvals.values()].flatMap((approval) =>
      approval.sent === undefined ? [] : [approval.sent],
    );
  }

  #needed(): ConnectionView[] {
    return [...this.#connections.values()].filter(({ status }) => status === 'needed');
  }

  #status(): RunResult['status'] {
    const statuses = [...this.#approvals.values()].map(({ status }) => status);
    if (statuses.some((status) => status === 'unknown' || status === 'executing')) return 'unknown';
    if (statuses.some((status) => ['drafted', 'requested', 'approved'].includes(status))) return 'pending';
    if (this.#needed().length > 0) return 'pending';
    return 'failed';
  }
}
