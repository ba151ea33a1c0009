import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import type { BaseCheckpointSaver, StateSnapshot } from '@langchain/langgraph';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { runInTrace } from '../../net/trace-context.ts';
import type { LeaseGuard } from '../../store/state-stores.ts';
import type {
  Thread,
  ThreadLease,
  ThreadProposal,
  ThreadProposalStore,
  ThreadStore,
} from '../../store/thread-store.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { isInProgressState, isSettledState, type Proposal } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { RunInput, RunOptions } from '../agent.ts';
import type { AgentEvent, RunResult } from '../events.ts';
import type { AgentStateValue } from '../graph/agent-state.ts';
import { createComposedOrderMessages, describeOrders } from '../graph/composed-orders.ts';
import { toErrorFacts, toTradeAgentError } from '../graph/error-facts.ts';
import { type AgentGraph, buildGraph } from '../graph/graph.ts';
import type { AgentEnvironment, GraphEnvironment } from '../graph/graph-environment.ts';
import { instructionsNotice, readsLikeInstructions } from '../graph/instruction-detector.ts';
import { createPromptMessage } from '../graph/message-history.ts';
import { toApprovalView, toProposalOutcome } from '../graph/proposal-view.ts';
import { describePromptContext, markStandardInput, STANDARD_INPUT, withPromptContext } from '../graph/system-prompt.ts';
import { EventQueue } from './event-queue.ts';
import {
  type GraphConfig,
  listOpenInterrupts,
  toConnectionView,
  waitForInterruptedCalls,
  wasSendingProposal,
} from './interrupt-waits.ts';
import type { HeldLease, LeaseKeeper } from './lease-keeper.ts';
import { createRunResult } from './run-result.ts';
import { acquireThread } from './threads.ts';
import { withdrawProposalIfOpen } from './withdraw.ts';

export interface RunnerDeps {
  readonly threads: ThreadStore;
  readonly leases: LeaseKeeper;
  readonly holder: string;
  /** Returns the checkpoint store, which works only while the run holds the thread's lease. */
  readonly saverFor: (guard: LeaseGuard) => Promise<BaseCheckpointSaver>;
  readonly environment: AgentEnvironment & {
    readonly gatewayFor: (signal: AbortSignal) => GraphEnvironment['gateway'];
  };
}

export type RunRequest = RunInput | { readonly resume: string };

const DEFAULT_MAX_TURNS = 25;

/** Runs a request. The last event is always `result`. */
export async function* runRequest(
  parts: RunnerDeps,
  request: RunRequest,
  options: RunOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  const events = new EventQueue<AgentEvent>();
  // If a reader stops early, for example because its pipe was closed, the run ends as if it were interrupted.
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  const run = new Run(parts, request, { ...options, signal }, left, (event) => events.push(event));
  const running = runInTrace(() => run.result())
    .then((result) => events.push({ type: 'result', result }))
    .finally(() => events.close());
  try {
    yield* events;
  } finally {
    left.abort(new TradeAgentError('interrupted', 'the run was stopped'));
    await running;
  }
}

class Run {
  readonly #parts: RunnerDeps;
  readonly #request: RunRequest;
  readonly #options: RunOptions;
  #lease: HeldLease | undefined;
  readonly #stop: AbortController;
  readonly #emit: (event: AgentEvent) => void;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** IDs of the proposals that this run has emitted. */
  readonly #shown = new Set<string>();

  constructor(
    parts: RunnerDeps,
    request: RunRequest,
    options: RunOptions,
    stop: AbortController,
    emit: (event: AgentEvent) => void,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#options = options;
    this.#stop = stop;
    this.#emit = emit;
  }

  async result(): Promise<RunResult> {
    const { threads, environment } = this.#parts;
    const owner = { profile: environment.profile.name, sub: environment.session?.user.sub };
    const request = this.#request;
    const id = 'resume' in request ? request.resume : request.thread;
    let thread: Thread;
    let lease: HeldLease;
    try {
      const { clock } = environment;
      const wanted = 'resume' in request ? request : { title: threadTitle(request), thread: request.thread };
      const begun = await acquireThread(threads, wanted, { owner, holder: this.#parts.holder, clock });
      ({ thread } = begun);
      lease = this.#parts.leases.keep(begun.lease, () => this.#stop.abort(takenOverError(begun.thread.id)));
    } catch (error) {
      const isHeldElsewhere = isTradeAgentError(error) && error.code === 'busy';
      if (isHeldElsewhere && id !== undefined) this.#emit({ type: 'thread', thread: id });
      return this.#failed(id ?? '', error);
    }
    this.#lease = lease;
    this.#emit({ type: 'thread', thread: thread.id });
    let result: RunResult | undefined;
    try {
      result = await this.#drive(thread.id, lease.lease);
    } catch (error) {
      return this.#failed(thread.id, error);
    } finally {
      await lease.end(result?.status);
    }
    return result;
  }

  async #drive(thread: string, lease: ThreadLease): Promise<RunResult> {
    const environment = this.#environmentFor(thread);
    const saver = await this.#parts.saverFor({ lease, lost: () => takenOverError(thread) });
    const graph = buildGraph(environment, saver);
    const config = {
      configurable: { thread_id: thread, __pregel_strict_resume: true },
      durability: 'sync' as const,
      // LangGraph counts steps, of which each turn takes several. `maxTurns` limits the turns.
      recursionLimit: environment.maxTurns * 4 + 50,
    };
    const before = await graph.getState(config);
    let after: StateSnapshot | undefined;
    let error: unknown;
    try {
      after =
        'resume' in this.#request
          ? await this.#resume(environment, graph, config, before)
          : await this.#begin(this.#request, environment, graph, config, before);
    } catch (caught) {
      error = caught;
    } finally {
      // A proposal that is being sent outlives its step, and its ID must be stored before the run ends.
      await Promise.allSettled(this.#inFlight);
    }
    if (this.#options.cancelOnExit && environment.signal.aborted) {
      await this.#takeBackOpen(environment);
      // Without this error, a run without open proposals would look as if it had finished normally.
      error ??= environment.signal.reason;
    }
    return this.#report(environment, after ?? (await graph.getState(config)), error);
  }

  async #takeBackOpen(environment: GraphEnvironment): Promise<void> {
    await Promise.all(
      (await this.#proposals(environment)).map((seen) =>
        withdrawProposalIfOpen(environment, seen).catch((error: unknown) => {
          const { message } = toTradeAgentError(error);
          this.#emit({
            type: 'notice',
            message: `proposal ${seen.proposal.code} could not be withdrawn: ${message}`,
          });
        }),
      ),
    );
  }

  /**
   * Requires that the run still holds the thread's lease, which a suspended process may have lost without noticing.
   * @throws {TradeAgentError} `busy`
   */
  async #requireLease(thread: string): Promise<void> {
    if ((await this.#lease?.isHeld()) !== true) throw takenOverError(thread);
  }

  async #begin(
    input: RunInput,
    environment: GraphEnvironment,
    graph: AgentGraph,
    config: GraphConfig,
    { values, tasks }: StateSnapshot,
  ): Promise<StateSnapshot> {
    const unheard = new Set(listOpenInterrupts(tasks).flatMap((one) => ('proposal' in one ? [one.proposal] : [])));
    const open = (await this.#proposals(environment))
      .map(({ proposal }) => proposal)
      .filter(({ id, state }) => !isSettledState(state) || (state === 'executed' && unheard.has(id)));
    if (open.length > 0) throw unfinishedError(environment.thread, open);
    if (wasSendingProposal(tasks)) throw midProposalError(environment.thread);
    const { messages, tainted } = openingMessages(
      input,
      describePromptContext(environment.session, environment.clock.now()),
    );
    if ('context' in input && readsLikeInstructions(input.context ?? '')) {
      this.#emit({ type: 'notice', message: instructionsNotice(STANDARD_INPUT) });
    }
    await graph.invoke(
      {
        messages,
        prompt: ((values as Partial<AgentStateValue>).prompt ?? 0) + 1,
        turns: 0,
        mistakes: 0,
        tainted,
        usage: { input_tokens: 0, output_tokens: 0 },
      },
      config,
    );
    return waitForInterruptedCalls(environment, graph, config, this.#shown);
  }

  async #resume(
    environment: GraphEnvironment,
    graph: AgentGraph,
    config: GraphConfig,
    before: StateSnapshot,
  ): Promise<StateSnapshot> {
    if (before.createdAt === undefined) throw emptyThreadError(environment.thread);
    // Checks `tasks` instead of `next`, which omits finished tasks. A run may have crashed before it stored the step
    // after them.
    if (before.tasks.length === 0) return before;
    if (listOpenInterrupts(before.tasks).length === 0) await graph.invoke(null, config);
    return waitForInterruptedCalls(environment, graph, config, this.#shown);
  }

  #environmentFor(thread: string): GraphEnvironment {
    const { gatewayFor, ...fixed } = this.#parts.environment;
    const { approval, cancelOnExit: _, ...options } = this.#options;
    const emit = this.#emit;
    return {
      ...fixed,
      thread,
      approvalMode: approval,
      suspends: false,
      requestedBy: 'run',
      ttl: fixed.profile.approval_ttl,
      maxTurns: DEFAULT_MAX_TURNS,
      ...defined(options),
      // A dry run does not wait for an account to be connected.
      ...(fixed.dryRun ? { connectBy: 0 } : {}),
      callStartTimes: new Map(),
      requireLease: () => this.#requireLease(thread),
      gateway: gatewayFor(options.signal),
      emit,
      saw: createProposalNotifier(fixed.proposals, this.#shown, emit),
      track: (work) => {
        this.#inFlight.add(work);
        void work.catch(() => undefined).finally(() => this.#inFlight.delete(work));
        return work;
      },
    };
  }

  #proposals({ proposals, thread }: GraphEnvironment, prompt?: number): Promise<ThreadProposal[]> {
    return proposals.byThread(thread, prompt);
  }

  async #report(environment: GraphEnvironment, { values, tasks }: StateSnapshot, error: unknown): Promise<RunResult> {
    const state = values as Partial<AgentStateValue>;
    const missing = listOpenInterrupts(tasks).flatMap((awaited) =>
      'connection' in awaited ? [awaited.connection] : [],
    );
    const proposals = await this.#proposals(environment, state.prompt ?? 0);
    return createRunResult(environment.thread, state, proposals, {
      model: environment.model.name,
      proposing: wasSendingProposal(tasks),
      connections: [...new Set(missing)].map((name) => toConnectionView(name, 'needed')),
      dryRun: environment.dryRun,
      ...(error === undefined ? {} : { error: toErrorFacts(this.#error(error)) }),
    });
  }

  #error(error: unknown): TradeAgentError {
    const { signal } = this.#options;
    if (!signal.aborted) return toTradeAgentError(error);
    return isTradeAgentError(signal.reason) ? signal.reason : new TradeAgentError('interrupted', 'the run was stopped');
  }

  #failed(thread: string, error: unknown): RunResult {
    return createRunResult(thread, {}, [], {
      model: this.#parts.environment.model.name,
      connections: [],
      error: toErrorFacts(this.#error(error)),
    });
  }
}

/**
 * Returns a function that stores a proposal and emits its changes. Calls are processed in order, so that the last event
 * has the latest state.
 * @param shown IDs of proposals that were already emitted; new ones are added
 */
function createProposalNotifier(
  proposals: ThreadProposalStore,
  shown: Set<string>,
  emit: (event: AgentEvent) => void,
): (seen: ThreadProposal) => Promise<void> {
  /** Proposals as this run last emitted them. Another run may have stored a change before this run emitted it. */
  const emitted = new Map<string, Proposal>();
  const notify = async (seen: ThreadProposal): Promise<void> => {
    const { id } = seen.proposal;
    const { before: stored, kept } = await proposals.note(seen);
    const { proposal, thread } = kept;
    const before = emitted.get(id) ?? stored;
    const isSame = before?.state === proposal.state && before.updated_at === proposal.updated_at;
    if (isSame && shown.has(id)) return;
    shown.add(id);
    emitted.set(id, proposal);
    const known = new Set(
      before === undefined ? [] : outcomeOrders(toProposalOutcome(before)).map((order) => JSON.stringify(order)),
    );
    const news = outcomeOrders(toProposalOutcome(proposal)).filter((order) => !known.has(JSON.stringify(order)));
    for (const order of news) emit({ type: 'order', order, approval: id });
    emit({ type: 'approval', approval: toApprovalView(proposal, thread) });
  };
  let last: Promise<void> = Promise.resolve();
  return (seen) => {
    const notified = last.then(() => notify(seen));
    last = notified.catch(() => undefined);
    return notified;
  };
}

/** Returns the title for a new thread. @throws {TradeAgentError} `usage` if there are too many orders or none */
function threadTitle(input: RunInput): string {
  return 'orders' in input ? describeOrders(input.orders) : input.prompt;
}

/** Returns the first messages of a run. @param contextText when the prompt was written and who is signed in */
function openingMessages(input: RunInput, contextText: string): { messages: BaseMessage[]; tainted: string[] } {
  if ('orders' in input) return { messages: createComposedOrderMessages(input), tainted: [] };
  const { prompt, context = '' } = input;
  const said = withPromptContext(createPromptMessage(prompt), contextText);
  if (context.trim() === '') return { messages: [said], tainted: [] };
  return { messages: [new HumanMessage(markStandardInput(context)), said], tainted: [STANDARD_INPUT] };
}

function emptyThreadError(thread: string): TradeAgentError {
  return new TradeAgentError('not_found', `thread ${thread} is empty: its run ended before anything was stored`, {
    hint: 'Nothing was proposed. Ask again.',
  });
}

/** Returns the error for a new prompt in a thread with open proposals. A new run would not wait for their outcomes. */
function unfinishedError(thread: string, open: readonly Proposal[]): TradeAgentError {
  const codes = open.map(({ code }) => code).join(', ');
  const hint = `Run "trade-agent resume ${thread}" first`;
  if (open.some(({ state }) => isInProgressState(state) || state === 'executed')) {
    return new TradeAgentError(
      'outcome_unknown',
      `this thread has an order whose outcome is not known yet (${codes})`,
      { hint: `${hint}, or start a new thread.` },
    );
  }
  return new TradeAgentError('approval_pending', `this thread is still waiting for your decision (${codes})`, {
    hint: `${hint}, cancel the approval with "trade-agent approvals cancel ${open[0]?.id}", or start a new thread.`,
  });
}

/** Returns the error for a thread that stopped while sending a proposal, before the gateway's response was stored. */
function midProposalError(thread: string): TradeAgentError {
  return new TradeAgentError('outcome_unknown', 'this thread was stopped while a proposal was being sent', {
    hint: `Run "trade-agent resume ${thread}" first to continue with the same proposal, or start a new thread.`,
  });
}

function takenOverError(thread: string): TradeAgentError {
  return new TradeAgentError('busy', `another run has taken over thread ${thread}`, {
    hint: 'This run was suspended for too long. Watch the other run, or resume the thread after that run has ended.',
  });
}
