import type { BaseCheckpointSaver, StateSnapshot } from '@langchain/langgraph';
import { isTradeAgentError, TradeAgentError } from '../../trading/errors.ts';
import { isSettledState } from '../../trading/proposal.ts';
import type { RunInput, RunOptions } from '../agent.ts';
import type { AgentEvent, RunResult } from '../events.ts';
import type { AgentStateValue } from '../graph/agent-state.ts';
import { asTradeAgentError, errorFacts } from '../graph/error-facts.ts';
import { type AgentGraph, buildGraph } from '../graph/graph.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import type { ThreadProposal } from '../graph/thread-proposals.ts';
import { connectionView } from './connection-wait.ts';
import { EventQueue } from './event-queue.ts';
import { interruptsOf, isMidProposal } from './interrupt-waits.ts';
import type { KeptLease, LeaseKeeper } from './lease-keeper.ts';
import { noteAndTell } from './note-and-tell.ts';
import { opening, titleOf } from './opening.ts';
import { midProposal, nothingStored, takenOver, unfinished } from './run-errors.ts';
import { runResult } from './run-result.ts';
import { takeBack } from './take-back.ts';
import type { Thread, ThreadStore } from './thread-store.ts';
import { type GraphConfig, untilSettled } from './until-settled.ts';

/** What a run needs that outlives it. */
export interface RunnerParts {
  readonly threads: ThreadStore;
  readonly leases: LeaseKeeper;
  /** Where a run keeps its graph's checkpoints; `mayWrite` throws once it may not any more. */
  readonly saverFor: (mayWrite: () => void) => BaseCheckpointSaver;
  /** Everything of the graph's environment that is the same for each run. */
  readonly environment: Omit<
    GraphEnvironment,
    | 'thread'
    | 'signal'
    | 'approvalMode'
    | 'requestedBy'
    | 'ttl'
    | 'maxTurns'
    | 'requireLease'
    | 'emit'
    | 'saw'
    | 'track'
    | 'gateway'
    | 'callsStarted'
  > & { readonly gatewayFor: (signal: AbortSignal) => GraphEnvironment['gateway'] };
}

export type RunRequest = RunInput | { readonly resume: string };

const DEFAULT_MAX_TURNS = 25;

/** Drives one run and streams it. Always ends with a `result`, whatever happened. */
export async function* drive(
  parts: RunnerParts,
  request: RunRequest,
  options: RunOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  const events = new EventQueue<AgentEvent>();
  // The reader may leave early (a closed pipe): that ends the run as an interrupt would.
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  const running = new Run(parts, request, { ...options, signal }, left, (event) => events.push(event))
    .result()
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
  readonly #parts: RunnerParts;
  readonly #request: RunRequest;
  readonly #options: RunOptions;
  #lease: KeptLease | undefined;
  /** Ends the run from within. */
  readonly #stop: AbortController;
  readonly #emit: (event: AgentEvent) => void;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Proposals this run's stream has told of. */
  readonly #shown = new Set<string>();

  constructor(
    parts: RunnerParts,
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
    let lease: KeptLease | undefined;
    try {
      thread = threads.inOneCommit(() => {
        const opened =
          'resume' in request
            ? threads.get(request.resume, owner)
            : threads.open(request.thread, owner, titleOf(request));
        lease = this.#parts.leases.keep(opened.id, () => this.#stop.abort(takenOver(opened.id)));
        return opened;
      });
    } catch (error) {
      lease?.release();
      const isHeldElsewhere = isTradeAgentError(error) && error.code === 'busy';
      if (isHeldElsewhere && id !== undefined) this.#emit({ type: 'thread', thread: id });
      return this.#failed(id ?? '', error);
    }
    this.#lease = lease;
    this.#emit({ type: 'thread', thread: thread.id });
    let result: RunResult | undefined;
    try {
      result = await this.#drive(thread.id);
    } catch (error) {
      return this.#failed(thread.id, error);
    } finally {
      this.#end(thread.id, result?.status);
    }
    return result;
  }

  /** Notes how the thread stands, which is for the run to say that holds it, and lets go of it. */
  #end(thread: string, status: RunResult['status'] | undefined): void {
    const { threads } = this.#parts;
    try {
      threads.inOneCommit(() => {
        if (status !== undefined && this.#lease?.isHeld() === true) threads.ended(thread, status);
        this.#lease?.release();
      });
    } catch {
      // A busy database must not cost the run its result: the next run in this thread notes how it stands.
      this.#lease?.release();
    }
  }

  async #drive(thread: string): Promise<RunResult> {
    const environment = this.#environmentFor(thread);
    const saver = this.#parts.saverFor(() => this.#requireLease(thread));
    const graph = buildGraph(environment, saver);
    const config = {
      configurable: { thread_id: thread, __pregel_strict_resume: true },
      durability: 'sync' as const,
      // Steps of the graph, several for each turn; the turns have a limit of their own.
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
      // A proposal on its way outlives the step that sent it; what it is called must be known before the run ends.
      await Promise.allSettled(this.#inFlight);
    }
    if (this.#options.cancelOnExit && environment.signal.aborted) {
      await this.#takeBackOpen(environment);
      // With nothing left to wait for, the run would otherwise seem to have come to its own end.
      error ??= environment.signal.reason;
    }
    return this.#report(environment, after ?? (await graph.getState(config)), error);
  }

  /** The person left, and said before that nothing of theirs may go on without them. */
  async #takeBackOpen(environment: GraphEnvironment): Promise<void> {
    await Promise.all(
      this.#proposals(environment).map((seen) =>
        takeBack(environment, seen).catch((error: unknown) => {
          const { message } = asTradeAgentError(error);
          this.#emit({
            type: 'notice',
            message: `${seen.proposal.code} could not be taken back: ${message}`,
          });
        }),
      ),
    );
  }

  /**
   * A process that stood still may have lost the thread and not noticed yet.
   * @throws {TradeAgentError} `busy`
   */
  #requireLease(thread: string): void {
    if (this.#lease?.isHeld() !== true) throw takenOver(thread);
  }

  async #begin(
    input: RunInput,
    environment: GraphEnvironment,
    graph: AgentGraph,
    config: GraphConfig,
    { values, tasks }: StateSnapshot,
  ): Promise<StateSnapshot> {
    const unheard = new Set(interruptsOf(tasks).flatMap((one) => ('proposal' in one ? [one.proposal] : [])));
    const open = this.#proposals(environment)
      .map(({ proposal }) => proposal)
      .filter(({ id, state }) => !isSettledState(state) || (state === 'executed' && unheard.has(id)));
    if (open.length > 0) throw unfinished(environment.thread, open);
    if (isMidProposal(tasks)) throw midProposal(environment.thread);
    const { messages, tainted } = opening(input);
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
    return untilSettled(environment, graph, config, this.#shown);
  }

  async #resume(
    environment: GraphEnvironment,
    graph: AgentGraph,
    config: GraphConfig,
    before: StateSnapshot,
  ): Promise<StateSnapshot> {
    if (before.createdAt === undefined) throw nothingStored(environment.thread);
    // Not `next`, which leaves out the tasks that are done: a run may have died before it stored what follows them.
    if (before.tasks.length === 0) return before;
    if (interruptsOf(before.tasks).length === 0) await graph.invoke(null, config);
    return untilSettled(environment, graph, config, this.#shown);
  }

  #environmentFor(thread: string): GraphEnvironment {
    const { gatewayFor, ...fixed } = this.#parts.environment;
    const { signal, approval, maxTurns = DEFAULT_MAX_TURNS } = this.#options;
    const { requestedBy = 'run', ttl = fixed.profile.approval_ttl } = this.#options;
    const emit = this.#emit;
    return {
      ...fixed,
      thread,
      signal,
      approvalMode: approval,
      requestedBy,
      ttl,
      maxTurns,
      callsStarted: new Map(),
      requireLease: () => this.#requireLease(thread),
      gateway: gatewayFor(signal),
      emit,
      saw: noteAndTell(fixed.proposals, this.#shown, emit),
      track: (work) => {
        this.#inFlight.add(work);
        void work.catch(() => undefined).finally(() => this.#inFlight.delete(work));
        return work;
      },
    };
  }

  #proposals({ proposals, thread }: GraphEnvironment, prompt?: number): ThreadProposal[] {
    return proposals.ofThread(thread, prompt);
  }

  #report(environment: GraphEnvironment, { values, tasks }: StateSnapshot, error: unknown): RunResult {
    const state = values as Partial<AgentStateValue>;
    const missing = interruptsOf(tasks).flatMap((awaited) =>
      'connection' in awaited ? [awaited.connection] : [],
    );
    return runResult(environment.thread, state, this.#proposals(environment, state.prompt ?? 0), {
      model: environment.model.name,
      proposing: isMidProposal(tasks),
      connections: [...new Set(missing)].map((name) => connectionView(name, 'needed')),
      ...(error === undefined ? {} : { error: errorFacts(this.#error(error)) }),
    });
  }

  /** What the run ended with: the reason it was stopped for, where it was stopped. */
  #error(error: unknown): TradeAgentError {
    const { signal } = this.#options;
    if (!signal.aborted) return asTradeAgentError(error);
    return isTradeAgentError(signal.reason)
      ? signal.reason
      : new TradeAgentError('interrupted', 'the run was stopped');
  }

  #failed(thread: string, error: unknown): RunResult {
    return runResult(thread, {}, [], {
      model: this.#parts.environment.model.name,
      connections: [],
      error: errorFacts(this.#error(error)),
    });
  }
}
