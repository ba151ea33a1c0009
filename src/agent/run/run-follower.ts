import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { SentMessage } from '../../trading/message.ts';
import type { Order } from '../../trading/views.ts';
import type { AgentEvent, ApprovalView, ConnectionView, RunResult } from '../events.ts';

/** Follows a run's events, so that there is a result even if the run is interrupted (Ctrl-C, time limit, crash). */
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
   * Returns the run's result.
   * @param failure the stream's error, or the abort reason; written into the result
   * @throws the failure if the run has no thread yet
   */
  result(failure: unknown): RunResult {
    const result = this.#result;
    if (failure === undefined && result !== undefined) return result;
    const thread = result?.thread ?? this.#thread;
    if (failure !== undefined && thread === '') throw failure;
    // The run ended before the signal could stop it.
    if (result !== undefined && ['done', 'denied', 'expired', 'unknown'].includes(result.status)) return result;
    const cause = failure ?? new Error('the run ended without a result');
    return {
      thread,
      status: this.#status(),
      text: this.#text,
      data: [],
      orders: [...this.#orders.values()],
      messages: this.#sent(),
      approvals: [...this.#approvals.values()],
      connections: this.#needed(),
      usage: { model: 'unknown', input_tokens: 0, output_tokens: 0 },
      ...result,
      error: { ...toErrorObject(cause), code: isTradeAgentError(cause) ? cause.code : 'internal' },
    };
  }

  #sent(): SentMessage[] {
    return [...this.#approvals.values()].flatMap(({ sent }) => sent ?? []);
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
