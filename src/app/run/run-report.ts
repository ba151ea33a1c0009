import type { ApprovalView, RunResult } from '../../agent/events.ts';
import type { ErrorObject } from '../../errors/error-object.ts';
import { underKind } from '../../trading/kinds/kinds.ts';
import type { SentMessage } from '../../trading/message.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';

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

/** The documented fields of a result and no others. @param chosenBy how the profile was chosen, if it was */
export function runObject(result: RunResult, chosenBy: readonly string[] = []): RunObject {
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
      command: shellCommand([...command.split(' '), ...chosenBy]),
    })),
    // A run that was refused before it had a thread can't be gone on with.
    resume: result.thread === '' ? '' : resumeCommand(result.thread, chosenBy),
    usage: result.usage,
    ...defined({ error: result.error }),
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
    ...defined({ mandate_id: approval.mandate_id, granted: approval.granted }),
    [kind]: underKind(approval),
  };
}

/** A command line a shell reads back as it was meant. */
export function resumeCommand(thread: string, chosenBy: readonly string[] = []): string {
  return shellCommand(['trade-agent', 'resume', thread, ...chosenBy]);
}

function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** Whether an answer already says what an error's message says. */
export function saysTheSame(text: string, message: string): boolean {
  return text.toLowerCase().includes(message.toLowerCase().replace(/\.$/, ''));
}
