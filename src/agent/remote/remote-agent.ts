import { randomUUID } from 'node:crypto';
import type { Session } from '../../auth/session/session.ts';
import { toErrorObject } from '../../errors/error-object.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { runInTrace } from '../../net/trace-context.ts';
import { PROPOSE_MESSAGES_SCOPE, PROPOSE_ORDERS_SCOPE, READ_SCOPES, type Scope } from '../../oauth/scopes.ts';
import { readStreamMessages, type StreamMessage, streamWithReconnects } from '../../tools/gateway/event-stream.ts';
import { isTransientError } from '../../tools/gateway/gateway-problem.ts';
import { parseResponseBody } from '../../tools/gateway/gateway-requests.ts';
import { defined } from '../../values/defined.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { Agent, RunInput, RunOptions } from '../agent.ts';
import type { AgentEvent, RunResult } from '../events.ts';
import { createNotStartedResult } from '../not-started.ts';
import { EventQueue } from '../run/event-queue.ts';
import { RunFollower } from '../run/run-follower.ts';
import { eventShapes } from '../view-schemas.ts';
import { agentEventSchema, type StartedRun, toWireInput, toWireOptions } from './protocol.ts';
import { createRemoteRequests, type RemoteRequests } from './remote-requests.ts';
import { resolveRunScopes } from './run-scopes.ts';

export interface RemoteAgentOptions {
  /** A session whose profile has the server as its gateway. */
  readonly session: Session;
  readonly clock?: Clock;
  readonly readOnly?: boolean;
  /** `builtin`, or a model that the server offers; defaults to the server's default model. */
  readonly model?: string;
  /** Account number; defaults to the person's default account. */
  readonly account?: string;
}

/**
 * Creates a client of the agent that a `trade-agent server` runs. The server stores the threads. The client sends the
 * person's requests, receives the same events that a local agent would emit, and reconnects if the connection is lost.
 *
 * @example
 * ```ts
 * import type { Session } from '../../auth/session/session.ts';
 * import { createRemoteAgent } from './remote-agent.ts';
 *
 * // Starts a run and leaves: the server continues, and the thread shows the outcome later.
 * export async function leave(session: Session): Promise<string | undefined> {
 *   const agent = createRemoteAgent({ session });
 *   const signal = AbortSignal.timeout(60_000);
 *   for await (const event of agent.run({ prompt: 'buy 5 AAPL limit 180' }, { approval: 'detach', signal })) {
 *     if (event.type === 'thread') return event.thread;
 *   }
 *   return undefined;
 * }
 * ```
 */
export function createRemoteAgent(options: RemoteAgentOptions): Agent {
  const { session, clock = systemClock, readOnly = false, model, account } = options;
  const server = createRemoteRequests(session);
  const made = {
    ...(readOnly ? { read_only: true } : {}),
    ...defined({ model, account }),
  };
  const drive = (
    start: Pick<RemoteStart, 'operation' | 'params' | 'thread'>,
    input: RunInput | undefined,
    runOptions: RunOptions,
  ): AsyncIterable<AgentEvent> => {
    const body = {
      ...(input === undefined ? {} : { input: toWireInput(input) }),
      options: toWireOptions(runOptions, made),
    };
    const scopes = resolveRunScopes(runOptions, readOnly, input);
    return driveRemote(server, { ...start, body, scopes }, runOptions, clock);
  };

  return {
    run: (input, runOptions) => drive({ operation: 'startRun', thread: input.thread }, input, runOptions),
    resume: (thread, runOptions) =>
      drive({ operation: 'resumeThread', params: { thread }, thread }, undefined, runOptions),
    threads: async ({ asKept = false } = {}) =>
      (await server.call('listThreads', asKept ? { query: { as_kept: 'true' } } : {})).threads,
    thread: async (id) => (await server.call('readThread', { params: { thread: id } })).thread,
    deleteThread: async (id) => {
      await server.call('deleteThread', { params: { thread: id } });
    },
    pruneThreads: async ({ olderThan, keep, dryRun = false }) => {
      const body = { older_than: olderThan, keep, dry_run: dryRun };
      return (await server.call('pruneThreads', { body })).deleted;
    },
    approvals: async () => (await server.call('listApprovals')).approvals,
    approval: async (id) => {
      try {
        return (await server.call('readApproval', { params: { approval: id } })).approval;
      } catch (error) {
        if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
        throw error;
      }
    },
    cancelApproval: async (id) => {
      // The gateway requires these scopes to withdraw a proposal.
      const scopes = [PROPOSE_ORDERS_SCOPE, PROPOSE_MESSAGES_SCOPE] as const;
      return (await server.call('cancelApproval', { params: { approval: id }, scopes })).approval;
    },
    reconcile: async (id) => (await server.call('reconcile', { body: defined({ id }) })).approvals,
    // Closing the client leaves the approvals on the server open.
    close: async () => undefined,
  };
}

/** Delays before a request to start or stop a run is retried, in milliseconds. Short, because someone is waiting. */
const BACKOFF_MS = [1_000, 2_000, 4_000] as const;
const STOP_TIMEOUT_MS = 5_000;
/** Milliseconds that a stopped run has to withdraw its open proposals. */
const STOP_GRACE_MS = 15_000;

interface RemoteStart {
  readonly operation: 'startRun' | 'resumeThread';
  readonly params?: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** The thread's ID, if it is known before the run starts. */
  readonly thread: string | undefined;
  /** The scopes to request. The session may grant fewer. */
  readonly scopes: readonly Scope[];
}

/**
 * Runs a request on a server, with the same contract as `run/runner.ts`: the last event is always `result`. Stops the
 * remote run if the signal is aborted or, unless `approval` is `detach`, if the caller stops reading events.
 */
async function* driveRemote(
  server: RemoteRequests,
  start: RemoteStart,
  options: Pick<RunOptions, 'approval' | 'signal'>,
  clock: Clock,
): AsyncGenerator<AgentEvent, void, undefined> {
  const events = new EventQueue<AgentEvent>();
  const left = new AbortController();
  const run = new RemoteRun(server, options, left.signal, clock, (event) => events.push(event));
  const running = runInTrace(() => run.result(start))
    .then((result) => events.push({ type: 'result', result }))
    .finally(() => events.close());
  // Awaited at the end. Until then, a failure must not count as unhandled.
  running.catch(() => undefined);
  try {
    yield* events;
  } finally {
    left.abort(interrupted());
    await running;
  }
}

class RemoteRun {
  readonly #server: RemoteRequests;
  readonly #options: Pick<RunOptions, 'approval' | 'signal'>;
  readonly #left: AbortSignal;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #follower = new RunFollower();
  readonly #emit: (event: AgentEvent) => void;

  constructor(
    server: RemoteRequests,
    options: Pick<RunOptions, 'approval' | 'signal'>,
    left: AbortSignal,
    clock: Clock,
    emit: (event: AgentEvent) => void,
  ) {
    this.#server = server;
    this.#options = options;
    this.#left = left;
    this.#signal = AbortSignal.any([options.signal, left]);
    this.#clock = clock;
    this.#emit = (event) => {
      this.#follower.follow(event);
      emit(event);
    };
  }

  async result(start: RemoteStart): Promise<RunResult> {
    let started: StartedRun;
    try {
      started = await this.#start(start);
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      if (error.code === 'busy' && start.thread !== undefined) this.#emit({ type: 'thread', thread: start.thread });
      return createNotStartedResult(start.thread ?? '', 'unknown', { ...toErrorObject(error), code: error.code });
    }
    return this.#follow(started);
  }

  async #follow(started: StartedRun): Promise<RunResult> {
    const { run, thread } = started;
    this.#follower.follow({ type: 'thread', thread });
    // Aborts the stream of events. The run itself is stopped by a request to the server.
    const ended = new AbortController();
    const onAbort = () => void this.#end(started, ended.signal).finally(() => ended.abort());
    this.#signal.addEventListener('abort', onAbort, { once: true });
    if (this.#signal.aborted) onAbort();
    let failure: unknown;
    try {
      const notice = (message: string) => this.#emit({ type: 'notice', message });
      const following = { clock: this.#clock, signal: ended.signal, notice };
      for await (const event of streamRunEvents(this.#server, run, following)) {
        if (event.type === 'result') return this.#asEnded(event.result);
        this.#emit(event);
      }
    } catch (error) {
      if (!isTradeAgentError(error)) throw error;
      failure = error.code === 'gateway_unreachable' ? connectionLost(thread, error) : error;
    } finally {
      this.#signal.removeEventListener('abort', onAbort);
      ended.abort();
    }
    return this.#follower.result(failure ?? this.#reason());
  }

  /** Starts the run. A repeated request does not start another run, because it has the same idempotency key. */
  async #start({ operation, params, body, scopes }: RemoteStart): Promise<StartedRun> {
    if (this.#signal.aborted) throw this.#reason();
    const attempt = { scopes, tries: 0, mayBeThere: false };
    const key = randomUUID();
    const post = (signal: AbortSignal | undefined, ms?: number) =>
      this.#server.call(operation, {
        ...defined({ params, signal, ms }),
        body,
        key,
        scopes: attempt.scopes,
      });
    for (;;) {
      try {
        this.#signal.throwIfAborted();
        return await post(this.#signal);
      } catch (error) {
        if (!this.#signal.aborted) {
          await this.#beforeRetry(attempt, error);
          continue;
        }
        // The run may have started. Repeating the request returns its ID, which is needed to stop the run.
        const mayBeThere = attempt.mayBeThere || mayHaveArrived(error);
        const begun = mayBeThere ? await post(undefined, STOP_TIMEOUT_MS).catch(() => undefined) : undefined;
        if (begun === undefined) throw this.#reason();
        return begun;
      }
    }
  }

  /** Waits before another attempt. @throws the error of the last attempt if another attempt can't help */
  async #beforeRetry(
    attempt: { scopes: readonly Scope[]; tries: number; mayBeThere: boolean },
    error: unknown,
  ): Promise<void> {
    if (!isTradeAgentError(error)) throw error;
    // A session that lacks some of the scopes may still be able to run with fewer.
    if (hasTooNarrowScopes(error) && attempt.scopes !== READ_SCOPES) {
      attempt.scopes = READ_SCOPES;
      return;
    }
    if (!isOutcomeUnknown(error)) throw error;
    attempt.mayBeThere ||= mayHaveArrived(error);
    const wait = BACKOFF_MS[attempt.tries++];
    if (wait === undefined) throw attempt.mayBeThere ? startUnconfirmed(error) : error;
    await this.#pause(wait, this.#signal);
  }

  /** Stops the run on the server. If the caller is still reading, waits for the run's end, within a limit. */
  async #end(started: StartedRun, ended: AbortSignal): Promise<void> {
    const isLeft = this.#left.aborted && !this.#options.signal.aborted;
    if (isLeft && this.#options.approval === 'detach') return;
    if ((await this.#stop(started, ended)) && !isLeft) await this.#pause(STOP_GRACE_MS, ended);
  }

  /** Stops the run. Returns false if the server could not be reached. */
  async #stop({ run, thread }: StartedRun, ended: AbortSignal): Promise<boolean> {
    for (const wait of [...BACKOFF_MS, undefined]) {
      try {
        await this.#server.call('stopRun', { params: { run }, ms: STOP_TIMEOUT_MS });
        return true;
      } catch (error) {
        if (isTradeAgentError(error) && error.code === 'not_found') return true;
        if (wait === undefined || !isTransientError(error)) break;
        if (!(await this.#pause(wait, ended))) return false;
      }
    }
    const how = `"trade-agent resume ${thread}" shows the outcome`;
    this.#emit({
      type: 'notice',
      message: `The server could not be reached, so the run continues there; ${how}.`,
    });
    return false;
  }

  /** Waits. Returns false if the signal aborted the wait. */
  #pause(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.#clock.sleep(ms, signal).then(
      () => true,
      () => false,
    );
  }

  /** Adds the reason for stopping the run to the result, because the server does not know the reason. */
  #asEnded(result: RunResult): RunResult {
    if (!this.#signal.aborted || result.error?.code !== 'interrupted') return result;
    const { code } = this.#reason();
    return { ...result, error: { ...toErrorObject(this.#reason()), code } };
  }

  #reason(): TradeAgentError {
    const { reason } = this.#signal;
    return isTradeAgentError(reason) ? reason : interrupted();
  }
}

function mayHaveArrived(error: unknown): boolean {
  return !isTradeAgentError(error) || error.details.sent !== false;
}

function isOutcomeUnknown(error: TradeAgentError): boolean {
  return isTransientError(error) || error.details.problem === 'malformed_response';
}

/** Returns whether the session's scopes are too narrow. If so, no request reached the server. */
function hasTooNarrowScopes({ code, details }: TradeAgentError): boolean {
  return code === 'insufficient_scope' && details.status === undefined;
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'the run was stopped');
}

function startUnconfirmed(cause: TradeAgentError): TradeAgentError {
  const message = `the server did not confirm that the run started: ${cause.message}`;
  return new TradeAgentError('gateway_unreachable', message, {
    hint: 'The run may have started anyway: see "trade-agent threads".',
    cause,
  });
}

function connectionLost(thread: string, cause: TradeAgentError): TradeAgentError {
  return new TradeAgentError('gateway_unreachable', cause.message, {
    hint: `The run continues on the server; "trade-agent resume ${thread}" shows the outcome.`,
    cause,
    details: cause.details,
  });
}

/** Maximum length of an event in UTF-16 code units. Every result is shorter. */
const MAX_EVENT_LENGTH = 16_000_000;
/** Milliseconds for which the server may be unreachable before the client gives up. The run itself continues. */
const GIVE_UP_AFTER_MS = 10 * 60_000;

interface RunStreamOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
}

/**
 * Yields a run's events, each once and in order across reconnects, until the `result` or until the signal is aborted.
 * @throws {TradeAgentError} a permanent refusal; `gateway_unreachable` after {@link GIVE_UP_AFTER_MS};
 * `gateway_refused` for an invalid event
 */
export async function* streamRunEvents(
  server: Pick<RemoteRequests, 'events'>,
  run: string,
  { clock, signal, notice }: RunStreamOptions,
): AsyncGenerator<AgentEvent, void, undefined> {
  let last = 0;
  let isLost = false;
  async function* connect(until: AbortSignal, after: string | undefined): AsyncGenerator<StreamMessage> {
    for await (const message of readStreamMessages(await server.events(run, after, until), MAX_EVENT_LENGTH)) {
      // A server that ignores Last-Event-ID repeats events that were already read.
      if (!message.comment && Number(message.id) <= last) continue;
      if (!message.comment) last = Number(message.id);
      yield message;
    }
  }
  const messages = streamWithReconnects<StreamMessage & { readonly id?: string }>(connect, {
    clock,
    signal,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    lost: () => {
      if (!isLost) notice('The server cannot be reached; the run continues there.');
      isLost = true;
    },
  });
  for await (const message of messages) {
    if (isLost) notice('The server is reachable again.');
    isLost = false;
    const event = message.comment ? undefined : parseEvent(message.data);
    if (event === undefined) continue;
    yield event;
    if (event.type === 'result') return;
  }
}

/** Parses an event. Returns undefined for an unknown type. @throws {TradeAgentError} `gateway_refused` */
function parseEvent(data: string): AgentEvent | undefined {
  // `parseJson` returns undefined for invalid JSON, which the schema rejects.
  const event = parseJson(data);
  const type = (event as { type?: unknown } | undefined)?.type;
  const isKnown = type === 'result' || (typeof type === 'string' && Object.hasOwn(eventShapes, type));
  return typeof type === 'string' && !isKnown ? undefined : parseResponseBody(agentEventSchema, event);
}
