import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { toErrorFacts, toTradeAgentError } from '../../agent/graph/error-facts.ts';
import {
  fromWireInput,
  fromWireOptions,
  runInputSchema,
  runOptionsSchema,
  type WireOptions,
} from '../../agent/remote/protocol.ts';
import { createRunResult } from '../../agent/run/run-result.ts';
import type { Session } from '../../auth/session/session.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import type { Clock } from '../../machine/clock.ts';
import { extendLogContext, runInLogContext } from '../../machine/log-context.ts';
import type { RunClaim, RunStore, RunWait, StoredRun } from '../../store/run-store.ts';
import type { StateStores } from '../../store/state-stores.ts';
import { isSettledState } from '../../trading/proposal.ts';
import { createPersonAgent, limitSessionToScopes, personStores } from '../person-agent.ts';
import { personRuns, type ServerDeps } from '../server-deps.ts';

/**
 * Delay before the first poll, in milliseconds. People rarely decide faster, and a watched run is woken without
 * polling.
 */
const FIRST_POLL_DELAY_MS = 2_000;
/** Extra time for the gateway to execute an order that was approved just before its expiry, in milliseconds. */
const EXECUTION_GRACE_MS = 60_000;
/** Maximum wait for an unknown outcome, in milliseconds. The gateway may need hours to determine it. */
const UNKNOWN_OUTCOME_WAIT_MS = 10_000;
/** Time allowed for connecting an account if the run sets no time limit for proposals, in milliseconds. */
const CONNECTION_WAIT_MS = 5 * 60_000;

/**
 * Returns what an interrupted run waits for. Returns undefined if the run ends instead: it must not wait, it has
 * nothing to wait for, or the deadline for these proposals has passed.
 */
function nextWait(
  run: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>,
  { approval, ttl }: Pick<WireOptions, 'approval' | 'ttl'>,
  { approvals, connections }: Pick<RunResult, 'approvals' | 'connections'>,
  now: number,
): RunWait | undefined {
  if (approval === 'detach') return undefined;
  const open = approvals.filter(({ status }) => !isSettledState(status));
  const proposals = open.map(({ id }) => id);
  const isConnecting = connections.some(({ status }) => status === 'needed');
  if (proposals.length === 0 && !isConnecting) return undefined;
  const isOver = run.waitsUntil !== undefined && run.waitsUntil <= now;
  if (isOver && !isConnecting && proposals.every((id) => run.waitsFor.includes(id))) return undefined;
  const connecting = ttl === undefined ? CONNECTION_WAIT_MS : ttl * 1000;
  const connectBy = connectionDeadline(run) ?? now + connecting;
  const until = Math.max(
    ...open.map(({ status, expires_at }) =>
      status === 'unknown' ? now + UNKNOWN_OUTCOME_WAIT_MS : Date.parse(expires_at) + EXECUTION_GRACE_MS,
    ),
    ...(isConnecting ? [connectBy] : []),
  );
  // The gateway reports changes to proposals, but not that an account was connected. To check for a connection, the run
  // is resumed at increasing intervals.
  const waited = isConnecting ? now - (connectBy - connecting) : 0;
  const pollAt = Math.min(now + Math.max(FIRST_POLL_DELAY_MS, waited / 4), until);
  return { proposals, now, pollAt: Math.ceil(pollAt), until };
}

/**
 * Returns the deadline of a run that waits only for a connection. After the deadline, the run continues without the
 * connection.
 */
function connectionDeadline({ waitsUntil, waitsFor }: Pick<StoredRun, 'waitsUntil' | 'waitsFor'>) {
  return waitsFor.length === 0 ? waitsUntil : undefined;
}

/**
 * Creates the job that executes a run until the run ends or waits for approval. A waiting run's state is in the
 * database. A job that runs twice, even concurrently, creates no duplicate proposals:
 * 1. Claiming the run increments its epoch, which is checked before each event is written, and takes the thread's
 * lease, which is checked before each checkpoint. From then on, the previous claimant can't write anything.
 * 2. Jobs of one thread run one at a time, so the lease's previous owner is a job that has ended or is suspended.
 * 3. The number of prompts in the thread, stored with the prompt's checkpoint, shows whether the run's prompt is
 * already there. If so, the run resumes, and stored model steps are not requested again.
 * 4. A proposal's key consists of thread, call and attempt, so sending it again creates no second proposal.
 */
export function createRunJob(deps: ServerDeps): JobHandler {
  return async ({ ids: { person, run: id } }, signal) => {
    if (person === undefined || id === undefined) return;
    const runs = personRuns(deps, person);
    const run = await runs.claim(id);
    if (run === undefined) return;
    extendLogContext({ trace: run.trace });
    try {
      await runInLogContext({ trace: run.trace }, () => driveRun(deps, runs, run, { person, signal }));
    } catch (error) {
      if (!(error instanceof TurnLost)) throw error;
    }
  };
}

interface Turn {
  readonly person: string;
  /** Aborts when the job is taken from this worker. Another worker then continues the run. */
  readonly signal: AbortSignal;
}

/**
 * Executes a claimed run and writes its events and result.
 * @throws {TurnLost}; transient errors of the database or a provider
 */
async function driveRun(deps: ServerDeps, runs: RunStore, run: StoredRun, turn: Turn): Promise<void> {
  const { clock } = deps;
  const { signal } = turn;
  const ended = new AbortController();
  const lost = (reason: unknown) => ended.abort(reason);
  const events = await createEventWriter(runs, run, clock, lost);
  const stop = watchForStop(deps, runs, run);
  // Releases the thread's lease first, so that this interruption is not recorded in the thread.
  const handOver = () =>
    void releaseThread(personStores(deps, turn.person), run.thread, clock).then(() => lost(signal.reason), lost);
  signal.addEventListener('abort', handOver, { once: true });
  try {
    signal.throwIfAborted();
    const options = runOptionsSchema.parse(run.options);
    const driving = AbortSignal.any([ended.signal, stop.signal]);
    const emit = (event: AgentEvent) => {
      if (!signal.aborted) events.emit(event);
    };
    const { result, isStopped } = await runTurn(deps, runs, run, { ...turn, options, driving, stop, emit });
    ended.signal.throwIfAborted();
    signal.throwIfAborted();
    const rest = await events.rest();
    // A run that is stopped after this point is waiting or queued. The next turn then withdraws its open proposals.
    const wait = isStopped ? undefined : nextWait(run, options, result, clock.now());
    if (wait === undefined) {
      if (!(await runs.end(run, [...rest, { type: 'result', result }], clock.now()))) throw new TurnLost();
      return;
    }
    if (rest.length > 0 && !(await runs.append(run, rest))) throw new TurnLost();
    if (!(await runs.wait(run, wait))) throw new TurnLost();
  } finally {
    signal.removeEventListener('abort', handOver);
    stop.close();
  }
}

interface TurnContext extends Turn {
  readonly options: WireOptions;
  readonly driving: AbortSignal;
  readonly stop: Stop;
  readonly emit: (event: AgentEvent) => void;
}

interface TurnResult {
  readonly result: RunResult;
  readonly isStopped: boolean;
}

async function runTurn(
  deps: ServerDeps,
  runs: RunStore,
  run: StoredRun,
  { person, options, driving, stop, emit }: TurnContext,
): Promise<TurnResult> {
  const stores = personStores(deps, person);
  await stop.looked;
  // The run's prompt is not in the thread yet, so open proposals in the thread belong to other runs.
  if (stop.signal.aborted && run.input !== undefined && run.prompts === undefined)
    return failedResult(deps, run, interrupted());
  let session: Session;
  try {
    session = limitSessionToScopes(await deps.sessions.forPerson(person), run.scopes);
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'login_required') throw error;
    return failedResult(deps, run, error);
  }
  const heard = async (events: AsyncIterable<AgentEvent>): Promise<RunResult> => {
    for await (const event of events) {
      if (event.type === 'result') return event.result;
      emit(event);
    }
    throw new Error('a run ended without a result');
  };
  let agent: ReturnType<typeof createPersonAgent>;
  try {
    agent = createPersonAgent(deps, session, options, run.scopes);
  } catch (error) {
    return failedResult(deps, run, error);
  }
  try {
    await releaseThread(stores, run.thread, deps.clock);
    // Stopping a run withdraws its open proposals. A worker's shutdown does not.
    const wire = {
      ...fromWireOptions(options, driving),
      suspends: true,
      cancelOnExit: false,
      connectBy: connectionDeadline(run),
    };
    let result: RunResult | undefined;
    if (!stop.signal.aborted) {
      const isSaid = await checkAndRecordPrompt(stores, runs, run);
      result = isSaid
        ? await heard(agent.resume(run.thread, wire))
        : await heard(agent.run({ ...fromWireInput(runInputSchema.parse(run.input)), thread: run.thread }, wire));
    }
    if (result !== undefined && !stop.signal.aborted) return { result, isStopped: false };
    const stopped = agent.resume(run.thread, {
      ...wire,
      signal: stop.signal,
      cancelOnExit: options.cancel_on_exit ?? false,
    });
    return { result: await heard(stopped), isStopped: true };
  } finally {
    await agent.close();
  }
}

/**
 * Returns whether the run's prompt is in its thread. On the first turn, records the number of earlier prompts.
 * @throws {TurnLost}
 */
async function checkAndRecordPrompt(stores: StateStores, runs: RunStore, run: StoredRun): Promise<boolean> {
  if (run.input === undefined) return true;
  const said = await countPrompts(stores, run.thread);
  if (run.prompts !== undefined) return said > run.prompts;
  if (!(await runs.noteStart(run, said))) throw new TurnLost();
  return false;
}

async function countPrompts(stores: StateStores, thread: string): Promise<number> {
  const saver = await stores.history();
  const tuple = await saver.getTuple({ configurable: { thread_id: thread } });
  const { prompt = 0 } = (tuple?.checkpoint.channel_values ?? {}) as { prompt?: number };
  return prompt;
}

/** Releases the thread's lease without waiting, because the lease's owner is a job that has ended or is suspended. */
async function releaseThread({ threads }: StateStores, id: string, { now }: ServerDeps['clock']): Promise<void> {
  const found = await threads.find(id);
  if (found?.holder === undefined) return;
  await threads.end({ thread: id, holder: found.holder, epoch: found.epoch }, undefined, now());
}

interface Stop {
  readonly signal: AbortSignal;
  /** Resolves after the first read, which detects whether the run was stopped before the watch began. */
  readonly looked: Promise<void>;
  close(): void;
}

function watchForStop({ news }: ServerDeps, runs: RunStore, run: StoredRun): Stop {
  const stop = new AbortController();
  const look = async () => {
    if ((await runs.find(run.id))?.stopping) stop.abort(interrupted());
  };
  const close = news.subscribe((changedRun) => {
    // If the read fails, a later read stops the run.
    if (changedRun === undefined || changedRun === run.id) look().catch(() => undefined);
  });
  return { signal: stop.signal, looked: look(), close };
}

const interrupted = () => new TradeAgentError('interrupted', 'the run was stopped');

/** Returns the result of a run that could not start and has no open proposals. */
function failedResult({ model }: ServerDeps, run: StoredRun, error: unknown): TurnResult {
  const result = createRunResult(run.thread, {}, [], {
    model: model.name ?? model.provider,
    error: toErrorFacts(toTradeAgentError(error)),
  });
  return { result, isStopped: false };
}

/** Interval for writing events, in milliseconds. Events are batched because a model's text arrives word by word. */
const WRITE_BATCH_MS = 50;

/** Types of events that a run emits only once, even if it is resumed. */
const onceOnlyEvents: readonly AgentEvent['type'][] = ['thread', 'tool_call', 'approval', 'order', 'connection'];

/**
 * Creates a writer that stores a run's events in order while this job's claim on the run is valid.
 * @param lost called once if no more events can be written, because another job claimed the run or the database failed
 */
async function createEventWriter(
  runs: Pick<RunStore, 'append' | 'eventsAfter'>,
  turn: RunClaim,
  clock: Clock,
  lost: (reason: unknown) => void,
) {
  const before = await runs.eventsAfter(turn.id, 0, Number.MAX_SAFE_INTEGER);
  const written = new Set(before.map(({ event }) => JSON.stringify(event)));
  const unwritten: AgentEvent[] = [];
  let writing: Promise<void> | undefined;
  let failed: { readonly reason: unknown } | undefined;

  const write = async () => {
    // Writes the first event immediately and batches later ones.
    for (let wait = 0; unwritten.length > 0 && failed === undefined; wait = WRITE_BATCH_MS) {
      if (wait > 0) await clock.sleep(wait);
      if (!(await runs.append(turn, mergeTextEvents(unwritten.splice(0))))) throw new TurnLost();
    }
  };
  return {
    emit(event: AgentEvent): void {
      if (onceOnlyEvents.includes(event.type)) {
        const text = JSON.stringify(event);
        if (written.has(text)) return;
        written.add(text);
      }
      unwritten.push(event);
      writing ??= write()
        .catch((reason: unknown) => {
          failed ??= { reason };
          lost(reason);
        })
        .finally(() => {
          writing = undefined;
        });
    },
    /** Returns the unwritten events, which the caller writes when the turn ends. @throws the error of a failed write */
    async rest(): Promise<AgentEvent[]> {
      while (writing !== undefined) await writing;
      if (failed !== undefined) throw failed.reason;
      return mergeTextEvents(unwritten.splice(0));
    },
  };
}

/** Thrown if another job has claimed the run. This job's results are then discarded. */
class TurnLost extends Error {
  override name = 'TurnLost';
}

function mergeTextEvents(events: readonly AgentEvent[]): AgentEvent[] {
  const all: AgentEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.type === 'text' && last?.type === 'text')
      all[all.length - 1] = { type: 'text', delta: last.delta + event.delta };
    else all.push(event);
  }
  return all;
}
